"""Whether the stages after this one are behind, as an import asks it."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

import pytest
from confluent_kafka import KafkaError, KafkaException

from streams.onward import Onward
from tests.waiting import eventually

DENIED = KafkaException(KafkaError(KafkaError.GROUP_AUTHORIZATION_FAILED))


@dataclass(slots=True)
class Stage:
    """Says one after the other how far it is behind; the last for ever."""

    says: list[float | KafkaException] = field(default_factory=lambda: [0.0])
    looks: int = 0
    is_closed: bool = False
    is_begun: bool = True
    may_say: threading.Event = field(default_factory=threading.Event)

    def has_begun(self) -> bool:
        return self.is_begun

    def seconds(self, now: datetime) -> float:
        assert self.may_say.wait(60)
        self.looks += 1
        said = self.says.pop(0) if len(self.says) > 1 else self.says[0]
        if isinstance(said, KafkaException):
            raise said
        return said

    def close(self) -> None:
        self.is_closed = True


@pytest.fixture
def stages() -> list[Stage]:
    made = [Stage(), Stage()]
    for one in made:
        one.may_say.set()
    return made


@pytest.fixture
def onward(stages: list[Stage]) -> Iterator[Onward]:
    made = Onward(lambda: stages, patience_seconds=0.0)
    yield made
    made.close()


def test_nobody_is_looked_at_before_somebody_asks(onward: Onward, stages: list[Stage]) -> None:
    assert [stage.looks for stage in stages] == [0, 0]
    assert onward.is_clear()


def test_the_way_is_clear_once_no_stage_is_behind(onward: Onward, stages: list[Stage]) -> None:
    stages[1].says = [9.0, 3.0, 0.6, 0.4]
    stages[1].may_say.clear()
    onward.ask()
    assert not onward.is_clear()
    stages[1].may_say.set()
    eventually(onward.is_clear, "a clear way")
    assert stages[1].looks == 4
    stages[1].may_say.clear()
    onward.ask()
    assert not onward.is_clear(), "each asking needs a new look"
    stages[1].may_say.set()
    eventually(onward.is_clear, "a clear way again")
    assert stages[1].looks == 5


def test_a_stage_that_nobody_runs_holds_nothing_back(onward: Onward, stages: list[Stage]) -> None:
    stages[1].says, stages[1].is_begun = [9.0], False
    onward.ask()
    eventually(onward.is_clear, "a clear way")
    assert [stage.looks for stage in stages] == [1, 0]


def test_a_broker_that_does_not_answer_holds_the_import_no_longer_than_the_patience(
    onward: Onward, stages: list[Stage]
) -> None:
    stages[0].says = [DENIED]
    onward.ask()
    eventually(onward.is_clear, "the import to go on unchecked")


def test_one_that_fails_once_is_asked_again(stages: list[Stage]) -> None:
    onward = Onward(lambda: stages, patience_seconds=60.0)
    stages[0].says = [DENIED, 5.0, 0.0]
    onward.ask()
    eventually(onward.is_clear, "a clear way")
    assert stages[0].looks == 3
    onward.close()
    eventually(lambda: stages[0].is_closed and stages[1].is_closed, "its connections closed")
