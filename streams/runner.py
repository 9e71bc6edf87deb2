"""Runs one stage on one slot: the process's whole life. `run` is what the command line calls."""

import asyncio
import gc
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import structlog
from confluent_kafka import Consumer, Producer
from prometheus_client import CollectorRegistry

from schemas.topics import TOPICS
from streams.assignment import Assignment
from streams.clock import Clock, SteadyClock
from streams.connecting import Unheard, initialise, quiet, require_answer, until_reachable
from streams.deadletter import FloodLimit
from streams.ending import served
from streams.fault import FaultPoint
from streams.health import Health, Phase
from streams.kafka.config import ClusterSettings, consumer_config, producer_config, qualified
from streams.kafka.topics import require_safe
from streams.lean import give_back
from streams.loop import DLQ, Loop, Pace
from streams.marker import Marker
from streams.metrics import RunnerMetrics
from streams.onward import Onward, stages_after
from streams.outbox import TIMERS
from streams.stage import Closing, Measured, Stage
from streams.statistics import INTERVAL_MS, report
from streams.stopping import Stop
from streams.store.memory import open_memory
from streams.store.rocks import open_rocks
from streams.store.store import OpenStore, StoreKind
from streams.tables import TableReader, Tables
from streams.tracing import Tracing
from streams.transaction import Transactor

# A batch makes many small values that live as long as it does: at Python's 700 the collector takes an eighth of a
# decision's time for nothing (904 decisions/s, 1,005 so).
GC_THRESHOLDS = (50_000, 20, 20)

DRIFT_ALARM_SECONDS = 1.0
HOUSEKEEPING_SECONDS = 5.0

STORES: dict[StoreKind, OpenStore] = {StoreKind.ROCKSDB: open_rocks, StoreKind.MEMORY: open_memory}

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class RunnerSettings:
    """One slot of one stage.

    slot: from 1, stable over restarts; no two processes have the same. state_dir: this machine's, shared by all slots.
    http_port: 0 picks a free one, None serves nothing. flood_*: when dead letters end the process.
    fault: for tests. tracing: None for no traces.
    """

    cluster: ClusterSettings
    slot: int = 1
    state_dir: Path
    store: StoreKind = StoreKind.ROCKSDB
    pace: Pace = field(default_factory=Pace)
    http_host: str = "127.0.0.1"
    http_port: int | None = None
    flood_run: int = 500
    flood_ratio: float = 0.5
    flood_window: int = 1_000
    fault: FaultPoint | None = None
    tracing: Tracing | None = None


def run(
    name: str,
    stage_factory: Callable[[Tables], Stage],
    settings: RunnerSettings,
    *,
    clock: Clock | None = None,
    registry: CollectorRegistry | None = None,
) -> int:
    """Run the stage until SIGTERM or SIGINT, or until going on could lose or double something; return the exit code.

    For the main thread of a process. stage_factory: makes the stage `name`; gets the tables, which can be read from
    the first batch on.
    """
    registry = registry or CollectorRegistry()
    gc.set_threshold(*GC_THRESHOLDS)

    def serve(stop: Stop, health: Health) -> None:
        tables = Tables()
        metrics = RunnerMetrics(registry, name)
        _Slot(stage_factory(tables), tables, settings, clock or SteadyClock(), health, metrics, stop).serve()

    return served(name, settings.slot, (settings.http_host, settings.http_port), registry, serve)


class _Slot:
    """What one process holds while it serves one slot; each part is let go of in reverse order, whatever happens."""

    def __init__(
        self,
        stage: Stage,
        tables: Tables,
        settings: RunnerSettings,
        clock: Clock,
        health: Health,
        metrics: RunnerMetrics,
        stop: Stop,
    ) -> None:
        self._stage = stage
        self._tables = tables
        self._settings = settings
        self._clock = clock
        self._health = health
        self._metrics = metrics
        self._stop = stop
        self._unheard = Unheard(stage.name)
        self._name = f"{stage.name}-{settings.slot}"
        self._folder = settings.state_dir / (settings.cluster.namespace or "_") / self._name

    def serve(self) -> None:
        """Connect, restore, and go round until asked to end."""
        stage, settings, stop = self._stage, self._settings, self._stop
        until_reachable(self._check, stage.name, stop, self._health)
        with ExitStack() as held:
            marker = Marker(self._folder)
            held.callback(marker.close)
            if settings.tracing is not None:
                held.callback(settings.tracing.close)
            producer = Producer(
                producer_config(settings.cluster, self._name) | {"error_cb": self._unheard, "logger": quiet()}
            )
            until_reachable(lambda: initialise(producer), stage.name, stop, self._health)
            reader = TableReader(
                settings.cluster,
                stage.tables,
                self._tables,
                STORES[settings.store],
                self._folder / "tables",
                self._metrics.count_reject,
            )
            held.callback(reader.close)
            reader.open(stop.is_requested)
            consumer = Consumer(self._consumer_config())
            assignment = Assignment(
                settings.cluster,
                stage,
                STORES[settings.store],
                self._folder,
                self._health,
                self._metrics,
                stop.is_requested,
            )
            held.callback(assignment.close)
            held.callback(consumer.close)
            events = held.enter_context(_event_loop(stage))
            onward = Onward(lambda: stages_after(settings.cluster))
            held.callback(onward.close)
            loop = Loop(
                stage,
                settings.cluster.namespace,
                consumer,
                Transactor(producer, consumer, settings.fault),
                assignment,
                reader,
                marker,
                FloodLimit(settings.flood_run, settings.flood_ratio, settings.flood_window),
                self._clock,
                self._health,
                self._metrics,
                stop,
                events,
                settings.pace,
                settings.tracing,
                onward,
            )
            consumer.subscribe(
                [qualified(settings.cluster.namespace, name) for name in stage.inputs],
                on_assign=assignment.on_assign,
                on_revoke=assignment.on_revoke,
                on_lost=assignment.on_lost,
            )
            housekeeping = _Housekeeping(stage, assignment, self._clock, self._health, self._metrics)
            while not stop.is_requested():
                housekeeping.turn(loop.turn())
            self._health.enter(Phase.STOPPING)

    def _check(self) -> None:
        """Refuse a cluster that could lose data, before the first record."""
        require_answer(self._settings.cluster)
        names = [*self._stage.inputs, *self._stage.tables, TIMERS, DLQ]
        if (changelog := f"state.{self._stage.name}") in TOPICS:
            names.append(changelog)
        for finding in require_safe(self._settings.cluster, tuple(dict.fromkeys(names))):
            log.info("cluster.finding", severity=finding.severity, what=finding.what, remedy=finding.remedy)

    def _consumer_config(self) -> dict[str, Any]:
        prefix = qualified(self._settings.cluster.namespace, "")
        return consumer_config(self._settings.cluster, self._stage.name, self._name) | {
            "statistics.interval.ms": INTERVAL_MS,
            "stats_cb": lambda text: report(text, prefix, self._metrics),
            "error_cb": self._unheard,
            "logger": quiet(),
        }


class _Housekeeping:
    """What is measured every few seconds rather than at each batch."""

    def __init__(
        self, stage: Stage, assignment: Assignment, clock: Clock, health: Health, metrics: RunnerMetrics
    ) -> None:
        self._stage = stage
        self._assignment = assignment
        self._clock = clock
        self._health = health
        self._metrics = metrics
        self._due_at = 0.0
        self._is_drifting = False
        self._has_worked = True  # a start is work too

    def turn(self, did_batch: bool) -> None:
        self._has_worked |= did_batch
        if time.monotonic() < self._due_at:
            return
        self._due_at = time.monotonic() + HOUSEKEEPING_SECONDS
        if self._has_worked:
            give_back()
            self._has_worked = False
        drift = self._clock.drift_seconds()
        self._metrics.clock_drift.set(drift)
        if (abs(drift) > DRIFT_ALARM_SECONDS) is not self._is_drifting:
            self._is_drifting = not self._is_drifting
            log.error("clock.drifted" if self._is_drifting else "clock.agrees", drift_seconds=round(drift, 3))
        self._metrics.ready.set(self._health.is_ready)
        states = [one.state for one in self._assignment.owned.values()]
        self._metrics.state_entries.set(sum(state.entries() for state in states))
        if isinstance(self._stage, Measured):
            self._stage.measure(states, self._clock.now())


@contextmanager
def _event_loop(stage: Stage) -> Iterator[asyncio.AbstractEventLoop]:
    events = asyncio.new_event_loop()
    try:
        yield events
    finally:
        if isinstance(stage, Closing):
            events.run_until_complete(stage.close())
        events.run_until_complete(events.shutdown_asyncgens())
        events.close()
