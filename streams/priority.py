"""Inputs that wait: read only while the others' lag is under one batch, and what they led to is handled."""

from collections.abc import Collection, Mapping
from typing import Protocol

from confluent_kafka import Consumer, TopicPartition

from streams.inbox import Spot

UNKNOWN = -1001


class Passage(Protocol):
    """The way from a stage to the last that handles what it passes on."""

    def ask(self) -> None:
        """Find out from now on whether it is clear."""

    def is_clear(self) -> bool:
        """Tell whether what was on it at the last `ask` has arrived."""


class Open:
    """A way that is always clear: nobody waits behind what this stage passes on."""

    def ask(self) -> None: ...

    def is_clear(self) -> bool:
        return True


class LowPriority:
    """Pauses and resumes the low-priority partitions of one consumer.

    Resumes at half of the lag that pauses: each change drops what was fetched ahead. After each batch that had some of
    their records they wait until those are handled all the way: at most one batch of them stands before a live record.
    """

    def __init__(self, consumer: Consumer, topics: Collection[str], limit: int, passage: Passage) -> None:
        self._consumer = consumer
        self._topics = frozenset(topics)
        self._limit = limit
        self._passage = passage
        self._is_under_way = False
        self._paused: list[TopicPartition] = []
        self._running: list[TopicPartition] = []

    def begin(self, spots: Collection[Spot]) -> None:
        """Take a new assignment: its low-priority partitions wait until the lag of the others is known."""
        self._running = []
        self._is_under_way = False
        self._paused = [TopicPartition(topic, number) for topic, number in spots if topic in self._topics]
        if self._paused:
            self._consumer.pause(self._paused)

    def hold(self, spot: Spot) -> None:
        """Leave a partition alone: it is paused for another reason."""
        self._paused = [tp for tp in self._paused if (tp.topic, tp.partition) != spot]
        self._running = [tp for tp in self._running if (tp.topic, tp.partition) != spot]

    def has_any(self, spots: Collection[Spot]) -> bool:
        """Tell whether some of these partitions are of low priority."""
        return any(topic in self._topics for topic, _ in spots)

    def took(self, spots: Collection[Spot]) -> None:
        """A batch from these partitions was committed: where some are of low priority, the rest of those waits."""
        if self._running and self.has_any(spots):
            self._consumer.pause(self._running)
            self._paused, self._running = self._running, []
            self._is_under_way = True
            self._passage.ask()

    def adjust(self, next_offsets: Mapping[Spot, int]) -> None:
        """Pause or resume by the lag of the other inputs."""
        if not self._topics or not (self._paused or self._running):
            return
        lag = self._lag(next_offsets)
        if self._running and lag >= self._limit:
            self._consumer.pause(self._running)
            self._paused, self._running = self._running, []
        elif self._paused and lag < self._limit / 2 and self._has_arrived():
            self._consumer.resume(self._paused)
            self._running, self._paused = self._paused, []

    def _has_arrived(self) -> bool:
        self._is_under_way = self._is_under_way and not self._passage.is_clear()
        return not self._is_under_way

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
