"""How fast a consumer group moves, seen from outside: by its committed offsets."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from confluent_kafka import Consumer, KafkaException, TopicPartition


@dataclass(frozen=True, slots=True)
class Rate:
    """records over seconds, from the first commit seen to the last."""

    records: int
    seconds: float

    @property
    def per_second(self) -> float:
        return self.records / self.seconds if self.seconds else 0.0


def ends(bootstrap: str, topic: str, partitions: int) -> dict[int, int]:
    """Return partition -> last stable offset."""
    reader = Consumer({"bootstrap.servers": bootstrap, "group.id": "bench-ends", "isolation.level": "read_committed"})
    try:
        return {
            partition: reader.get_watermark_offsets(TopicPartition(topic, partition), cached=False, timeout=10)[1]
            for partition in range(partitions)
        }
    finally:
        reader.close()


def committed(reader: Consumer, topic: str, partitions: int) -> int:
    """Return the sum of committed offsets on `topic` of the group of `reader`; 0 while its coordinator is loading.

    Of a consumer that never joins: the admin client's call ends the process by a segmentation fault where the
    coordinator moves or is still loading (librdkafka issue 5040, seen four times in an hour).
    """
    try:
        rows = reader.committed([TopicPartition(topic, number) for number in range(partitions)], timeout=10)
    except KafkaException:
        return 0
    return sum(max(0, row.offset) for row in rows)


@contextmanager
def watching(bootstrap: str, group: str) -> Iterator[Consumer]:
    """Yield a consumer that can be asked for what `group` has committed."""
    reader = Consumer({"bootstrap.servers": bootstrap, "group.id": group})
    try:
        yield reader
    finally:
        reader.close()


def measure(bootstrap: str, group: str, topic: str, partitions: int, *, within_seconds: float = 180) -> Rate:
    """Watch `group` work `topic` off to its present end and return its rate. Raises TimeoutError, ValueError."""
    goal = sum(ends(bootstrap, topic, partitions).values())
    deadline = time.monotonic() + within_seconds
    first: tuple[float, int] | None = None
    with watching(bootstrap, group) as reader:
        while time.monotonic() < deadline:
            done, now = committed(reader, topic, partitions), time.monotonic()
            if first is None and done > 0:
                first = (now, done)
            if first is not None and done >= goal:
                if done == first[1]:
                    raise ValueError(f"{group} committed all {goal} records at once: give it more of them")
                return Rate(done - first[1], now - first[0])
            time.sleep(0.02)
    raise TimeoutError(f"{group} did not reach the end of {topic} ({goal} records) in {within_seconds} s")
