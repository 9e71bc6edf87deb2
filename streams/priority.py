"""Inputs that wait: read only while the others' lag is under one batch."""

from collections.abc import Collection, Mapping

from confluent_kafka import Consumer, TopicPartition

from streams.inbox import Spot

UNKNOWN = -1001


class LowPriority:
    """Pauses and resumes the low-priority partitions of one consumer.

    Resumes at half of the lag that pauses: each change drops what was fetched ahead.
    """

    def __init__(self, consumer: Consumer, topics: Collection[str], limit: int) -> None:
        self._consumer = consumer
        self._topics = frozenset(topics)
        self._limit = limit
        self._paused: list[TopicPartition] = []
        self._running: list[TopicPartition] = []

    def begin(self, spots: Collection[Spot]) -> None:
        """Take a new assignment: its low-priority partitions wait until the lag of the others is known."""
        self._running = []
        self._paused = [TopicPartition(topic, number) for topic, number in spots if topic in self._topics]
        if self._paused:
            self._consumer.pause(self._paused)

    def hold(self, spot: Spot) -> None:
        """Leave a partition alone: it is paused for another reason."""
        self._paused = [tp for tp in self._paused if (tp.topic, tp.partition) != spot]
        self._running = [tp for tp in self._running if (tp.topic, tp.partition) != spot]

    def adjust(self, next_offsets: Mapping[Spot, int]) -> None:
        """Pause or resume by the lag of the other inputs."""
        if not self._topics or not (self._paused or self._running):
            return
        lag = self._lag(next_offsets)
        if self._running and lag >= self._limit:
            self._consumer.pause(self._running)
            self._paused, self._running = self._running, []
        elif self._paused and lag < self._limit / 2:
            self._consumer.resume(self._paused)
            self._running, self._paused = self._paused, []

    def _lag(self, next_offsets: Mapping[Spot, int]) -> float:
        total = 0
        for (topic, number), next_offset in next_offsets.items():
            if topic in self._topics:
                continue
            _, end = self._consumer.get_watermark_offsets(TopicPartition(topic, number), cached=True)
            if end == UNKNOWN:  # nothing fetched yet
                return float(self._limit)
            total += max(0, end - next_offset)
        return float(total)
