"""What waits is read only while the rest is nearly done."""

from dataclasses import dataclass, field
from typing import cast

import pytest
from confluent_kafka import Consumer, TopicPartition

from streams.priority import UNKNOWN, LowPriority, Open

LIMIT = 100
SPOTS = {("live", 0): 0, ("live", 1): 0, ("bulk", 0): 0, ("bulk", 1): 0}


@dataclass(slots=True)
class Ends:
    """Stands for the consumer: knows where partitions end, and which were paused."""

    ends: dict[tuple[str, int], int] = field(default_factory=dict)
    paused: set[tuple[str, int]] = field(default_factory=set)

    def pause(self, partitions: list[TopicPartition]) -> None:
        self.paused |= {(tp.topic, tp.partition) for tp in partitions}

    def resume(self, partitions: list[TopicPartition]) -> None:
        self.paused -= {(tp.topic, tp.partition) for tp in partitions}

    def get_watermark_offsets(self, tp: TopicPartition, cached: bool) -> tuple[int, int]:
        assert cached, "it must not wait for the broker at every turn"
        return 0, self.ends.get((tp.topic, tp.partition), UNKNOWN)


@dataclass(slots=True)
class Way:
    """Stands for the stages after this one."""

    asked: int = 0
    clear: bool = False

    def ask(self) -> None:
        self.asked += 1
        self.clear = False

    def is_clear(self) -> bool:
        return self.clear


@pytest.fixture
def way() -> Way:
    return Way()


@pytest.fixture
def ends() -> Ends:
    return Ends()


@pytest.fixture
def low(ends: Ends, way: Way) -> LowPriority:
    priority = LowPriority(cast(Consumer, ends), ["bulk"], LIMIT, way)
    priority.begin(SPOTS)
    return priority


BOTH = {("bulk", 0), ("bulk", 1)}


def test_after_an_assignment_it_waits_until_the_lag_of_the_others_is_known(low: LowPriority, ends: Ends) -> None:
    assert ends.paused == BOTH
    ends.ends = {("live", 0): 0}
    low.adjust(SPOTS)
    assert ends.paused == BOTH, "nothing is known of live/1 yet"
    ends.ends[("live", 1)] = 0
    low.adjust(SPOTS)
    assert ends.paused == set()


def test_it_is_paused_at_a_batch_of_lag_and_resumed_at_half_of_that(low: LowPriority, ends: Ends) -> None:
    def after(lag: int) -> bool:
        ends.ends = {("live", 0): lag, ("live", 1): 0}
        low.adjust(SPOTS)
        return ends.paused == BOTH

    assert [after(lag) for lag in (49, 50, 99, 100, 99, 50, 49)] == [False, False, False, True, True, True, False]


def test_the_lag_is_that_of_all_other_partitions_together(low: LowPriority, ends: Ends) -> None:
    ends.ends = {("live", 0): 0, ("live", 1): 0}
    low.adjust(SPOTS)
    ends.ends = {("live", 0): 60, ("live", 1): 60, ("bulk", 0): 10**6}
    low.adjust({**SPOTS, ("live", 0): 10})
    assert ends.paused == BOTH
    low.adjust({**SPOTS, ("live", 0): 60, ("live", 1): 60})
    assert ends.paused == set(), "the backlog of what waits counts for nothing"


def test_a_partition_that_is_held_for_another_reason_is_never_resumed(low: LowPriority, ends: Ends) -> None:
    low.hold(("bulk", 1))
    ends.ends = {("live", 0): 0, ("live", 1): 0}
    low.adjust(SPOTS)
    assert ends.paused == {("bulk", 1)}


def test_after_a_batch_of_it_the_rest_waits_until_that_is_handled_all_the_way(
    low: LowPriority, ends: Ends, way: Way
) -> None:
    ends.ends = {("live", 0): 0, ("live", 1): 0}
    low.adjust(SPOTS)
    low.took({("live", 0)})
    assert (ends.paused, way.asked) == (set(), 0), "a batch of live records makes nobody wait"
    low.took({("live", 0), ("bulk", 1)})
    low.adjust(SPOTS)
    low.adjust(SPOTS)
    assert (ends.paused, way.asked) == (BOTH, 1)
    way.clear = True
    ends.ends["live", 0] = 60
    low.adjust(SPOTS)
    assert ends.paused == BOTH, "the way is clear, but live ones lag"
    ends.ends["live", 0] = 0
    low.adjust(SPOTS)
    assert ends.paused == set()


def test_a_new_assignment_forgets_what_was_under_way(low: LowPriority, ends: Ends, way: Way) -> None:
    ends.ends = {("live", 0): 0, ("live", 1): 0}
    low.adjust(SPOTS)
    low.took({("bulk", 0)})
    low.begin(SPOTS)
    low.adjust(SPOTS)
    assert ends.paused == set()


def test_a_stage_without_such_inputs_pauses_nothing(ends: Ends) -> None:
    priority = LowPriority(cast(Consumer, ends), [], LIMIT, Open())
    priority.begin(SPOTS)
    priority.adjust(SPOTS)
    assert ends.paused == set()
