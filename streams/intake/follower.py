"""Following the roster and the decisions on a thread of its own, read_committed, in no consumer group."""

import threading
import time
from types import TracebackType

import structlog
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition

from schemas.poison import Poison
from schemas.wire import NewerSchema, decode
from streams.intake.decisions import Decisions
from streams.intake.roster import Roster
from streams.kafka.bounds import bounds
from streams.kafka.config import ClusterSettings, qualified, table_consumer_config

_ASK_SECONDS = 5.0
_POLL_SECONDS = 0.2
_AGAIN_SECONDS = 0.5
_BACK_SECONDS = 60.0
_AT_ONCE = 500

log = structlog.get_logger()


class Follower:
    """Keeps `roster` whole from the beginning of `reps`, `decisions` from a minute ago on. Use as a context manager.

    It never stops the intake: while Kafka is away it tries again twice a second, and then goes back to a minute before
    it lost the thread, so that no decision is missed in between.
    """

    def __init__(self, cluster: ClusterSettings, roster: Roster, decisions: Decisions) -> None:
        self._cluster = cluster
        self._roster = roster
        self._decisions = decisions
        self._reps = qualified(cluster.namespace, "reps")
        self._assigned = qualified(cluster.namespace, "leads.assigned")
        self._followed_at = time.time()  # Kafka's timestamps are wall time
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="intake-follower", daemon=True)

    def __enter__(self) -> "Follower":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closed.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._closed.is_set():
            consumer = Consumer(table_consumer_config(self._cluster))
            try:
                self._follow(consumer)
            except KafkaException as error:
                log.warning("follower.interrupted", reason=error.args[0].name())
                self._closed.wait(_AGAIN_SECONDS)
            finally:
                consumer.close()

    def _follow(self, consumer: Consumer) -> None:
        reps = [TopicPartition(self._reps, number, OFFSET_BEGINNING) for number in _numbers(consumer, self._reps)]
        recent = self._recent(consumer)
        consumer.assign(reps + recent)
        consumer.pause(recent)  # until the roster is whole: who waits for a decision is told its rep
        unread = {one.partition for one in reps}
        while not self._closed.is_set():
            # poll comes back with the first record; consume(n) alone would wait for n of them
            first = consumer.poll(_POLL_SECONDS)
            for message in ([first] if first is not None else []) + consumer.consume(_AT_ONCE, 0):
                error = message.error()
                if error is None:
                    self._take(message)
                elif error.code() != KafkaError._PARTITION_EOF:
                    raise KafkaException(error)
                elif message.topic() == self._reps:
                    unread.discard(message.partition() or 0)
            if not unread and recent:
                self._roster.is_complete = True
                consumer.resume(recent)
                recent = []
            self._followed_at = time.time()

    def _recent(self, consumer: Consumer) -> list[TopicPartition]:
        """Return where the decisions of a minute before `_followed_at` begin."""
        since = int((self._followed_at - _BACK_SECONDS) * 1_000)
        numbers = _numbers(consumer, self._assigned)
        # The ends first: a partition without such a record begins there, and what comes meanwhile is behind it.
        ends = {number: bounds(consumer, TopicPartition(self._assigned, number))[1] for number in numbers}
        asked = [TopicPartition(self._assigned, number, since) for number in numbers]
        for one in (found := consumer.offsets_for_times(asked, timeout=_ASK_SECONDS)):
            if one.error is not None:
                raise KafkaException(one.error)
            if one.offset < 0:
                one.offset = ends[one.partition]
        return found

    def _take(self, message: Message) -> None:
        """Take one record in. One that cannot be read is passed over: the stages have it set aside and told."""
        key, value = message.key() or b"", message.value()
        try:
            if message.topic() == self._reps:
                raw = value.encode() if isinstance(value, str) else value
                self._roster.put(key.decode() if isinstance(key, bytes) else key, decode("rep.put", 1, raw))
            elif value is not None:
                self._decisions.put(value.encode() if isinstance(value, str) else value)
        except (Poison, NewerSchema, ValueError, KeyError) as error:
            log.warning("record.passed_over", topic=message.topic(), reason=type(error).__name__)


def _numbers(consumer: Consumer, topic: str) -> tuple[int, ...]:
    found = consumer.list_topics(topic, timeout=_ASK_SECONDS).topics[topic]
    if found.error is not None:
        raise KafkaException(found.error)
    return tuple(found.partitions)
