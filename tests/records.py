"""Writing and reading topics from outside, as any Kafka client would, for what tests assert."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Producer, TopicPartition

from streams.kafka.config import (
    ClusterSettings,
    LibrdkafkaConfig,
    plain_producer_config,
    qualified,
    table_consumer_config,
    to_end_consumer_config,
)
from streams.message import Incoming, arrived

READ_SECONDS = 240.0
READ_LIMIT = 1_000
IDLE_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Record:
    """One record. topic: logical name. Headers as text. timestamp_ms: Kafka's."""

    topic: str
    partition: int
    offset: int
    key: str | None
    value: bytes | None
    headers: Mapping[str, str]
    timestamp_ms: int

    @property
    def json(self) -> Any:
        return orjson.loads(self.value or b"null")


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One record to write. value: bytes as they are, None a tombstone, anything else as JSON."""

    key: str | None
    value: Any
    headers: Mapping[str, str] = field(default_factory=dict)
    partition: int | None = None


@dataclass(frozen=True, slots=True)
class Records:
    """The records of a namespace, written with acknowledgement and read as read_committed readers see them."""

    settings: ClusterSettings

    def write(self, topic: str, records: Iterable[Outgoing]) -> None:
        """Write `records` in order and return when all are acknowledged. Raises KafkaException on the first refusal."""
        with self.writing() as write:
            write(topic, records)

    @contextmanager
    def writing(self) -> Iterator[Callable[[str, Iterable[Outgoing]], None]]:
        """Yield what does as `write` does, again and again over one connection."""
        producer = Producer(plain_producer_config(self.settings))
        refused: list[KafkaError] = []

        def write(topic: str, records: Iterable[Outgoing]) -> None:
            for record in records:
                value = record.value
                producer.produce(
                    qualified(self.settings.namespace, topic),
                    key=record.key,
                    value=value if isinstance(value, bytes | None) else orjson.dumps(value),
                    headers=dict(record.headers),
                    partition=-1 if record.partition is None else record.partition,
                    on_delivery=lambda error, _: refused.append(error) if error else None,
                )
                producer.poll(0)
            left = producer.flush(READ_SECONDS)
            if refused:
                raise KafkaException(refused[0])
            assert not left, f"{topic}: {left} records not acknowledged in {READ_SECONDS} s"

        yield write

    def read_all(self, *topics: str, seconds: float = READ_SECONDS) -> list[Record]:
        """Return every committed record there is now, per partition in order, up to the last stable offset."""
        deadline = time.monotonic() + seconds
        found: list[Record] = []
        with self._reading(topics, to_end_consumer_config(self.settings)) as (consumer, partitions):
            open_ends = set(partitions)
            while open_ends:
                for message in arrived(consumer, READ_LIMIT, IDLE_SECONDS):
                    if (error := message.error()) is None:
                        found.append(self._record(message))
                    elif error.code() == KafkaError._PARTITION_EOF:
                        open_ends.discard((message.topic(), message.partition()))
                    else:
                        raise KafkaException(error)
                if open_ends and time.monotonic() > deadline:
                    raise AssertionError(f"no end of {sorted(open_ends)} after {seconds} s; {len(found)} records read")
        return found

    def read_until(
        self, topics: Sequence[str], condition: Callable[[list[Record]], bool], seconds: float = READ_SECONDS
    ) -> list[Record]:
        """Return the committed records from the first on, as soon as `condition` holds for all read so far.

        Raises AssertionError with what was read when it does not within `seconds`.
        """
        deadline = time.monotonic() + seconds
        found: list[Record] = []
        with self._reading(topics, table_consumer_config(self.settings)) as (consumer, _):
            while True:
                is_last = time.monotonic() > deadline
                if condition(found):
                    break
                if is_last:
                    last = [(record.topic, record.partition, record.offset, record.key) for record in found[-5:]]
                    raise AssertionError(f"{topics}: not seen in {seconds} s; {len(found)} records read, last {last}")
                for message in arrived(consumer, READ_LIMIT, IDLE_SECONDS):
                    if (error := message.error()) is None:
                        found.append(self._record(message))
                    elif error.code() != KafkaError._PARTITION_EOF:
                        raise KafkaException(error)
        return found

    @contextmanager
    def _reading(
        self, topics: Sequence[str], config: LibrdkafkaConfig
    ) -> Iterator[tuple[Consumer, set[tuple[str, int]]]]:
        consumer = Consumer(config)
        try:
            known = consumer.list_topics(timeout=READ_SECONDS).topics
            partitions = {
                (full, partition)
                for full in (qualified(self.settings.namespace, topic) for topic in topics)
                for partition in known[full].partitions
            }
            consumer.assign([TopicPartition(*partition, OFFSET_BEGINNING) for partition in sorted(partitions)])
            yield consumer, partitions
        finally:
            consumer.close()

    def _record(self, message: Incoming) -> Record:
        prefix = qualified(self.settings.namespace, "")
        key = message.key()
        return Record(
            message.topic().removeprefix(prefix),
            message.partition(),
            message.offset(),
            None if key is None else key.decode(),
            message.value(),
            {name: (value or b"").decode() for name, value in message.headers() or ()},
            message.timestamp()[1],
        )
