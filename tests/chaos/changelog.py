"""The two sides of what a stage keeps: its changelog folded from the first record on, and its stores on disk."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition

from schemas.timer import TimerArmed
from schemas.topics import TOPICS
from streams.kafka.config import ClusterSettings, qualified, to_end_consumer_config
from streams.message import Incoming, arrived
from streams.store.rocks import open_rocks
from streams.timers.index import microseconds, open_index

Rows = Mapping[int, Mapping[str, bytes]]
"""Partition -> key -> bytes."""

READ_SECONDS = 1.0
READS = 600  # without a record in all of them the topic has no end


def committed(cluster: ClusterSettings, topic: str) -> Iterator[Incoming]:
    """Yield every committed record of a topic (logical name), per partition in order, to the last stable offset."""
    full = qualified(cluster.namespace, topic)
    consumer = Consumer(to_end_consumer_config(cluster))
    try:
        numbers = set(consumer.list_topics(full, timeout=60).topics[full].partitions)
        consumer.assign([TopicPartition(full, number, OFFSET_BEGINNING) for number in sorted(numbers)])
        for _ in range(READS):
            for message in arrived(consumer, 1_000, READ_SECONDS):
                if (error := message.error()) is None:
                    yield message
                elif error.code() == KafkaError._PARTITION_EOF:
                    numbers.discard(message.partition())
                else:
                    raise KafkaException(error)
            if not numbers:
                return
        raise AssertionError(f"no end of {topic} {sorted(numbers)}")
    finally:
        consumer.close()


def folded(cluster: ClusterSettings, topic: str) -> Rows:
    """Return the last value of each key, by partition; removed keys are left out."""
    rows: dict[int, dict[str, bytes]] = {}
    for message in committed(cluster, topic):
        part = rows.setdefault(message.partition(), {})
        key, value = (message.key() or b"").decode(), message.value()
        if value is None:
            part.pop(key, None)
        else:
            part[key] = value
    return {number: part for number, part in rows.items() if part}


def stored(folder: Path) -> Rows:
    """Return what the stores of a stopped slot hold, by partition. folder: the slot's."""
    rows: dict[int, Mapping[str, bytes]] = {}
    for part in sorted(folder.iterdir()):
        if part.name.isdigit():
            store = open_rocks(part)
            rows[int(part.name)] = dict(store.scan(""))
            store.close()
    return {number: found for number, found in rows.items() if found}


def changelogs(stage: str) -> bool:
    """Tell whether the stage has a changelog."""
    return f"state.{stage}" in TOPICS


def armed(cluster: ClusterSettings) -> Rows:
    """Return what leads.timers says is pending, by partition: key -> its due, microseconds since 1970."""
    return {
        number: {
            key: str(microseconds(TimerArmed.model_validate_json(value).due_at)).encode() for key, value in part.items()
        }
        for number, part in folded(cluster, "leads.timers").items()
    }


def indexed(folder: Path) -> Rows:
    """Return what the index of a stopped TIMERS slot holds, as `armed` gives it."""
    rows: dict[int, Mapping[str, bytes]] = {}
    for part in sorted(folder.iterdir()):
        if part.name.isdigit():
            index = open_index(part)
            rows[int(part.name)] = {one.key.decode(): str(one.due_us).encode() for one in index.scan()}
            index.close()
    return {number: found for number, found in rows.items() if found}
