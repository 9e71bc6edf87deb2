"""Partitions taken and given back; restores are tested on a broker."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from confluent_kafka import OFFSET_INVALID, Consumer, KafkaError, KafkaException, TopicPartition
from prometheus_client import CollectorRegistry

from streams.assignment import Assignment, PartitionsLost
from streams.errors import Fenced
from streams.health import Health, Phase
from streams.kafka.config import ClusterSettings
from streams.metrics import RunnerMetrics
from streams.offsets import EPOCH, InputGone
from streams.stage import Stage
from streams.store.memory import open_memory

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Stateless:
    """A stage without a changelog: there is no topic state.stateless."""

    name = "stateless"
    low_priority: tuple[str, ...] = ()
    kinds: Mapping[str, Any] = {}


@dataclass(slots=True)
class Group:
    """Stands for the consumer. committed: (partition -> offset, metadata). ends: first and end, of every partition."""

    offsets: dict[int, tuple[int, str]] = field(default_factory=dict)
    ends: tuple[int, int] = (5, 100)
    assigned: list[TopicPartition] = field(default_factory=list)
    is_subscribed: bool = True
    is_put_out: bool = False

    def unsubscribe(self) -> None:
        self.is_subscribed = False
        if self.is_put_out:
            raise KafkaException(KafkaError(KafkaError._FATAL, "Failed to remove subscription: Local: Fatal error"))

    def committed(self, partitions: list[TopicPartition], timeout: float) -> list[TopicPartition]:
        found = []
        for tp in partitions:
            offset, metadata = self.offsets.get(tp.partition, (OFFSET_INVALID, ""))
            found.append(TopicPartition(tp.topic, tp.partition, offset, metadata=metadata))
        return found

    def get_watermark_offsets(self, tp: TopicPartition, timeout: float, cached: bool) -> tuple[int, int]:
        assert not cached, "what was fetched earlier may be old"
        return self.ends

    def assign(self, partitions: list[TopicPartition]) -> None:
        self.assigned = partitions


@pytest.fixture
def health() -> Health:
    return Health()


@pytest.fixture
def assignment(health: Health, tmp_path: Path) -> Assignment:
    return Assignment(
        ClusterSettings(bootstrap="nowhere:1"),
        cast(Stage, Stateless()),
        open_memory,
        tmp_path,
        health,
        RunnerMetrics(CollectorRegistry(), "stateless"),
        lambda: False,
    )


def take(assignment: Assignment, group: Group, *numbers: int) -> None:
    assignment.on_assign(cast(Consumer, group), [TopicPartition("leads.raw", number) for number in numbers])


def clock(at: datetime) -> str:
    return str((at - EPOCH) // timedelta(microseconds=1))


def test_reading_goes_on_where_was_committed_and_starts_at_the_first_record_there_is(
    assignment: Assignment, health: Health
) -> None:
    group = Group({0: (42, clock(AT))})
    take(assignment, group, 0, 1)
    assert assignment.next_offsets == {("leads.raw", 0): 42, ("leads.raw", 1): 5}
    assert [(tp.partition, tp.offset) for tp in group.assigned] == [(0, 42), (1, 5)], "never left to the client"
    assert health.phase is Phase.RUNNING and health.is_ready
    assert assignment.generation == 1


def test_the_clock_of_a_partition_goes_on_from_what_was_committed_with_the_offset(assignment: Assignment) -> None:
    take(assignment, Group({0: (42, clock(AT)), 1: (42, "someone else's note"), 2: (42, "")}), 0, 1, 2)
    assert {number: one.now for number, one in assignment.owned.items()} == {0: AT, 1: EPOCH, 2: EPOCH}


def test_a_partition_that_retention_has_emptied_up_to_the_mark_of_its_last_transaction_is_read_on(
    assignment: Assignment, health: Health
) -> None:
    group = Group({0: (4, clock(AT))}, ends=(5, 5))
    take(assignment, group, 0)
    assert [(tp.partition, tp.offset) for tp in group.assigned] == [(0, 5)], "the broker no longer knows offset 4"
    assert health.is_ready and assignment.owned[0].now == AT


@pytest.mark.parametrize("offset", [3, 101], ids=["removed unread", "made anew"])
def test_a_committed_offset_outside_of_the_topic_is_refused(
    assignment: Assignment, health: Health, offset: int
) -> None:
    with pytest.raises(InputGone, match=rf"leads\.raw/0: committed is {offset}, the topic has 5 to 100"):
        take(assignment, Group({0: (offset, "")}), 0)
    assert not health.is_ready


def test_what_is_given_back_is_closed_and_the_slot_is_not_ready(assignment: Assignment, health: Health) -> None:
    group = Group()
    take(assignment, group, 0)
    assignment.on_revoke(cast(Consumer, group), [TopicPartition("leads.raw", 0)])
    assert (assignment.owned, assignment.next_offsets, assignment.generation) == ({}, {}, 2)
    assert not health.is_ready


def test_a_slot_may_be_left_without_any_partition(assignment: Assignment, health: Health) -> None:
    group = Group()
    take(assignment, group)
    assert (assignment.owned, group.assigned) == ({}, [])
    assert health.is_ready, "a spare slot is well"


@pytest.mark.parametrize("put_out", [False, True], ids=["session over", "put out by a successor with the same ids"])
def test_lost_partitions_end_the_process_for_another_may_have_them(assignment: Assignment, put_out: bool) -> None:
    group = Group(is_put_out=put_out)
    with pytest.raises(PartitionsLost) as lost:
        assignment.on_lost(cast(Consumer, group), [TopicPartition("leads.raw", 0)])
    assert isinstance(lost.value, Fenced)
    assert not group.is_subscribed, "joining again would put a successor with the same ids out of the group"
