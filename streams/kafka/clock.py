"""The broker's clock against ours: deadlines are computed by one and records stamped by the other."""

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from confluent_kafka import KafkaException, Producer
from confluent_kafka.admin import AdminClient, NewTopic

from streams.kafka.cluster import ADMIN_SECONDS, ClusterUnreachable
from streams.kafka.config import ClusterSettings, admin_config, plain_producer_config, qualified
from streams.kafka.finding import Finding, Severity

# Timers fire within a second of due: a larger difference is visible in what people are told.
TOLERATED_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class ClockDifference:
    """ahead_seconds: broker's clock minus ours. uncertainty_seconds: the real value is at most this far from it."""

    ahead_seconds: float
    uncertainty_seconds: float


def measure(settings: ClusterSettings) -> ClockDifference:
    """Return how far the clock of one broker is ahead of this machine's.

    Kafka tells its time only by stamping a record, so this makes a topic, writes one record and removes the topic:
    for `doctor`, not for a stage's start. Raises ClusterUnreachable.
    """
    try:
        with _stamping_topic(settings) as topic:
            producer = Producer(plain_producer_config(settings))
            _stamped(producer, topic)  # the first one also connects and looks the partition up
            before = time.time()
            stamp = _stamped(producer, topic)
            after = time.time()
    except KafkaException as error:
        raise ClusterUnreachable(f"The clock of {settings.bootstrap} can't be read: {error.args[0].str()}.") from error
    return ClockDifference(stamp - (before + after) / 2, (after - before) / 2)


def clock_findings(difference: ClockDifference) -> tuple[Finding, ...]:
    """Return a finding if the clocks are surely further apart than a second."""
    if abs(difference.ahead_seconds) - difference.uncertainty_seconds <= TOLERATED_SECONDS:
        return ()
    direction = "ahead of" if difference.ahead_seconds > 0 else "behind"
    return (
        Finding(
            Severity.WARNING,
            f"The broker's clock is {abs(difference.ahead_seconds):.1f} s {direction} this machine's: "
            "times of receipt and lateness are off by as much.",
            "Synchronise both with NTP (chrony).",
        ),
    )


@contextmanager
def _stamping_topic(settings: ClusterSettings) -> Iterator[str]:
    admin = AdminClient(admin_config(settings))
    name = qualified(settings.namespace, f"doctor.clock.{uuid.uuid4().hex[:8]}")
    stamping = NewTopic(name, 1, 1, config={"message.timestamp.type": "LogAppendTime"})
    for future in admin.create_topics([stamping], operation_timeout=ADMIN_SECONDS).values():
        future.result()
    try:
        yield name
    finally:
        for future in admin.delete_topics([name], operation_timeout=ADMIN_SECONDS).values():
            future.result()


def _stamped(producer: Producer, topic: str) -> float:
    reports: list[tuple[Any, Any]] = []
    producer.produce(topic, b"", on_delivery=lambda error, message: reports.append((error, message)))
    producer.flush(ADMIN_SECONDS)
    if not reports:
        raise ClusterUnreachable(f"No answer to a record within {ADMIN_SECONDS:.0f} s.")
    error, message = reports[0]
    if error:
        raise KafkaException(error)
    return float(message.timestamp()[1]) / 1_000
