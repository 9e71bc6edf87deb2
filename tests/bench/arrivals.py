"""Latency through a chain of topics: a steady load on one end, a read_committed reader on the other."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from confluent_kafka import OFFSET_END, Consumer, KafkaError, Producer, TopicPartition

from streams.kafka.config import ClusterSettings, plain_producer_config, table_consumer_config
from tests.records import Outgoing

# Sent ahead at the same rate and not counted: a new producer asks for its id and its leaders first (0.5 s).
LEAD_IN_SECONDS = 1


@dataclass(frozen=True, slots=True)
class Latency:
    """Seconds from the producer's call to the reader's hands."""

    rate: int
    sent: int
    seen: int
    p50: float
    p99: float


@dataclass(slots=True)
class _Seen:
    at: dict[str, float] = field(default_factory=dict)
    ready: threading.Event = field(default_factory=threading.Event)
    stop: threading.Event = field(default_factory=threading.Event)


def measure(
    settings: ClusterSettings,
    source: str,
    target: str,
    records: Sequence[Outgoing],
    rate: int,
    id_of: Callable[[bytes], str | None],
) -> Latency:
    """Send `records` at `rate` a second to `source`, wait for them on `target`. Topics are full names.

    Those of the first LEAD_IN_SECONDS are sent and waited for, but not counted.
    id_of: what a target record answers, the `ce_id` of a sent one or None.
    """
    sent, seen = passed(settings, source, target, records, rate, id_of)
    begun = min(sent.values()) + LEAD_IN_SECONDS
    counted = {one: at for one, at in sent.items() if at >= begun}
    waits = sorted(seen[one] - at for one, at in counted.items() if one in seen)
    if not waits:
        raise TimeoutError(f"nothing of {len(counted)} records arrived on {target}")
    return Latency(rate, len(counted), len(waits), waits[len(waits) // 2], waits[int(len(waits) * 0.99)])


def passed(
    settings: ClusterSettings,
    source: str,
    target: str,
    records: Sequence[Outgoing],
    rate: int,
    id_of: Callable[[bytes], str | None],
    within_seconds: float = 30,
    linger_ms: int = 0,
) -> tuple[dict[str, float], dict[str, float]]:
    """Return when each record was sent, and when it was seen, by id, each in its order; what comes late is not seen.

    linger_ms: how long the sender gathers records; with 0 the broker answers a request for each.
    """
    seen = _Seen()
    reader = threading.Thread(target=_read, args=(settings, target, id_of, seen), daemon=True)
    reader.start()
    if not seen.ready.wait(120):
        raise TimeoutError(f"{target} could not be read")
    sent = _send(settings, source, records, rate, linger_ms)
    deadline = time.monotonic() + within_seconds
    while not all(one in seen.at for one in sent) and time.monotonic() < deadline:
        time.sleep(0.05)
    seen.stop.set()
    reader.join(120)
    return sent, seen.at


def _send(
    settings: ClusterSettings, source: str, records: Sequence[Outgoing], rate: int, linger_ms: int
) -> dict[str, float]:
    producer = Producer(plain_producer_config(settings) | {"linger.ms": linger_ms})
    sent: dict[str, float] = {}
    start = time.perf_counter()
    for number, record in enumerate(records):
        while (wait := start + number / rate - time.perf_counter()) > 0:  # a poll returns at the first report
            producer.poll(wait)
        sent[record.headers["ce_id"]] = time.perf_counter()
        producer.produce(source, record.value, record.key, headers=dict(record.headers))
    producer.flush(120)
    return sent


def _read(settings: ClusterSettings, target: str, id_of: Callable[[bytes], str | None], seen: _Seen) -> None:
    consumer = Consumer(table_consumer_config(settings) | {"fetch.wait.max.ms": 5})
    partitions = consumer.list_topics(target, timeout=60).topics[target].partitions
    consumer.assign([TopicPartition(target, number, OFFSET_END) for number in partitions])
    ends: set[int] = set()
    while not seen.stop.is_set():
        messages, at = consumer.consume(500, 0.005), time.perf_counter()  # before any of them is read
        for message in messages:
            error = message.error()
            if error is not None:
                if error.code() == KafkaError._PARTITION_EOF:
                    ends.add(message.partition() or 0)
                continue
            found = id_of(message.value() or b"")
            if found is not None:
                seen.at.setdefault(found, at)
        if len(ends) == len(partitions):
            seen.ready.set()
    consumer.close()
