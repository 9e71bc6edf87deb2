"""Decisions read back from leads.assigned, where the board noted them: the log holds their traces, not the file."""

import time
from collections.abc import Sequence

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from schemas.decision import Decision
from streams.kafka.config import ClusterSettings, qualified, table_consumer_config

MOST = 60  # decisions of one lead, the latest
_SECONDS = 5.0


def decisions_at(cluster: ClusterSettings, places: Sequence[tuple[int, int]]) -> list[Decision]:
    """Return the decisions at (partition, offset), those that the topic still keeps and Kafka gave within 5 s."""
    full = qualified(cluster.namespace, "leads.assigned")
    deadline = time.monotonic() + _SECONDS
    consumer = Consumer(table_consumer_config(cluster))
    try:
        found = (_at(consumer, full, partition, offset, deadline) for partition, offset in places[-MOST:])
        return [decision for decision in found if decision is not None]
    finally:
        consumer.close()


def _at(consumer: Consumer, topic: str, partition: int, offset: int, deadline: float) -> Decision | None:
    consumer.assign([TopicPartition(topic, partition, offset)])
    while time.monotonic() < deadline:
        message = consumer.poll(0.1)
        if message is None:
            continue
        error = message.error()
        if error is not None:
            if error.code() in (
                KafkaError._PARTITION_EOF,
                KafkaError._AUTO_OFFSET_RESET,
                KafkaError.OFFSET_OUT_OF_RANGE,
            ):
                return None
            raise KafkaException(error)
        value = message.value()
        return Decision.model_validate_json(value) if message.offset() == offset and value is not None else None
    return None
