"""Reading the topics into the store on a thread of its own, read_committed, in no consumer group.

The store knows how far it read (rows and positions are one commit), so nothing is committed to Kafka: a start goes on
at the stored positions, and a new file begins at the beginning. docs/decisions/0130 says why this is not Faust.
"""

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import structlog
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition

from streams.board.fold import OF_ASSIGN, TOPICS, Seen, fold
from streams.board.lag import Lag, LagGauge
from streams.board.pruning import Keep, prune
from streams.board.store import Store
from streams.errors import Fatal
from streams.kafka.bounds import bounds
from streams.kafka.config import ClusterSettings, qualified, table_consumer_config

_ASK_SECONDS = 5.0
_POLL_SECONDS = 0.2
_GATHER_SECONDS = 0.1  # after a first record: so long for more, and one commit for all of them
_AT_ONCE = 2_000
# By default a broker answers a fetch at the first byte, so with each transaction of a stage: work that the stages wait
# behind. Pages show one state a second; a board that reads from the start has 64 KiB at once.
_FEW_ANSWERS = {"fetch.min.bytes": 65_536, "fetch.wait.max.ms": 250}
_AGAIN_SECONDS = 0.5
_TURN_SECONDS = 0.002  # between batches while there is more: the pages' thread is let in
_LOOK_SECONDS = 1.0  # how often it looks how much there is still to read
_PRUNE_SECONDS = 30.0
_ALL_HEADERS = "leads.dlq"
_VERSION = "ce_schemaversion"
log = structlog.get_logger()

Place = tuple[str, int]


class Ahead(Fatal):
    """The file is ahead of its topics: they were made anew. The next start discards it and reads from the beginning."""


class Follower:
    """Keeps `store` up to date between `start` and `stop`.

    version: raised with each batch that changed something. failed: set when the fold failed; nothing more is taken, and
    the process is to end. on_passed_over: called with how many records could not be read. keep: for how long what has
    ended still shows. While Kafka is away it tries again twice a second.
    """

    def __init__(self, cluster: ClusterSettings, store: Store, keep: Keep) -> None:
        self.version = 0
        self.on_passed_over: Callable[[int], None] = lambda count: None
        self.gauge = LagGauge()
        self._keep = keep
        self._newest: dict[Place, int] = {}  # when the last record that was read was written, in milliseconds
        self._passed: dict[Place, int] = {}  # how far was read, records and marks that are none of the fold's included
        self._clear: dict[Place, float] = {}  # when there was last nothing more to read
        self._looked = self._pruned = 0.0
        self._loop = asyncio.get_running_loop()
        self.failed: asyncio.Future[None] = self._loop.create_future()
        self._cluster = cluster
        self._store = store
        self._prefix = qualified(cluster.namespace, "")
        self._positions = dict(store.positions())
        self._ends: dict[tuple[str, int], int] = {}
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="board-follower", daemon=True)

    async def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    async def stop(self) -> None:
        """Stop after the batch at hand."""
        self._closed.set()
        await asyncio.to_thread(self._thread.join)

    def behind(self) -> Lag:
        """Return how far behind the store is."""
        return self.gauge.lag()

    def _run(self) -> None:
        while not self._closed.is_set():
            consumer = Consumer(table_consumer_config(self._cluster) | _FEW_ANSWERS | {"error_cb": self._heard})
            try:
                self._follow(consumer)
            except KafkaException as error:
                self.gauge.away()
                log.warning("follower.interrupted", reason=error.args[0].name())
                self._closed.wait(_AGAIN_SECONDS)
            except Exception as error:
                self._loop.call_soon_threadsafe(self.failed.set_exception, error)
                return
            finally:
                consumer.close()

    def _follow(self, consumer: Consumer) -> None:
        self._ends = _ends(consumer, self._prefix)
        for place, reached in self._positions.items():
            if reached > self._ends.get(place, reached):
                self._store.forget()
                raise Ahead
        consumer.assign(
            [
                TopicPartition(self._prefix + topic, number, self._positions.get((topic, number), OFFSET_BEGINNING))
                for topic, number in self._ends
            ]
        )
        self.gauge.back()
        while not self._closed.is_set():
            self._look(consumer)
            self._prune()
            # poll comes back with the first record; consume(n) alone would wait for n of them
            first = consumer.poll(_POLL_SECONDS)
            if first is None:
                continue
            records = self._read([first, *consumer.consume(_AT_ONCE, _GATHER_SECONDS)])
            if records:
                self._take(records)
                self._closed.wait(_TURN_SECONDS)

    def _read(self, messages: Sequence[Message]) -> list[Seen]:
        records = []
        for message in messages:
            topic, partition = (message.topic() or "").removeprefix(self._prefix), message.partition() or 0
            place, offset, error = (topic, partition), message.offset() or 0, message.error()
            if error is None:
                self._newest[place], self._passed[place] = message.timestamp()[1], offset + 1
                key = _bytes(message.key()) or b""
                if topic != "state.assign" or key.startswith(OF_ASSIGN):  # of the rest not even the value is looked at
                    said = _said(message, topic)
                    records.append(Seen(topic, partition, offset, key, _bytes(message.value()), said))
            elif error.code() in (KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE):
                self._begin_at_the_oldest(place)
                raise KafkaException(error)
            elif error.code() == KafkaError._PARTITION_EOF:
                self._passed[place] = offset  # behind the last record there may be a mark of a transaction
            else:
                raise KafkaException(error)
        return records

    def _begin_at_the_oldest(self, place: Place) -> None:
        """Retention has passed the stored position: what is gone is gone, what is kept is read."""
        log.warning("position.passed_by_retention", topic=place[0], partition=place[1])
        self._positions.pop(place, None)

    def _take(self, records: Sequence[Seen]) -> None:
        with self._store.writing() as connection:
            unread = fold(connection, records, self._positions)
        for seen in records:
            place = (seen.topic, seen.partition)
            self._positions[place] = max(self._positions.get(place, 0), seen.offset + 1)
        self.version += 1
        if unread:
            self.on_passed_over(unread)
            log.warning("record.passed_over", count=unread)

    def _look(self, consumer: Consumer) -> None:
        """Once a second, note how much there is to read, and of when the oldest of it is at least."""
        if time.monotonic() < self._looked + _LOOK_SECONDS:
            return
        self._looked = time.monotonic()
        if self.gauge.is_away:
            consumer.list_topics(self._prefix + TOPICS[0], timeout=_ASK_SECONDS)  # raises while nobody answers
            self.gauge.back()
        now, unread, oldest = self.gauge.clock(), 0, []
        for place in self._ends:
            end = consumer.get_watermark_offsets(TopicPartition(self._prefix + place[0], place[1]), cached=True)[1]
            missing = max(0, end - self._at(place))
            unread += missing
            if missing:
                taken = self._newest.get(place, 0) / 1000
                oldest.append(max(self._clear.get(place, 0.0), taken))  # the first unread is not older than either
            else:
                self._clear[place] = now.timestamp()
        known = [at for at in oldest if at]
        self.gauge.note(unread, datetime.fromtimestamp(min(known), UTC) if known else None)
        self.gauge.catching_up = sum(max(0, end - self._at(place)) for place, end in self._ends.items())

    def _at(self, place: Place) -> int:
        return max(self._positions.get(place, 0), self._passed.get(place, 0))

    def _heard(self, error: KafkaError) -> None:
        if error.code() == KafkaError._ALL_BROKERS_DOWN:
            self.gauge.away()

    def _prune(self) -> None:
        """Twice a minute, drop what is past its time; a backlog of it goes in small turns."""
        if time.monotonic() < self._pruned + _PRUNE_SECONDS:
            return
        with self._store.writing() as connection:
            is_done = prune(connection, self.gauge.clock(), self._keep)
        if is_done:
            self._pruned = time.monotonic()


def _ends(consumer: Consumer, prefix: str) -> dict[tuple[str, int], int]:
    ends: dict[tuple[str, int], int] = {}
    for topic in TOPICS:
        found = consumer.list_topics(prefix + topic, timeout=_ASK_SECONDS).topics[prefix + topic]
        if found.error is not None:
            raise KafkaException(found.error)
        for number in found.partitions:
            place = TopicPartition(prefix + topic, number)
            ends[topic, number] = bounds(consumer, place)[1]
    return ends


def _said(message: Message, topic: str) -> dict[str, str]:
    """Return the headers that the fold asks for: all of a dead letter's, of others the schema version alone."""
    headers = message.headers() or []
    pairs = headers.items() if isinstance(headers, dict) else headers
    return {
        name: value.decode(errors="replace")
        for name, value in pairs
        if isinstance(value, bytes) and (name == _VERSION or topic == _ALL_HEADERS)
    }


def _bytes(value: str | bytes | None) -> bytes | None:
    return value.encode() if isinstance(value, str) else value
