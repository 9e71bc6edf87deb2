"""Where a slot goes on reading: the committed offsets, with the clock they were committed at."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog
from confluent_kafka import OFFSET_INVALID, Consumer, KafkaException, TopicPartition

from streams.errors import Fatal
from streams.inbox import Spot
from streams.kafka.bounds import bounds

# `committed` of a read_committed consumer waits for the transactions that are under way.
COMMITTED_SECONDS = 60.0
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# A transaction's end takes an offset of its own, behind its last record and so behind what was committed. Where
# retention has removed all of a partition that had nothing new for so long, the log begins one further on.
MARK = 1

log = structlog.get_logger()


class InputGone(Fatal):
    """A committed offset is outside of its topic: records were removed unread, or the topic was made anew. Find out
    which, then set the group's offsets (kafka-consumer-groups --reset-offsets) and start again."""


@dataclass(frozen=True, slots=True)
class Start:
    """next_offset: where to read on, always a real one. previous_now: the clock of the last commit, EPOCH if none."""

    next_offset: int
    previous_now: datetime


def starts(consumer: Consumer, partitions: Sequence[TopicPartition]) -> dict[Spot, Start]:
    """Return where to read on, by partition; a new group starts at the first record there is.

    Raises InputGone, and KafkaException when the broker doesn't answer.
    """
    if not partitions:
        return {}
    found: dict[Spot, Start] = {}
    for committed in consumer.committed(list(partitions), timeout=COMMITTED_SECONDS):
        if committed.error is not None:
            raise KafkaException(committed.error)
        first, end = bounds(consumer, TopicPartition(committed.topic, committed.partition))
        offset = first if committed.offset == OFFSET_INVALID else committed.offset
        if offset == first - MARK:
            log.info("input.begins_behind_mark", topic=committed.topic, partition=committed.partition, first=first)
            offset = first
        if not first <= offset <= end:
            raise InputGone(
                f"{committed.topic}/{committed.partition}: committed is {offset}, the topic has {first} to {end}. "
                "Records were removed unread, or the topic was made anew. Find out which, then set the group's offsets "
                "(kafka-consumer-groups --reset-offsets) and start again."
            )
        found[committed.topic, committed.partition] = Start(offset, _clock(committed.metadata))
    return found


def to_commit(next_offsets: Mapping[Spot, int], nows: Mapping[int, datetime]) -> list[TopicPartition]:
    """Return the offsets of a transaction: next to read, each with its partition's clock as metadata, microseconds.

    So the clock of a partition goes on over a restart and a move to another machine, without a record of its own.
    """
    return [
        TopicPartition(
            topic, number, offset, metadata=str((nows.get(number, EPOCH) - EPOCH) // timedelta(microseconds=1))
        )
        for (topic, number), offset in next_offsets.items()
    ]


def _clock(metadata: str | None) -> datetime:
    if not metadata or not metadata.isdigit():
        return EPOCH
    return EPOCH + timedelta(microseconds=int(metadata))
