"""The loop of every stage: one batch, one transaction, one fold. docs/exactly-once.md says what a kill at each step
does; DESIGN section 4 numbers the steps."""

import asyncio
import time
from dataclasses import dataclass

import structlog
from confluent_kafka import Consumer, KafkaException, TopicPartition

from schemas.topics import TOPICS, KeyedBy
from streams.ahead import Ahead
from streams.assignment import Assignment
from streams.clock import Clock
from streams.deadletter import FloodLimit, dead_letter
from streams.errors import Fatal, LeadstreamError, Retryable
from streams.handling import Handling
from streams.health import Health
from streams.inbox import NO_PARSERS, Batch, Inbox, SetAside
from streams.kafka.config import qualified
from streams.lookups import Lookups, PrepareHangs
from streams.marker import Marker
from streams.message import arrived, failure
from streams.metrics import RunnerMetrics
from streams.offsets import to_commit
from streams.outbox import TIMERS, Outbox
from streams.outcome import Outcome
from streams.priority import LowPriority, Open, Passage
from streams.restore import Stopped
from streams.stage import Allotted, Reading, Stage
from streams.stopping import Stop
from streams.store.state import PartitionState
from streams.tables import TableReader
from streams.tracing import Tracing
from streams.transaction import RecordTooLarge, Transactor

DLQ = "leads.dlq"

# A stage that lacks what another topic brings (a policy's body) asks again so often, and holds its place so long:
# well under max.poll.interval.ms, at which the group would take the partitions away.
HOLD_RETRY_SECONDS = 0.25
HOLD_SECONDS = 60.0

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Pace:
    """batch_limit: records a transaction. poll_seconds: wait for a first record, and so between two looks at tables and
    the request to end. apart_seconds: between two batches; what comes to an idle stage waits for nothing.
    prepare_seconds: for look-ups."""

    batch_limit: int = 500
    poll_seconds: float = 0.1
    apart_seconds: float = 0.0
    prepare_seconds: float = 5.0


class Loop:
    """Runs one stage's batches on one slot. `turn` is one round; it raises what ends the process."""

    def __init__(
        self,
        stage: Stage,
        namespace: str,
        consumer: Consumer,
        transactor: Transactor,
        assignment: Assignment,
        tables: TableReader,
        marker: Marker,
        flood: FloodLimit,
        clock: Clock,
        health: Health,
        metrics: RunnerMetrics,
        stop: Stop,
        events: asyncio.AbstractEventLoop,
        pace: Pace,
        tracing: Tracing | None = None,
        passage: Passage | None = None,
    ) -> None:
        self._stage = stage
        self._namespace = namespace
        self._consumer = consumer
        self._transactor = transactor
        self._assignment = assignment
        self._tables = tables
        self._marker = marker
        self._flood = flood
        self._clock = clock
        self._health = health
        self._metrics = metrics
        self._stop = stop
        self._pace = pace
        parsers = stage.parsers if isinstance(stage, Reading) else NO_PARSERS
        self._inbox = Inbox(namespace, stage.inputs, parsers)
        self._tracing = tracing
        self._outbox = Outbox(stage.name, namespace, tracing)
        self._lookups = Lookups(stage, events, pace.prepare_seconds, metrics)
        self._handling = Handling(stage, self._outbox, clock, metrics)
        low = [qualified(namespace, name) for name in stage.low_priority]
        self._low_priority = LowPriority(consumer, low, pace.batch_limit, passage or Open())
        self._ahead = Ahead(
            self._lookups,
            marker,
            lambda room: self._read(room, 0),
            lambda: assignment.generation,
            self._low_priority.has_any,
            stop.is_requested,
            health.tick,
            pace.batch_limit,
            pace.prepare_seconds,
        )
        self._logical = {qualified(namespace, name): name for name in stage.inputs}
        self._dlq = qualified(namespace, DLQ)
        self._generation = 0
        self._read_at = 0.0

    def turn(self) -> bool:
        """Do one batch; return whether there was one. Raises Fenced, Fatal, and Stopped during a restore."""
        self._health.tick()
        self._tables.refresh()
        batch = self._ahead.take() or self._read(self._pace.batch_limit, self._pace.poll_seconds)
        if not batch.next_offsets:
            self._metrics.set_watermark(None)
            self._lookups.read_on()
            self._transactor.poll()
            self._low_priority.adjust(self._assignment.next_offsets)
            return False
        if batch.events:
            self._metrics.set_watermark(batch.events[0].recorded_at)
        if not self._ahead.has_answers(batch, self._states):
            return True
        self._commit_once_possible(batch)
        self._low_priority.took(batch.next_offsets)
        self._low_priority.adjust(self._assignment.next_offsets)
        return True

    def _commit_once_possible(self, batch: Batch) -> None:
        """Commit the batch; where the stage lacks something that others will bring, wait for it, nothing lost.

        Raises the stage's Retryable after HOLD_SECONDS (a restart goes on waiting), and Stopped when asked to end.
        """
        deadline = time.monotonic() + HOLD_SECONDS
        is_said = False
        while True:
            try:
                self._commit(batch)
                return
            except Retryable as lacking:
                for one in self._assignment.owned.values():
                    one.state.discard()
                if time.monotonic() > deadline:
                    raise
                if not is_said:
                    is_said = True
                    log.warning("batch.held", stage=self._stage.name, records=len(batch), reason=str(lacking))
            if self._stop.wait(HOLD_RETRY_SECONDS):
                raise Stopped
            self._health.tick()
            self._tables.refresh()

    def _read(self, limit: int, seconds: float) -> Batch:
        began = time.perf_counter()
        until = self._read_at + self._pace.apart_seconds if seconds else 0.0
        messages = arrived(
            self._consumer, self._marker.limit(limit), seconds, until, lambda: self._assignment.generation
        )
        if messages:
            self._read_at = time.monotonic()
        if messages or seconds:
            self._metrics.time_step("consume", time.perf_counter() - began)
        if self._generation != self._assignment.generation:
            self._generation = self._assignment.generation
            self._inbox.release()
            self._low_priority.begin(self._assignment.next_offsets)
            for name in self._stage.inputs:
                self._metrics.set_held(name, 0)
            self._allot()
        began = time.perf_counter()
        batch = self._inbox.open(messages)
        if batch:
            self._metrics.time_step("decode", time.perf_counter() - began)
        for (topic, number), offset in batch.newer.items():
            self._hold(topic, number, offset)
        return batch

    def _allot(self) -> None:
        if not self._assignment.owned:
            return
        if isinstance(self._stage, Allotted):
            self._stage.allotted(self._states(), self._partitions(self._stage.inputs[0]))
        if all(TOPICS[name].keyed_by is KeyedBy.DIVISION for name in self._stage.inputs):
            # A transaction takes a request a partition, so a division's wake-ups lie in one (decision 0275).
            self._outbox.timers_beside = self._partitions(TIMERS)

    def _partitions(self, name: str) -> int:
        topic = qualified(self._namespace, name)
        try:
            return len(self._consumer.list_topics(topic, timeout=10).topics[topic].partitions)
        except KafkaException as error:
            raise failure(error.args[0], "asking for the partitions of a topic") from error

    def _hold(self, topic: str, number: int, offset: int) -> None:
        self._consumer.pause([TopicPartition(topic, number)])
        self._low_priority.hold((topic, number))
        self._metrics.set_held(self._logical[topic], self._inbox.held_partitions(topic))
        log.error("partition.held", stage=self._stage.name, topic=topic, partition=number, offset=offset)

    def _commit(self, batch: Batch) -> None:
        began_ns = batch.began_ns or time.time_ns()
        started = time.perf_counter()
        outcome = self._decided(batch)
        decided = time.perf_counter()
        delivered = self._transacted(batch, outcome)
        committed = time.perf_counter()
        if self._tracing is not None:
            self._tracing.committed(batch.events, began_ns, time.time_ns())
        self._fold(batch, delivered)
        self._outbox.clear()  # megabytes of records that are in the log now
        self._report(
            batch, len(outcome.set_aside), decided - started, committed - decided, time.perf_counter() - committed
        )

    def _decided(self, batch: Batch) -> Outcome:
        """Prepare and handle, under the marker."""
        refused = {
            place: SetAside(
                batch.messages[place],
                "KillsProcess",
                "handling it ended the process again and again",
                self._marker.deaths,
            )
            for place in self._marker.culprits(batch)
        }
        self._marker.enter(batch)
        outcome = Outcome(refused)
        try:
            if len(refused) < len(batch.events):
                outcome.context = self._lookups.context(batch, outcome, self._states())
            self._handling.run(batch, outcome, self._assignment.owned)
            self._flood.count(len(batch), len(outcome.set_aside))
        except (LeadstreamError, KafkaException) as error:
            if not isinstance(error, PrepareHangs):
                self._marker.forgive()
            raise
        self._marker.leave(batch)
        return outcome

    def _states(self) -> dict[int, PartitionState]:
        return {number: one.state for number, one in self._assignment.owned.items()}

    def _transacted(self, batch: Batch, outcome: Outcome) -> dict[int, int]:
        """Commit; a record that is too large is set aside and the rest done again without it."""
        for _ in range(len(batch.events) + 1):
            at = self._clock.now()
            letters = [
                dead_letter(self._dlq, one, self._stage.name, self._logical[one.message.topic()], at)
                for one in outcome.set_aside
            ]
            states = self._states()
            offsets = to_commit(batch.next_offsets, outcome.nows)
            self._stop.is_mid_transaction = True
            try:
                return self._transactor.run(
                    [*self._outbox.records(), *letters], offsets, self._outbox.changelog(states)
                )
            except RecordTooLarge as error:
                self._refuse(batch, outcome, error, states)
            finally:
                self._stop.is_mid_transaction = False
        raise Fatal("Every record of a batch was too large in turn. This is a fault of the runner.")

    def _refuse(self, batch: Batch, outcome: Outcome, error: RecordTooLarge, states: dict[int, PartitionState]) -> None:
        place = self._outbox.origin(error.index, len(outcome.set_aside))
        if place is None or place >= len(batch.events):
            raise Fatal("A batch's seal, or a dead letter, is larger than a record may be.") from error
        self._metrics.aborts.inc()
        reason = "what it leads to is larger than a record may be"
        outcome.refused[place] = SetAside(batch.messages[place], "RecordTooLarge", reason)
        for state in states.values():
            state.discard()
        self._handling.run(batch, outcome, self._assignment.owned)

    def _fold(self, batch: Batch, delivered: dict[int, int]) -> None:
        written_at = self._clock.now().timestamp()
        for number, one in self._assignment.owned.items():
            if number in delivered:
                one.state.fold(delivered[number], written_at)
            else:
                one.state.forget_reads()
        self._assignment.next_offsets.update(batch.next_offsets)

    def _report(self, batch: Batch, dead: int, deciding: float, transaction: float, folding: float) -> None:
        metrics = self._metrics
        metrics.transactions.inc()
        if batch.events:
            metrics.set_watermark(batch.events[-1].recorded_at)
        metrics.batch.observe(len(batch))
        metrics.time_step("commit", transaction)
        metrics.time_step("fold", folding)
        for (topic, number), after in batch.next_offsets.items():
            metrics.count_records(self._logical[topic], after - batch.first_offsets[topic, number])
        if dead:
            metrics.dead_letters.inc(dead)
            log.warning("records.dead_lettered", stage=self._stage.name, records=dead)
        log.debug(
            "transaction.committed",
            stage=self._stage.name,
            records=len(batch),
            offsets={f"{topic}/{number}": after for (topic, number), after in batch.next_offsets.items()},
            elapsed_seconds=round(deciding + transaction + folding, 6),
        )
