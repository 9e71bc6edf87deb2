"""One transaction: records and input offsets together or not at all. Any doubt ends the process."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition

from streams.errors import Fatal
from streams.fault import FaultName, FaultPoint
from streams.kafka.config import TRANSACTION_TIMEOUT_MS
from streams.message import KafkaFailed, failure
from streams.watchdog import Watchdog

PARTITION_BY_KEY = -1
# After the transaction's own timeout there is nothing left to add offsets to. (The -1 of a commit means just that.)
OFFSETS_SECONDS = TRANSACTION_TIMEOUT_MS / 1_000
# With the broker killed and started again, the offsets call may never return, whatever its timeout (decision 0002).
HUNG_SECONDS = 2 * OFFSETS_SECONDS


Headers = list[tuple[str, str | bytes | None]]


class Record(NamedTuple):
    """A record to write. topic: full name. partition: PARTITION_BY_KEY, or its number."""

    topic: str
    key: bytes | str | None
    value: bytes | None
    headers: Headers | None
    partition: int


Row = tuple[str, bytes | str | None, bytes | None, Headers | None, int]
"""A `Record`, or a plain tuple of the same: half the time to make."""


def nothing() -> None:
    """Do nothing, while the records are on their way."""


class RecordTooLarge(Exception):
    """A record of this transaction is larger than the producer takes. index: its place in the records."""

    def __init__(self, index: int) -> None:
        super().__init__(f"record {index} is too large")
        self.index = index


class NoOffset(Fatal):
    """A transaction without a valid input offset was refused: it would fence nobody and could repeat its input."""


class Transactor:
    """Runs transactions of one slot's producer, with offsets of one subscribed consumer.

    Every method raises KafkaFailed or SlotTaken; both end the process.
    """

    def __init__(self, producer: Producer, consumer: Consumer, fault: FaultPoint | None = None) -> None:
        self._producer = producer
        self._consumer = consumer
        self._fault = fault
        self._delivered: dict[int, int] = {}
        self._refused: KafkaError | None = None
        self._watchdog = Watchdog("A transaction", HUNG_SECONDS)

    def run(
        self,
        records: Sequence[Row],
        offsets: Sequence[TopicPartition],
        changelog: Mapping[int, Sequence[Record]],
        meanwhile: Callable[[], None] = nothing,
    ) -> dict[int, int]:
        """Commit `records`, changelog records by partition and `offsets` (next to read, each with a valid one).

        meanwhile: called while the records are on their way; what it raises ends the process, and nothing is committed.
        Returns, per changelog partition that was written, the offset after its last record.
        Raises NoOffset, and RecordTooLarge (index into records, then changelog by partition) with nothing written.
        """
        if not offsets or any(offset.offset < 0 for offset in offsets):
            raise NoOffset()
        self._watchdog.begin()
        try:
            return self._run(records, offsets, changelog, meanwhile)
        finally:
            self._watchdog.end()

    def poll(self) -> None:
        """Let the producer call back: errors, statistics."""
        self._producer.poll(0)

    def _run(
        self,
        records: Sequence[Row],
        offsets: Sequence[TopicPartition],
        changelog: Mapping[int, Sequence[Record]],
        meanwhile: Callable[[], None],
    ) -> dict[int, int]:
        self._delivered = {}
        self._guarded("beginning a transaction", self._producer.begin_transaction)
        self._write(records, changelog)
        meanwhile()
        self._guarded(
            "sending offsets",
            lambda: self._producer.send_offsets_to_transaction(
                list(offsets), self._consumer.consumer_group_metadata(), OFFSETS_SECONDS
            ),
        )
        if self._fault is not None:  # so that the named point is one: every record is in the log, none committed
            self._producer.flush(OFFSETS_SECONDS)
        self._at(FaultName.AFTER_PRODUCE)
        self._at(FaultName.INSIDE_COMMIT)
        self._guarded("committing", lambda: self._producer.commit_transaction(-1))
        self._producer.poll(0)
        if self._refused is not None or self._delivered.keys() != changelog.keys():
            raise KafkaFailed("Kafka committed a transaction but did not say where its changelog records are.")
        self._at(FaultName.AFTER_COMMIT_BEFORE_FOLD)
        return self._delivered

    def _write(self, records: Sequence[Row], changelog: Mapping[int, Sequence[Record]]) -> None:
        index = 0
        try:
            produce = self._producer.produce
            for topic, key, value, headers, partition in records:
                try:
                    produce(topic, value, key, partition, headers=headers)
                except BufferError:
                    self._waited(topic, value, key, partition, headers, None)
                index += 1
            for rows in changelog.values():
                last = len(rows) - 1
                for place, (topic, key, value, headers, partition) in enumerate(rows):
                    told = self._note if place == last else None
                    try:
                        produce(topic, value, key, partition, on_delivery=told)
                    except BufferError:
                        self._waited(topic, value, key, partition, headers, told)
                    index += 1
        except KafkaException as error:
            if error.args[0].code() != KafkaError.MSG_SIZE_TOO_LARGE:
                raise failure(error.args[0], "producing") from error
            self._guarded("taking a transaction back", self._producer.abort_transaction)
            raise RecordTooLarge(index) from error

    def _waited(
        self,
        topic: str,
        value: bytes | None,
        key: bytes | str | None,
        partition: int,
        headers: Headers | None,
        told: Callable[[KafkaError | None, Message], None] | None,
    ) -> None:
        """Produce once the queue has room: a large batch may be ahead of the network."""
        while True:
            self._producer.poll(0.05)
            try:
                return self._producer.produce(topic, value, key, partition, headers=headers, on_delivery=told)
            except BufferError:
                continue

    def _note(self, error: KafkaError | None, message: Message) -> None:
        if error is not None:
            self._refused = error
        else:
            self._delivered[message.partition()] = message.offset() + 1  # type: ignore[index, operator]

    def _guarded(self, what: str, step: Callable[[], object]) -> None:
        try:
            step()
        except KafkaException as error:
            raise failure(error.args[0], what) from error

    def _at(self, name: FaultName) -> None:
        if self._fault is not None:
            self._fault.passes(name)
