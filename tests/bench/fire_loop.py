"""The yardstick of a fire: a bare producer that writes the two records of each, made ahead, one transaction a batch.

It finds nothing, reads nothing and keeps nothing: what is left is librdkafka, the broker, and a Python loop.
"""

import time
from datetime import UTC, datetime

from confluent_kafka import Producer

from schemas.topics import PARTITIONS, TOPICS, KeyedBy
from streams.timers.index import Pending
from streams.timers.loop import FIRE_LIMIT
from streams.timers.record import Firing
from streams.transaction import Row
from tests.bench.setting import Setting


def per_second(setting: Setting, fires: int) -> float:
    """Write the records of `fires` wake-ups, as many a transaction as TIMERS has, and return the fires a second."""
    rows = _rows(setting, fires)
    producer = Producer(
        {
            "bootstrap.servers": setting.cluster.bootstrap,
            "transactional.id": setting.full("fire-loop"),
            "linger.ms": 0,
            "retry.backoff.ms": 1,
            "retry.backoff.max.ms": 5,
            "acks": "all",
            "compression.type": "lz4",
        }
    )
    producer.init_transactions()
    began = time.monotonic()
    for start in range(0, len(rows), 2 * FIRE_LIMIT):
        producer.begin_transaction()
        for topic, key, value, headers, partition in rows[start : start + 2 * FIRE_LIMIT]:
            producer.produce(topic, value, key, partition, headers=headers)
        producer.commit_transaction(-1)
    return fires / (time.monotonic() - began)


def _rows(setting: Setting, fires: int) -> list[Row]:
    firing = Firing({name: setting.full(name) for name in TOPICS}, datetime.now(UTC), 0.1)
    body = bytes(8) + b'leads.scored\0main\0\0{"epoch":1}'
    due = (Pending(b"bare/%032x" % n, 1_700_000_000_000_000 + n, body) for n in range(fires))
    partitions = PARTITIONS[KeyedBy.WAKER]
    return [row for n, pending in enumerate(due) for row in firing.records(pending, n % partitions)]
