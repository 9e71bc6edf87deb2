"""The loop of TIMERS: take what was armed, fire what is due. docs/timers.md says what a kill at each step does."""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from operator import itemgetter

from confluent_kafka import Consumer, KafkaError, TopicPartition

from schemas.topics import TOPICS
from streams.clock import Clock
from streams.health import Health
from streams.kafka.config import qualified
from streams.message import Incoming, arrived, failure
from streams.metrics import RunnerMetrics
from streams.stopping import Stop
from streams.timers.fires import Fires, FiresAhead, next_due
from streams.timers.index import Pending, microseconds
from streams.timers.lag import ActivityLag
from streams.timers.metrics import TimersMetrics
from streams.timers.partitions import Partitions
from streams.timers.record import TOPIC, Firing
from streams.tracing import Tracing
from streams.transaction import Row, Transactor, nothing

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
        self._ahead: FiresAhead | None = None
        self._looked_seconds = 0.0  # of the last transaction, for what fires after it
        self._committed: Mapping[int, int] = {}
        self._commit_at = time.monotonic() + COMMIT_SECONDS

    def turn(self) -> int:
        """Take one batch of armings, fire at most one transaction of what is due; return how many fired."""
        self._health.tick()
        self._take_in(READ_LIMIT_FIRING if self._has_more_due else READ_LIMIT)
        fires = self._found_ahead() or self._find({})
        self._has_more_due = len(fires.due) == FIRE_LIMIT
        if fires.due:
            self._fire(fires)
        elif time.monotonic() >= self._commit_at and self._has_moved():
            self._commit((), nothing)
        else:
            self._transactor.poll()
        return len(fires.due)

    def _find(self, after: Mapping[int, Pending]) -> Fires:
        """Return what is due now, and its records. after: of each partition, the last one that fires already."""
        now, indexes = self._clock.now(), self._partitions.indexes
        due = next_due(indexes, microseconds(now), FIRE_LIMIT, after)
        firing = Firing(self._names, now, self._lag.seconds(), self._tracing)
        records = [record for _, partition, pending in due for record in firing.records(pending, partition)]
        return Fires(due, now, indexes, firing, records)

    def _found_ahead(self) -> Fires | None:
        """Return what was found during the transaction before, None where it no longer counts."""
        ahead, self._ahead = self._ahead, None
        return ahead.fires if ahead is not None and ahead.fires.indexes is self._partitions.indexes else None

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
            for rows in self._partitions.take(records).values():
                if self._ahead is not None and self._ahead.is_touched_by(rows):
                    self._ahead = None
            self._runner.count_records(TOPIC, len(records))

    def _fire(self, fires: Fires) -> None:
        """Commit the wake-ups and their tombstones, then drop the entries: a kill between fires none twice, for the
        restart reads the tombstones before it fires."""
        began = time.perf_counter()
        self._looked_seconds = 0.0
        self._commit(fires.records, partial(self._look_ahead, fires) if self._has_more_due else nothing)
        fires.firing.committed(time.time_ns())
        for number, entries in fires.by_partition().items():
            self._partitions.indexes[number].remove(entries)
        self._measure(fires, time.perf_counter() - began - self._looked_seconds)

    def _look_ahead(self, fires: Fires) -> None:
        """Find what fires after `fires`, while those are on their way to the broker."""
        began = time.perf_counter()
        found = self._find(fires.lasts())
        self._ahead = FiresAhead(found) if found.due else None
        self._looked_seconds = time.perf_counter() - began

    def _commit(self, records: Sequence[Row], meanwhile: Callable[[], None]) -> None:
        offsets = self._partitions.offsets()
        self._stop.is_mid_transaction = True
        try:
            # Offsets every time, whether or not anything was read: they are what fences an expelled member.
            spots = [TopicPartition(self._topic, *pair) for pair in offsets.items()]
            self._transactor.run(records, spots, {}, meanwhile)
        finally:
            self._stop.is_mid_transaction = False
        self._committed = offsets
        self._commit_at = time.monotonic() + COMMIT_SECONDS
        self._runner.transactions.inc()

    def _measure(self, fires: Fires, seconds: float) -> None:
        # What is late at the commit, not at the reading of the clock: that is when readers can see it.
        now_us = microseconds(self._clock.now())
        self._metrics.lateness.observe_all([(now_us - due_us) / 1_000_000 for due_us, _, _ in reversed(fires.due)])
        for topic, count in Counter(map(itemgetter(0), fires.records)).items():
            if topic != self._topic:
                self._metrics.count_fired(self._logical[topic], count)
        self._runner.batch.observe(len(fires.due))
        self._runner.time_step("commit", seconds)
