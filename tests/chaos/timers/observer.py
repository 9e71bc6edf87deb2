"""Sees wake-ups come, as a read_committed reader does, and says when."""

import threading
import time
from collections.abc import Callable
from datetime import datetime
from types import TracebackType
from typing import Any

import orjson
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition

from streams.kafka.config import ClusterSettings, qualified, table_consumer_config
from tests.chaos.timers.laws import Fire

TOPIC = "leads.scored"
# What a broker that is away, or just back, answers; the reader asks again by itself.
PASSING = (
    KafkaError._PARTITION_EOF,
    KafkaError._TRANSPORT,
    KafkaError._ALL_BROKERS_DOWN,
    KafkaError.UNKNOWN_TOPIC_OR_PART,
    KafkaError.LEADER_NOT_AVAILABLE,
    KafkaError.NOT_LEADER_FOR_PARTITION,
)


class Observer:
    """Reads leads.scored on a thread of its own while the block runs; `fires` grows. on_fire: called on that thread."""

    def __init__(self, cluster: ClusterSettings, on_fire: Callable[[Fire], None]) -> None:
        self.fires: list[Fire] = []
        self._topic = qualified(cluster.namespace, TOPIC)
        self._consumer = Consumer(table_consumer_config(cluster))
        self._on_fire = on_fire
        self._failed: BaseException | None = None
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="observer", daemon=True)

    def __enter__(self) -> "Observer":
        known = self._consumer.list_topics(self._topic, timeout=60).topics[self._topic]
        self._consumer.assign([TopicPartition(self._topic, number, OFFSET_BEGINNING) for number in known.partitions])
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ending.set()
        self._thread.join(120)
        self._consumer.close()

    def check(self) -> None:
        """Raise what ended the reader."""
        if self._failed is not None:
            raise self._failed

    def _watch(self) -> None:
        try:
            while not self._ending.is_set():
                messages = self._consumer.consume(1_000, 0.05)
                seen_at = time.time()
                for message in messages:
                    error = message.error()
                    if error is None:
                        self._take(message, seen_at)
                    elif error.code() not in PASSING:
                        raise KafkaException(error)
        except BaseException as error:
            self._failed = error

    def _take(self, message: Any, seen_at: float) -> None:
        said = orjson.loads(message.value())
        due_at = datetime.fromisoformat(said["due_at"]).timestamp()
        fire = Fire(said["waker"], due_at, message.timestamp()[1] / 1_000, seen_at)
        self.fires.append(fire)
        self._on_fire(fire)
