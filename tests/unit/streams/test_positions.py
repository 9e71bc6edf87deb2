"""Where a reader without a group goes on, whatever Kafka answers first."""

from types import SimpleNamespace
from typing import Any, cast

import pytest
from confluent_kafka import OFFSET_INVALID, Consumer, KafkaError, KafkaException, TopicPartition

from streams.health import Health
from streams.positions import AGAIN_SECONDS, ALL_SECONDS, Keeping, Positions, positions
from streams.restore import Stopped
from streams.stopping import Stop


class Asked:
    """A consumer of one topic. kept: partition -> committed offset. troubles: what the first questions raise."""

    def __init__(self, kept: dict[int, int], *troubles: int) -> None:
        self.kept = kept
        self.troubles = list(troubles)

    def list_topics(self, name: str, timeout: float) -> Any:
        return SimpleNamespace(topics={name: SimpleNamespace(error=None, partitions=dict.fromkeys(self.kept))})

    def committed(self, places: list[TopicPartition], timeout: float) -> list[TopicPartition]:
        if self.troubles:
            raise KafkaException(KafkaError(self.troubles.pop(0)))
        return [TopicPartition(one.topic, one.partition, self.kept[one.partition]) for one in places]

    def get_watermark_offsets(self, place: TopicPartition, timeout: float, cached: bool) -> tuple[int, int]:
        return 10, 50


def told(asked: Asked, stop: Stop | None = None) -> Positions:
    return positions(cast(Consumer, asked), ["t"], "feed", stop or Stop(), Health())


def test_the_kept_position_goes_on_a_first_start_begins_at_the_end_and_what_is_gone_is_passed_over() -> None:
    found = told(Asked({0: 20, 1: OFFSET_INVALID, 2: 3, 3: 60}))
    assert [one.offset for one in found.all] == [20, 50, 10, 10]
    assert [one.partition for one in found.fresh] == [1, 2, 3]


def test_a_coordinator_that_moves_is_asked_again() -> None:
    asked = Asked({0: 20}, KafkaError.NOT_COORDINATOR, KafkaError.COORDINATOR_LOAD_IN_PROGRESS)
    assert [one.offset for one in told(asked).all] == [20]
    assert asked.troubles == []


def test_a_right_that_is_missing_is_said_at_once() -> None:
    with pytest.raises(KafkaException, match="GROUP_AUTHORIZATION_FAILED"):
        told(Asked({0: 20}, KafkaError.GROUP_AUTHORIZATION_FAILED))


def test_who_is_asked_to_end_waits_for_no_answer() -> None:
    stop = Stop()
    stop.request()
    with pytest.raises(Stopped):
        told(Asked({0: 20}, KafkaError.NOT_COORDINATOR), stop)


def due(keeping: Keeping) -> dict[int, int]:
    return {one.partition: one.offset for one in keeping.due()}


def test_what_moved_is_kept_and_every_hour_all_for_kafka_forgets_what_was_committed_long_ago() -> None:
    now = 0.0
    keeping = Keeping([TopicPartition("t", 0, 20), TopicPartition("t", 1, 50)], lambda: now)
    assert due(keeping) == {0: 20, 1: 50}
    keeping.kept()
    assert due(keeping) == {}
    keeping.reached({("t", 1): 51})
    assert due(keeping) == {1: 51}
    keeping.kept()
    now = ALL_SECONDS
    assert due(keeping) == {0: 20, 1: 51}
    keeping.kept()
    assert due(keeping) == {}


def test_what_could_not_be_kept_is_tried_again_after_a_moment() -> None:
    now = 10.0
    keeping = Keeping([TopicPartition("t", 0, 20)], lambda: now)
    keeping.failed()
    assert due(keeping) == {}
    keeping.reached({("t", 0): 21})
    now += AGAIN_SECONDS
    assert due(keeping) == {0: 21}
