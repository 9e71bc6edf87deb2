"""Bring stores up to their changelog: bulk, committed records only, none missed."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient

from schemas.topics import DELETE_RETENTION_SECONDS
from streams.errors import Fatal
from streams.kafka.bounds import bounds
from streams.kafka.config import (
    ClusterSettings,
    admin_config,
    to_end_consumer_config,
    uncommitted_consumer_config,
)
from streams.message import Incoming, received
from streams.store.loading import Loading, a_thread_each
from streams.store.store import Position, Restorable

CHUNK = 2_000  # records a write: so many messages with their headers are in memory at once
POLL_SECONDS = 0.02  # the last chunk waits this long for more: it is part of each restart
ASK_SECONDS = 60.0
# An open transaction of a dead process ends by itself 20 s after it began; three times that is not its doing.
STALLED_SECONDS = 60.0

log = structlog.get_logger()


Row = tuple[bytes, bytes | None]
"""A key, and its value or None to remove it."""


def changelog_row(message: Incoming) -> Row | None:
    """Return a changelog's record as it is."""
    return message.key() or b"", message.value()


class RestoreStalled(Fatal):
    """A changelog could not be read to its end: an open transaction holds it, or the broker does not answer."""


class Stopped(Exception):
    """The process was asked to end while it restored."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore did. records: read. wiped: partitions whose store was not usable and was rebuilt."""

    records: int
    seconds: float
    wiped: tuple[int, ...]


def topic_id(settings: ClusterSettings, topic: str) -> str:
    """Return the id of `topic` (full name): another one after it was deleted and made anew. Raises KafkaException."""
    admin = AdminClient(admin_config(settings))
    described = admin.describe_topics(TopicCollection([topic]), request_timeout=ASK_SECONDS)
    return str(described[topic].result().topic_id)


def reason_to_wipe(found: Position, identity: str, first: int, end: int, now: float) -> str | None:
    """Return why a store can't be brought up from its position, None if it can.

    first, end: the changelog's first and next offset. now: seconds since 1970.
    """
    if found.topic_id != identity:
        return "the changelog was made anew"
    if found.next_offset > end:
        return "the store is ahead of its changelog"
    if found.next_offset < first:
        return "the changelog no longer has what the store lacks"
    if now - found.written_at > DELETE_RETENTION_SECONDS / 2:
        return "the store is so old that it may have missed removals"
    return None


def restore(
    settings: ClusterSettings,
    topic: str,
    stores: Mapping[int, Restorable],
    *,
    is_stopping: Callable[[], bool] = lambda: False,
    on_progress: Callable[[], None] = lambda: None,
    row: Callable[[Incoming], Row | None] = changelog_row,
) -> Restored:
    """Read `topic` (full name) into `stores` (by partition), up to everything written before this call.

    The order carries it: the end as read_uncommitted sees it first, then read until the last stable offset has passed
    that, so that a transaction in flight at the call is either in or gone. Call it after `init_transactions`.
    on_progress: called at each read. row: what to keep of a record, None for nothing.
    Raises RestoreStalled, KafkaException, StoreFailed, Stopped.
    """
    started = time.monotonic()
    identity = topic_id(settings, topic)
    ends, wiped = _planned(settings, topic, stores, identity)
    starts = {number: _next_offset(store, identity) for number, store in stores.items()}
    unread = {number: start for number, start in starts.items() if start < ends[number]}
    records = 0
    if unread:
        reader = Consumer(to_end_consumer_config(settings))
        try:
            reader.assign([TopicPartition(topic, number, start) for number, start in sorted(unread.items())])
            with a_thread_each(unread) as threads:
                reading = _Reading(reader, Loading(stores, threads), ends, identity, row)
                records = reading.finish(set(unread), is_stopping, on_progress)
        finally:
            reader.close()
    seal(stores, unread, {number: Position(identity, end, 0.0) for number, end in ends.items()}, _wall())
    return Restored(records, time.monotonic() - started, tuple(wiped))


def seal(stores: Mapping[int, Restorable], loaded: Iterable[int], ends: Mapping[int, Position], now: float) -> None:
    """Make what was loaded last, and note that all are whole as of now, also where nothing was read.

    In this order: the note goes to the store's own log and what was loaded does not, so before the flush a kill would
    leave the position of rows that are gone. ends: of stores without a position. now: seconds since 1970.
    """
    flushed = set(loaded)

    def one(number: int, store: Restorable) -> None:
        if number in flushed:
            store.flush()
        store.fold({}, replace(store.position() or ends[number], written_at=now))

    with a_thread_each(stores) as threads:
        list(threads.map(one, stores.keys(), stores.values()))


def _planned(
    settings: ClusterSettings, topic: str, stores: Mapping[int, Restorable], identity: str
) -> tuple[dict[int, int], list[int]]:
    """Wipe the stores that are not usable; return the changelog's end by partition, and which were wiped."""
    asker = Consumer(uncommitted_consumer_config(settings))

    def one(number: int, store: Restorable) -> tuple[int, bool]:
        first, end = bounds(asker, TopicPartition(topic, number))
        found = store.position()
        is_wiped = found is not None and reason_to_wipe(found, identity, first, end, _wall()) is not None
        if is_wiped:
            store.wipe()
        if store.position() is None:
            store.fold({}, Position(identity, first, _wall()))
        return end, is_wiped

    try:
        with a_thread_each(stores) as threads:
            found = dict(zip(stores, threads.map(one, stores.keys(), stores.values()), strict=True))
    finally:
        asker.close()
    return {number: end for number, (end, _) in found.items()}, [
        number for number, (_, wiped) in found.items() if wiped
    ]


@dataclass(frozen=True, slots=True)
class _Reading:
    reader: Consumer
    loading: Loading
    ends: Mapping[int, int]
    identity: str
    row: Callable[[Incoming], Row | None]

    def finish(self, unread: set[int], is_stopping: Callable[[], bool], on_progress: Callable[[], None]) -> int:
        total = 0
        moved_at = time.monotonic()
        while unread:
            if is_stopping():
                raise Stopped()
            read = self._chunk(unread)
            on_progress()
            total += read
            if read:
                moved_at = time.monotonic()
            elif time.monotonic() - moved_at > STALLED_SECONDS:
                raise RestoreStalled(
                    f"Partitions {sorted(unread)} of {self.reader.assignment()[0].topic} could not be read to their "
                    f"end in {STALLED_SECONDS:.0f} s: an open transaction holds them, or the broker does not answer."
                )
        self.loading.finish()
        return total

    def _chunk(self, unread: set[int]) -> int:
        """Read once and begin to write; take partitions that are at their end out of `unread`. Returns the records."""
        rows: defaultdict[int, list[Row]] = defaultdict(list)
        nexts: dict[int, int] = {}
        row = self.row
        messages = received(self.reader, CHUNK, POLL_SECONDS)
        for message in messages:
            number = message.partition()
            error = message.error()
            if error is None:
                nexts[number] = message.offset() + 1
                kept = row(message)
                if kept is not None:
                    rows[number].append(kept)
            elif error.code() != KafkaError._PARTITION_EOF:
                raise KafkaException(error)
            elif message.offset() < self.ends[number]:
                log.info("restore.waiting", topic=message.topic(), partition=number, stable=message.offset())
            else:
                # The offset of the end of a partition is the last stable one: `position()` doesn't tell.
                unread.discard(number)
        wall = _wall()
        self.loading.begin(rows, {number: Position(self.identity, offset, wall) for number, offset in nexts.items()})
        return len(messages)


def _next_offset(store: Restorable, identity: str) -> int:
    found = store.position()
    assert found is not None and found.topic_id == identity
    return found.next_offset


def _wall() -> float:
    return datetime.now(UTC).timestamp()
