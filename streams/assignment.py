"""The partitions a slot has: taken and restored inside the rebalance, given back between batches."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import structlog
from confluent_kafka import Consumer, TopicPartition

from schemas.topics import TOPICS
from streams.errors import Fenced
from streams.health import Health, Phase
from streams.inbox import Spot
from streams.kafka.config import ClusterSettings, qualified
from streams.kafka.group import leave
from streams.metrics import RunnerMetrics
from streams.offsets import EPOCH, starts
from streams.restore import restore
from streams.stage import Stage
from streams.store.memory import MemoryStore
from streams.store.state import PartitionState
from streams.store.store import OpenStore

log = structlog.get_logger()


class PartitionsLost(Fenced):
    """The group has given this slot's partitions away: it was not heard of for the session timeout."""


@dataclass(slots=True)
class Owned:
    """One partition number, over all inputs: its state and the clock of its last event."""

    state: PartitionState
    now: datetime


class Assignment:
    """What `subscribe` calls back. An exception in here ends the process: the partitions are assigned already."""

    def __init__(
        self,
        cluster: ClusterSettings,
        stage: Stage,
        open_store: OpenStore,
        folder: Path,
        health: Health,
        metrics: RunnerMetrics,
        is_stopping: Callable[[], bool],
    ) -> None:
        self.owned: dict[int, Owned] = {}
        self.next_offsets: dict[Spot, int] = {}
        self.generation = 0  # raised with each assignment, so that others notice
        self._cluster = cluster
        self._stage = stage
        self._changelog = f"state.{stage.name}"
        self._open_store = open_store
        self._folder = folder
        self._health = health
        self._metrics = metrics
        self._is_stopping = is_stopping

    def on_assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """Restore, then read. The order carries it: committed offsets, the changelog's end, its records, assign."""
        self._health.enter(Phase.RESTORING)
        found = starts(consumer, partitions)
        self._open(sorted({tp.partition for tp in partitions}))
        for (_, number), start in found.items():
            self.owned[number].now = max(self.owned[number].now, start.previous_now)
        self.next_offsets = {spot: start.next_offset for spot, start in found.items()}
        consumer.assign([TopicPartition(*spot, offset) for spot, offset in self.next_offsets.items()])
        self._keep_low_priority_back(consumer)
        self.generation += 1
        self._health.enter(Phase.RUNNING)
        log.info("partitions.assigned", stage=self._stage.name, partitions=_named(partitions))

    def _keep_low_priority_back(self, consumer: Consumer) -> None:
        """Pause before the first record can come: whether live ones lag is not known yet (`LowPriority` resumes)."""
        low = {qualified(self._cluster.namespace, name) for name in self._stage.low_priority}
        if waiting := [TopicPartition(*spot) for spot in self.next_offsets if spot[0] in low]:
            consumer.pause(waiting)

    def on_revoke(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """Give back: between batches there is nothing to finish."""
        self.close()
        self.generation += 1
        self._health.enter(Phase.STARTING)
        log.info("partitions.revoked", stage=self._stage.name, partitions=_named(partitions))

    def on_lost(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """End: another slot may have them already. Raises PartitionsLost."""
        leave(consumer)
        raise PartitionsLost()

    def close(self) -> None:
        """Close the stores."""
        owned, self.owned = self.owned, {}
        self.next_offsets = {}
        for one in owned.values():
            one.state.close()

    def _open(self, numbers: Sequence[int]) -> None:
        if self._changelog not in TOPICS:
            self.owned = {number: Owned(PartitionState(MemoryStore(), {}), EPOCH) for number in numbers}
            return
        topic = qualified(self._cluster.namespace, self._changelog)
        stores = {number: self._open_store(self._folder / str(number)) for number in numbers}
        self.owned = {
            number: Owned(PartitionState(store, self._stage.kinds), EPOCH) for number, store in stores.items()
        }
        if not stores:
            return
        done = restore(self._cluster, topic, stores, is_stopping=self._is_stopping, on_progress=self._health.tick)
        for one in self.owned.values():
            one.state.read_residents()
        self._metrics.restore_seconds.set(done.seconds)
        self._metrics.restored_records.inc(done.records)
        self._metrics.wiped_stores.inc(len(done.wiped))
        log.info(
            "state.restored",
            stage=self._stage.name,
            topic=topic,
            records=done.records,
            wiped=list(done.wiped),
            elapsed_seconds=round(done.seconds, 3),
        )


def _named(partitions: Sequence[TopicPartition]) -> list[str]:
    return [f"{tp.topic}/{tp.partition}" for tp in partitions]
