"""Decisions read back from leads.assigned, where the board noted them: the log holds their traces, not the file."""

import threading
import time
from collections.abc import Iterator, Sequence

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from schemas.decision import Decision
from streams.kafka.config import ClusterSettings, qualified, table_consumer_config

_SECONDS = 5.0
_NEAR = 200  # offsets: so near the next one, it is read on to; farther, it is sought
_SMALL = {"fetch.message.max.bytes": 65_536, "queued.min.messages": 1, "fetch.queue.backoff.ms": 1}
_GONE = (KafkaError._PARTITION_EOF, KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE)


class DecisionLog:
    """Reads single decisions. One consumer, made at the first question and kept: a connection takes longer than a read.

    For any thread; one question at a time.
    """

    def __init__(self, cluster: ClusterSettings) -> None:
        self._cluster = cluster
        self._topic = qualified(cluster.namespace, "leads.assigned")
        self._lock = threading.Lock()
        self._consumer: Consumer | None = None

    def decisions_at(self, places: Sequence[tuple[int, int]]) -> list[Decision]:
        """Return the decisions at (partition, offset), those that the topic still keeps.

        Raises KafkaException, also where Kafka gives no answer within 5 s.
        """
        with self._lock:
            if self._consumer is None:
                self._consumer = Consumer(table_consumer_config(self._cluster) | _SMALL)
            try:
                found = list(self._each(self._consumer, places, time.monotonic() + _SECONDS))
                self._consumer.unassign()
                return found
            except KafkaException:
                self._close()
                raise

    def close(self) -> None:
        with self._lock:
            self._close()

    def _close(self) -> None:
        if self._consumer is not None:
            self._consumer.close()
            self._consumer = None

    def _each(self, consumer: Consumer, places: Sequence[tuple[int, int]], deadline: float) -> Iterator[Decision]:
        at: tuple[int, int] | None = None  # where the consumer stands
        for partition, offset in places:
            if at is None or at[0] != partition or not at[1] <= offset <= at[1] + _NEAR:
                consumer.assign([TopicPartition(self._topic, partition, offset)])
            value = _value_at(consumer, offset, deadline)
            at = (partition, offset + 1) if value is not None else None
            if value is not None:
                yield Decision.model_validate_json(value)


def _value_at(consumer: Consumer, offset: int, deadline: float) -> bytes | None:
    """Return the value at an offset that the consumer stands before; None where it is gone."""
    while True:
        message = consumer.poll(max(0.0, deadline - time.monotonic()))
        if message is None:  # time is up
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT))
        error = message.error()
        if error is not None:
            if error.code() in _GONE:
                return None
            raise KafkaException(error)
        reached = message.offset() or 0
        if reached >= offset:
            value = message.value()
            return value if reached == offset and isinstance(value, bytes) else None
