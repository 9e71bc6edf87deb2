"""Reading the topics into the store on a thread of its own, read_committed, in no consumer group.

The store knows how far it read (rows and positions are one commit), so nothing is committed to Kafka: a start goes on
at the stored positions, and a new file begins at the beginning. docs/decisions/0130 says why this is not Faust.
"""

import asyncio
import threading
from collections.abc import Sequence

import structlog
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition

from streams.board.fold import TOPICS, Seen, fold
from streams.board.store import Store
from streams.errors import Fatal
from streams.kafka.config import ClusterSettings, qualified, table_consumer_config

_ASK_SECONDS = 5.0
_POLL_SECONDS = 0.2
_GATHER_SECONDS = 0.05  # after a first record: so long for more, and one commit for all of them
_AT_ONCE = 1_000
_AGAIN_SECONDS = 0.5
_TURN_SECONDS = 0.002  # between batches while there is more: the pages' thread is let in
log = structlog.get_logger()


class Ahead(Fatal):
    """The file is ahead of its topics: they were made anew. The next start discards it and reads from the beginning."""


class Follower:
    """Keeps `store` up to date between `start` and `stop`.

    version: raised with each batch that changed something. failed: set when the fold failed; nothing more is taken, and
    the process is to end. unread: records passed over. While Kafka is away it tries again twice a second.
    """

    def __init__(self, cluster: ClusterSettings, store: Store) -> None:
        self.version = 0
        self.unread = 0
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

    async def behind(self) -> int:
        """Return how many offsets are still to be read to where the topics ended when reading began."""
        return sum(max(0, end - self._positions.get(place, 0)) for place, end in self._ends.items())

    def _run(self) -> None:
        while not self._closed.is_set():
            consumer = Consumer(table_consumer_config(self._cluster))
            try:
                self._follow(consumer)
            except KafkaException as error:
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
        while not self._closed.is_set():
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
            error = message.error()
            if error is None:
                records.append(_seen(message, self._prefix))
            elif error.code() in (KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE):
                self._begin_at_the_oldest(message)
                raise KafkaException(error)
            elif error.code() != KafkaError._PARTITION_EOF:
                raise KafkaException(error)
        return records

    def _begin_at_the_oldest(self, message: Message) -> None:
        """Retention has passed the stored position: what is gone is gone, what is kept is read."""
        place = ((message.topic() or "").removeprefix(self._prefix), message.partition() or 0)
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
            self.unread += unread
            log.warning("record.passed_over", count=unread)


def _ends(consumer: Consumer, prefix: str) -> dict[tuple[str, int], int]:
    ends: dict[tuple[str, int], int] = {}
    for topic in TOPICS:
        found = consumer.list_topics(prefix + topic, timeout=_ASK_SECONDS).topics[prefix + topic]
        if found.error is not None:
            raise KafkaException(found.error)
        for number in found.partitions:
            place = TopicPartition(prefix + topic, number)
            ends[topic, number] = consumer.get_watermark_offsets(place, timeout=_ASK_SECONDS, cached=False)[1]
    return ends


def _seen(message: Message, prefix: str) -> Seen:
    headers = message.headers() or []
    pairs = headers.items() if isinstance(headers, dict) else headers
    said = {name: value.decode(errors="replace") for name, value in pairs if isinstance(value, bytes)}
    topic = (message.topic() or "").removeprefix(prefix)
    return Seen(
        topic,
        message.partition() or 0,
        message.offset() or 0,
        _bytes(message.key()) or b"",
        _bytes(message.value()),
        said,
    )


def _bytes(value: str | bytes | None) -> bytes | None:
    return value.encode() if isinstance(value, str) else value
