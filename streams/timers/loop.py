"""The loop of TIMERS: take what was armed, fire what is due. docs/timers.md says what a kill at each step does."""

import heapq
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import chain, islice

from confluent_kafka import Consumer, KafkaError, TopicPartition

from schemas.topics import TOPICS
from streams.clock import Clock
from streams.health import Health
from streams.kafka.config import qualified
from streams.message import Incoming, arrived, failure
from streams.metrics import RunnerMetrics
from streams.stopping import Stop
from streams.timers.index import Pending, TimerIndex, microseconds
from streams.timers.lag import ActivityLag
from streams.timers.metrics import TimersMetrics
from streams.timers.partitions import Partitions
from streams.timers.record import TOPIC, Firing
from streams.tracing import Tracing
from streams.transaction import Record, Transactor

# Wake-ups a transaction: offsets and commit cost as much as 2,000 fires on a busy broker.
FIRE_LIMIT = 5_000
READ_LIMIT = 1_000  # records between two looks at what is due: a backlog never holds up a fire for longer
# While more is due than one transaction takes: each fire leaves a tombstone that is read back, and what is armed
# meanwhile must be taken too.
READ_LIMIT_FIRING = 2 * FIRE_LIMIT
SLICE = 500  # records between two looks at the clock
INTAKE = timedelta(seconds=0.5)  # on a slow machine a slice that ends after this is the last before the look
IDLE_SECONDS = 0.1  # between two looks at the request to end, while nothing is armed or due
COMMIT_SECONDS = 5.0  # offsets are committed this often without a fire: for the group's lag, and to be fenced early


Due = tuple[int, int, Pending]
"""One entry to fire: its due (microseconds since 1970), its partition, itself. In due order as it is.

A plain tuple: a named one takes five times as long to make.
"""


class TimersLoop:
    """`turn` is one round; it raises what ends the process."""

    def __init__(
        self,
        namespace: str,
        consumer: Consumer,
        transactor: Transactor,
        partitions: Partitions,
        lag: ActivityLag,
        clock: Clock,
        health: Health,
        runner: RunnerMetrics,
        metrics: TimersMetrics,
        stop: Stop,
        tracing: Tracing | None = None,
    ) -> None:
        self._tracing = tracing
        self._names = {name: qualified(namespace, name) for name in TOPICS}
        self._topic = self._names[TOPIC]
        self._logical = {full: name for name, full in self._names.items()}
        self._consumer = consumer
        self._transactor = transactor
        self._partitions = partitions
        self._lag = lag
        self._clock = clock
        self._health = health
        self._runner = runner
        self._metrics = metrics
        self._stop = stop
        self._has_more_due = False
        self._committed: Mapping[int, int] = {}
        self._commit_at = time.monotonic() + COMMIT_SECONDS

    def turn(self) -> int:
        """Take one batch of armings, fire at most one transaction of what is due; return how many fired."""
        self._health.tick()
        self._take_in(READ_LIMIT_FIRING if self._has_more_due else READ_LIMIT)
        now = self._clock.now()
        due = next_due(self._partitions.indexes, microseconds(now), FIRE_LIMIT)
        self._has_more_due = len(due) == FIRE_LIMIT
        if due:
            self._fire(due, now)
        elif time.monotonic() >= self._commit_at and self._has_moved():
            self._commit(())
        else:
            self._transactor.poll()
        return len(due)

    def _take_in(self, limit: int) -> None:
        """Take at most `limit` records, in slices, while there is time: a wake-up may fall due meanwhile."""
        messages = arrived(self._consumer, SLICE, self._patience())
        until = self._clock.now() + INTAKE
        while messages:
            self._take(messages)
            limit -= len(messages)
            if len(messages) < SLICE or limit <= 0 or self._clock.now() >= until:
                return
            messages = arrived(self._consumer, min(SLICE, limit), 0)

    def _has_moved(self) -> bool:
        """Tell whether there are offsets to commit; between two assignments there are none."""
        offsets = self._partitions.offsets()
        return bool(offsets) and offsets != self._committed

    def _patience(self) -> float:
        """Return how long to wait for armings: not past the next due."""
        if self._has_more_due:
            return 0.0
        dues = [due for index in self._partitions.indexes.values() if (due := index.next_due_us()) is not None]
        if not dues:
            return IDLE_SECONDS
        return min(max((min(dues) - microseconds(self._clock.now())) / 1_000_000, 0.0), IDLE_SECONDS)

    def _take(self, messages: Sequence[Incoming]) -> None:
        records: list[Incoming] = []
        for message in messages:
            error = message.error()
            if error is None:
                records.append(message)
            elif error.code() != KafkaError._PARTITION_EOF:
                raise failure(error, "reading")
        if records:
            self._partitions.take(records)
            self._runner.count_records(TOPIC, len(records))

    def _fire(self, due: Sequence[Due], now: datetime) -> None:
        """Commit the wake-ups and their tombstones, then drop the entries: a kill between fires none twice, for the
        restart reads the tombstones before it fires."""
        began = time.perf_counter()
        firing = Firing(self._names, now, self._lag.seconds(), self._tracing)
        records = [record for _, partition, pending in due for record in firing.records(pending, partition)]
        self._commit(records)
        firing.committed(time.time_ns())
        fired: dict[int, list[Pending]] = {}
        for _, number, pending in due:
            fired.setdefault(number, []).append(pending)
        for number, entries in fired.items():
            self._partitions.indexes[number].remove(entries)
        self._measure(due, now, records, time.perf_counter() - began)

    def _commit(self, records: Sequence[Record]) -> None:
        offsets = self._partitions.offsets()
        self._stop.is_mid_transaction = True
        try:
            # Offsets every time, whether or not anything was read: they are what fences an expelled member.
            self._transactor.run(records, [TopicPartition(self._topic, *pair) for pair in offsets.items()], {})
        finally:
            self._stop.is_mid_transaction = False
        self._committed = offsets
        self._commit_at = time.monotonic() + COMMIT_SECONDS
        self._runner.transactions.inc()

    def _measure(self, due: Sequence[Due], now: datetime, records: Sequence[Record], seconds: float) -> None:
        now_us = microseconds(now)
        for due_us, _, _ in due:
            # What is late at the commit, not at the reading of the clock: that is when readers can see it.
            self._metrics.lateness.observe((now_us - due_us) / 1_000_000 + seconds)
        for topic, fires in Counter(record.topic for record in records).items():
            if topic != self._topic:
                self._metrics.count_fired(self._logical[topic], fires)
        self._runner.batch.observe(len(due))
        self._runner.time_step("commit", seconds)


def next_due(indexes: Mapping[int, TimerIndex], now_us: int, limit: int) -> Sequence[Due]:
    """Return at most `limit` due entries over all partitions, oldest first; of each partition its earliest."""
    rows = [_of(number, index.falling_due(now_us)) for number, index in indexes.items()]
    # Compared as they are, which needs no call a comparison: of equal dues the lower partition is the first.
    merged = heapq.merge(*rows) if len(rows) > 1 else chain.from_iterable(rows)
    return list(islice(merged, limit))


def _of(partition: int, pending: Iterable[Pending]) -> Iterator[Due]:
    return ((one.due_us, partition, one) for one in pending)
