"""Reading a topic as it is now, as a read_committed reader sees it, and finding the partition of a key.

What cannot be read is passed over as the stages pass it over, and told on stderr: one bad record on a topic must not
keep an operator from the others.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, TypeVar

import typer
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Producer, TopicPartition

from schemas.poison import Poison
from schemas.topics import TOPICS
from schemas.wire import NewerSchema, decode, said_version
from streams.errors import Fatal, Retryable
from streams.kafka.cluster import ADMIN_SECONDS, unanswered
from streams.kafka.config import ClusterSettings, qualified, to_end_consumer_config
from streams.message import Incoming, arrived

_STALL_SECONDS = 30.0

T = TypeVar("T")


class TopicMissing(Retryable):
    """The topic is not on the cluster. `leadstream topics create` makes all of them."""


class NotAllowed(Fatal):
    """The Kafka user lacks a right."""


class ReadStalled(Retryable):
    """The cluster stopped answering in the middle of a topic. Run `leadstream doctor`, then try again."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record. topic: logical name. headers: in order, bytes as they are. at: Kafka's timestamp, UTC.

    model: what the value says, by its type; of the records of `latest` alone.
    """

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]
    at: datetime
    model: Any = None

    @property
    def place(self) -> str:
        return f"{self.topic}/{self.partition}/{self.offset}"

    @property
    def key_text(self) -> str:
        return (self.key or b"").decode(errors="replace")

    def header(self, name: str) -> str:
        """Return a header as text, "" where it is not there."""
        return next((value.decode(errors="replace") for key, value in self.headers if key == name and value), "")


def read(settings: ClusterSettings, topic: str, partitions: Sequence[int] | None = None) -> Iterator[Record]:
    """Yield every committed record there is now, per partition in order. partitions: all where None.

    Raises ClusterUnreachable, TopicMissing, ReadStalled.
    """
    wanted = range(partition_count(settings, topic)) if partitions is None else partitions
    yield from read_from(settings, topic, dict.fromkeys(wanted, OFFSET_BEGINNING))


def read_from(settings: ClusterSettings, topic: str, offsets: Mapping[int, int]) -> Iterator[Record]:
    """Yield as `read`, from these offsets on. offsets: partition -> first offset to read."""
    full = qualified(settings.namespace, topic)
    consumer = Consumer(to_end_consumer_config(settings))
    try:
        consumer.assign([TopicPartition(full, partition, offset) for partition, offset in offsets.items()])
        waiting = set(offsets)
        deadline = time.monotonic() + _STALL_SECONDS
        while waiting:
            messages = arrived(consumer, 1_000, 0.2)
            if messages:
                deadline = time.monotonic() + _STALL_SECONDS
            elif time.monotonic() > deadline:
                raise ReadStalled
            for message in messages:
                error = message.error()
                if error is None:
                    yield _record(topic, message)
                elif error.code() == KafkaError._PARTITION_EOF:
                    waiting.discard(message.partition())
                else:
                    raise KafkaException(error)
    finally:
        consumer.close()


def read_since(settings: ClusterSettings, topic: str, since: datetime) -> Iterator[Record]:
    """Yield as `read`, the records that Kafka took at `since` or later."""
    full = qualified(settings.namespace, topic)
    consumer = Consumer(to_end_consumer_config(settings))
    try:
        asked = [
            TopicPartition(full, number, int(since.timestamp() * 1_000))
            for number in range(partition_count(settings, topic))
        ]
        found = consumer.offsets_for_times(asked, timeout=ADMIN_SECONDS)
    finally:
        consumer.close()
    yield from read_from(settings, topic, {one.partition: one.offset for one in found})


def latest(settings: ClusterSettings, topic: str) -> dict[str, Record]:
    """Return key -> last record of a compacted topic with its model, removed keys left out."""
    return table_of(read(settings, topic))


def table_of(records: Iterable[Record]) -> dict[str, Record]:
    """Return as `latest`. After a record that cannot be read the value before stands, as it does for the stages."""
    table: dict[str, Record] = {}
    for record, model in readable(records):
        if model is None:
            table.pop(record.key_text, None)
        else:
            table[record.key_text] = replace(record, model=model)
    return table


def parsed(records: Iterable[Record], model: type[T]) -> Iterator[tuple[Record, T]]:
    """Yield each record that is a `model`, with it; as `readable`."""
    return ((record, value) for record, value in readable(records) if isinstance(value, model))


def readable(
    records: Iterable[Record], parser: Callable[[bytes], Any] | None = None
) -> Iterator[tuple[Record, Any | None]]:
    """Yield each record with what its value says, None for a tombstone; tell of those that cannot be read.

    parser: of one who wants another form of the value than the model of its type; may raise Poison.
    """
    passed_over: list[str] = []
    for record in records:
        try:
            yield record, _said(record, parser)
        except (Poison, NewerSchema) as error:
            passed_over.append(f"{record.place}: {error}")
    if passed_over:
        typer.secho(f"Passed over {len(passed_over)} unreadable, the first {passed_over[0]}.", err=True, fg="yellow")


def _said(record: Record, parser: Callable[[bytes], Any] | None) -> Any:
    types = TOPICS[record.topic].types
    event_type = record.header("ce_type") or types[0]
    if event_type not in types:
        raise Poison(f"type {event_type[:60]!r} has no place on {record.topic}")
    return decode(event_type, said_version(record.header("ce_schemaversion") or "1"), record.value, parser)


def partition_count(settings: ClusterSettings, topic: str) -> int:
    """Return how many partitions the topic has. Raises ClusterUnreachable, TopicMissing, NotAllowed."""
    consumer = Consumer(to_end_consumer_config(settings))
    try:
        return partitions_of(consumer, settings, topic)
    finally:
        consumer.close()


def partitions_of(client: Consumer | Producer, settings: ClusterSettings, topic: str) -> int:
    """Return as `partition_count`, asked over a connection that there is."""
    full = qualified(settings.namespace, topic)
    try:
        metadata = client.list_topics(full, timeout=ADMIN_SECONDS).topics[full]
    except KafkaException as error:
        raise unanswered(settings, error) from error
    if metadata.error is not None and metadata.error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED:
        raise NotAllowed(
            f"This Kafka user may not see topic {full}. Allow it to describe, read and write what it needs."
        )
    if metadata.error is not None or not metadata.partitions:
        raise TopicMissing(f"Topic {full} is not on the cluster. `leadstream topics create` makes all of them.")
    return len(metadata.partitions)


def _record(topic: str, message: Incoming) -> Record:
    return Record(
        topic,
        message.partition(),
        message.offset(),
        message.key(),
        message.value(),
        tuple(message.headers() or ()),
        datetime.fromtimestamp(message.timestamp()[1] / 1_000, UTC),
    )
