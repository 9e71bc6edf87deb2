"""The partitions of leads.timers that this slot has: their indexes, restored before the first fire."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import structlog
from confluent_kafka import Consumer, TopicPartition

from schemas.poison import Poison
from streams.assignment import PartitionsLost
from streams.health import Health, Phase
from streams.kafka.config import ClusterSettings, qualified
from streams.kafka.group import leave
from streams.message import Incoming
from streams.metrics import RunnerMetrics
from streams.offsets import COMMITTED_SECONDS
from streams.restore import Row, restore
from streams.store.store import Position
from streams.timers.index import IndexMemory, TimerIndex, open_index
from streams.timers.metrics import TimersMetrics
from streams.timers.record import STAGE, TOPIC, row

log = structlog.get_logger()


class Partitions:
    """What `subscribe` calls back. `indexes` holds nothing that is not caught up, so nothing of it fires too soon."""

    def __init__(
        self,
        cluster: ClusterSettings,
        folder: Path,
        health: Health,
        runner: RunnerMetrics,
        metrics: TimersMetrics,
        is_stopping: Callable[[], bool],
    ) -> None:
        self.indexes: dict[int, TimerIndex] = {}
        self._memory = IndexMemory()
        self._topic = qualified(cluster.namespace, TOPIC)
        self._cluster = cluster
        self._folder = folder
        self._health = health
        self._runner = runner
        self._metrics = metrics
        self._is_stopping = is_stopping
        self._is_retired = False

    def retire(self) -> None:
        """Take no further partitions: closing a consumer may still call back with an assignment that was under way."""
        self._is_retired = True

    def on_assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """Catch up, then read on from the index's own position: the committed offsets only fence.

        They are asked for all the same: the answer waits for the transactions under way, those of a predecessor too.
        """
        if self._is_retired:
            return
        self._health.enter(Phase.RESTORING)
        if partitions:
            consumer.committed(partitions, timeout=COMMITTED_SECONDS)
        opened = {tp.partition: open_index(self._folder / str(tp.partition), self._memory) for tp in partitions}
        self.indexes = {}
        try:
            done = restore(
                self._cluster,
                self._topic,
                opened,
                is_stopping=self._is_stopping,
                on_progress=self._health.tick,
                row=self.row,
            )
        except BaseException:
            for index in opened.values():
                index.close()
            raise
        self.indexes = opened
        consumer.assign([TopicPartition(self._topic, number, offset) for number, offset in self.offsets().items()])
        self._runner.restore_seconds.set(done.seconds)
        self._runner.restored_records.inc(done.records)
        self._runner.wiped_stores.inc(len(done.wiped))
        self._health.enter(Phase.RUNNING)
        log.info(
            "timers.caught_up",
            stage=STAGE,
            partitions=sorted(opened),
            records=done.records,
            wiped=list(done.wiped),
            elapsed_seconds=round(done.seconds, 3),
        )

    def on_revoke(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """Give back: between transactions there is nothing to finish."""
        self.close()
        self._health.enter(Phase.STARTING)
        log.info("partitions.revoked", stage=STAGE, partitions=[tp.partition for tp in partitions])

    def on_lost(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """End: another slot may have them already. Raises PartitionsLost."""
        leave(consumer)
        raise PartitionsLost()

    def offsets(self) -> Mapping[int, int]:
        """Return, by partition, the offset after the last record taken."""
        return {number: position_of(index).next_offset for number, index in self.indexes.items()}

    def take(self, messages: Sequence[Incoming]) -> Mapping[int, Sequence[Row]]:
        """Take records into the indexes of their partitions, with the position that covers them; return what they say.

        By partition, in the order of the topic.
        """
        rows: dict[int, list[Row]] = {}
        nexts: dict[int, int] = {}
        for message in messages:
            number = message.partition()
            if number not in self.indexes:  # of a partition given back since
                continue
            kept = self.row(message)
            if kept is not None:
                rows.setdefault(number, []).append(kept)
            nexts[number] = message.offset() + 1
        wall = datetime.now(UTC).timestamp()
        for number, next_offset in nexts.items():
            index = self.indexes[number]
            index.take(rows.get(number, ()), Position(position_of(index).topic_id, next_offset, wall))
        return rows

    def row(self, message: Incoming) -> Row | None:
        """Return what is kept of a record; what can never fire is counted and told, and the arming before stands."""
        try:
            return row(message)
        except Poison as error:
            self._metrics.rejected.inc()
            log.error(
                "timer.rejected",
                stage=STAGE,
                topic=TOPIC,
                partition=message.partition(),
                offset=message.offset(),
                reason=error.reason,
            )
            return None

    def close(self) -> None:
        """Close the indexes."""
        indexes, self.indexes = self.indexes, {}
        for index in indexes.values():
            index.close()


def position_of(index: TimerIndex) -> Position:
    """Return the position of an index that is caught up: it has one from its restore on."""
    position = index.position()
    if position is None:
        raise RuntimeError("an index has a position from its restore on")
    return position
