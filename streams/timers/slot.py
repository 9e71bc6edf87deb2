"""Runs one slot of TIMERS: the process's whole life. It acts on time, not only on records, hence a loop of its own."""

import gc
import time
from contextlib import ExitStack
from typing import Any

import structlog
from confluent_kafka import Consumer, Producer
from prometheus_client import CollectorRegistry

from streams.clock import Clock, SteadyClock
from streams.connecting import Unheard, initialise, quiet, until_reachable
from streams.ending import served
from streams.health import Health, Phase
from streams.kafka.config import consumer_config, producer_config, qualified
from streams.kafka.topics import require_safe
from streams.metrics import RunnerMetrics
from streams.runner import DRIFT_ALARM_SECONDS, GC_THRESHOLDS, HOUSEKEEPING_SECONDS, RunnerSettings
from streams.statistics import INTERVAL_MS, report
from streams.stopping import Stop
from streams.timers.lag import PATH, ActivityLag
from streams.timers.loop import TimersLoop
from streams.timers.metrics import TimersMetrics
from streams.timers.partitions import Partitions
from streams.timers.record import STAGE, TOPIC
from streams.transaction import Transactor

# What a wake-up may be sent to, and what the lag is measured on.
TOPICS_USED = (TOPIC, "leads.scored", "leads.enriched", "leads.activity", "leads.pending", "leads.redeliver")

log = structlog.get_logger()


def run(settings: RunnerSettings, registry: CollectorRegistry | None = None, *, clock: Clock | None = None) -> int:
    """Run TIMERS until SIGTERM or SIGINT, or until going on could lose or double a fire; return the exit code.

    For the main thread of a process. settings.store and settings.pace are not used: the index is on disk always.
    """
    registry = registry or CollectorRegistry()
    gc.set_threshold(*GC_THRESHOLDS)  # a transaction's fires are 100,000 values that live as long as it does

    def serve(stop: Stop, health: Health) -> None:
        _Slot(settings, clock or SteadyClock(), health, registry, stop).serve()

    return served(STAGE, settings.slot, (settings.http_host, settings.http_port), registry, serve)


class _Slot:
    """What the process holds while it serves; each part is let go of in reverse order, whatever happens."""

    def __init__(
        self, settings: RunnerSettings, clock: Clock, health: Health, registry: CollectorRegistry, stop: Stop
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._health = health
        self._runner = RunnerMetrics(registry, STAGE)
        self._metrics = TimersMetrics(registry)
        self._stop = stop
        self._name = f"{STAGE}-{settings.slot}"
        self._folder = settings.state_dir / (settings.cluster.namespace or "_") / self._name

    def serve(self) -> None:
        """Connect, catch up, and go round until asked to end."""
        settings, stop = self._settings, self._stop
        until_reachable(self._check, STAGE, stop, self._health)
        with ExitStack() as held:
            if settings.tracing is not None:
                held.callback(settings.tracing.close)
            watching = {"error_cb": Unheard(STAGE), "logger": quiet()}
            producer = Producer(producer_config(settings.cluster, self._name) | watching)
            until_reachable(lambda: initialise(producer), STAGE, stop, self._health)
            consumer = Consumer(self._consumer_config() | watching)
            partitions = Partitions(
                settings.cluster, self._folder, self._health, self._runner, self._metrics, stop.is_requested
            )
            held.callback(partitions.close)
            held.callback(consumer.close)
            held.callback(partitions.retire)
            lag = ActivityLag(settings.cluster, PATH)
            lag.start()
            held.callback(lag.close)
            loop = TimersLoop(
                settings.cluster.namespace,
                consumer,
                Transactor(producer, consumer, settings.fault),
                partitions,
                lag,
                self._clock,
                self._health,
                self._runner,
                self._metrics,
                stop,
                settings.tracing,
            )
            consumer.subscribe(
                [qualified(settings.cluster.namespace, TOPIC)],
                on_assign=partitions.on_assign,
                on_revoke=partitions.on_revoke,
                on_lost=partitions.on_lost,
            )
            self._go_round(loop, partitions, lag)

    def _go_round(self, loop: TimersLoop, partitions: Partitions, lag: ActivityLag) -> None:
        measure_at = 0.0
        while not self._stop.is_requested():
            loop.turn()
            if time.monotonic() >= measure_at:
                measure_at = time.monotonic() + HOUSEKEEPING_SECONDS
                self._measure(partitions, lag)
        self._health.enter(Phase.STOPPING)

    def _measure(self, partitions: Partitions, lag: ActivityLag) -> None:
        drift = self._clock.drift_seconds()
        self._runner.clock_drift.set(drift)
        if abs(drift) > DRIFT_ALARM_SECONDS:
            log.error("clock.drifted", stage=STAGE, drift_seconds=round(drift, 3))
        self._runner.ready.set(self._health.is_ready)
        self._metrics.pending.set(sum(index.entries() for index in partitions.indexes.values()))
        seconds = lag.seconds()
        if seconds is not None:
            self._metrics.activity_lag.set(seconds)

    def _check(self) -> None:
        """Refuse a cluster that could lose data, before the first record."""
        for finding in require_safe(self._settings.cluster, TOPICS_USED):
            log.info("cluster.finding", severity=finding.severity, what=finding.what, remedy=finding.remedy)

    def _consumer_config(self) -> dict[str, Any]:
        prefix = qualified(self._settings.cluster.namespace, "")
        return consumer_config(self._settings.cluster, STAGE, self._name) | {
            "statistics.interval.ms": INTERVAL_MS,
            "stats_cb": lambda text: report(text, prefix, self._runner),
        }
