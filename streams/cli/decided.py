"""Waiting for the decision on a lead that was just sent."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from schemas.decision import Decision
from streams.cli.records import partition_count
from streams.kafka.bounds import bounds
from streams.kafka.config import ClusterSettings, qualified, table_consumer_config


@contextmanager
def wait_for_decision(
    settings: ClusterSettings, event_id: str, seconds: float
) -> Iterator[Callable[[], Decision | None]]:
    """Yield a function that returns the first decision on the lead of `event_id` made from now on, or None in time.

    Enter before the lead is sent: what is decided before is not looked at.
    """
    full = qualified(settings.namespace, "leads.assigned")
    consumer = Consumer(table_consumer_config(settings))
    try:
        if seconds > 0:
            partitions = [TopicPartition(full, n) for n in range(partition_count(settings, "leads.assigned"))]
            for partition in partitions:
                _, partition.offset = bounds(consumer, partition)
            consumer.assign(partitions)
        yield lambda: _first(consumer, event_id, time.monotonic() + seconds)
    finally:
        consumer.close()


def _first(consumer: Consumer, event_id: str, deadline: float) -> Decision | None:
    while time.monotonic() < deadline:
        for message in consumer.consume(100, 0.1):
            error = message.error()
            if error is not None and error.code() != KafkaError._PARTITION_EOF:
                raise KafkaException(error)
            value = message.value()
            if error is None and value is not None and event_id.encode() in value:
                decision = Decision.model_validate_json(value)
                if decision.lead.event_id == event_id:
                    return decision
    return None
