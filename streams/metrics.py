"""The runner's metrics: one object a process, on a registry that is passed in."""

import time
from collections.abc import Mapping
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_SECONDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_RECORDS = (1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000)
STEPS = ("consume", "decode", "prepare", "handle", "commit", "fold")
"""Of a batch, in order: the wait for records, reading them, look-ups, our code, Kafka's transaction, the disk."""


class RunnerMetrics:
    """Counters and gauges of one stage's slot. Labels: stage, and topic (logical name) or step, all closed sets."""

    def __init__(self, registry: CollectorRegistry, stage: str) -> None:
        self._stage = stage
        self._work(registry, stage)
        self._lags(registry, stage)
        self._stores(registry, stage)
        self._process(registry, stage)
        self._watermark: float | None = None
        self._stable: dict[tuple[str, str], tuple[int, float]] = {}
        self._watermark_lag.set_function(self._behind)
        # Looked up once: a batch of one record is timed six times and counted.
        self._by_step = {step: self._steps.labels(stage, step) for step in STEPS}
        self._by_topic: dict[str, Counter] = {}

    def _work(self, registry: CollectorRegistry, stage: str) -> None:
        """Make what tells how fast it goes."""
        # Input records committed. Flat while lag rises: the stage is stuck; look at its log.
        self._records = Counter(
            "leadstream_streams_records_total", "Input records committed.", ["stage", "topic"], registry=registry
        )
        # Records a transaction. At the batch limit all the time: the stage is at its rate; add slots.
        self.batch = Histogram(
            "leadstream_streams_batch_records", "Records a transaction.", ["stage"], buckets=_RECORDS, registry=registry
        ).labels(stage)
        # Where a batch's time goes: consume (waiting for records), decode (from bytes to events), prepare (look-ups),
        # handle (our code), commit (Kafka), fold (the disk). Mostly consume: the stage idles. Mostly commit: look
        # at the brokers.
        self._steps = Histogram(
            "leadstream_streams_step_seconds",
            "Time a batch spends in a step.",
            ["stage", "step"],
            buckets=_SECONDS,
            registry=registry,
        )
        # Committed transactions. None for a minute while lag is above zero: page.
        self.transactions = Counter(
            "leadstream_streams_transactions_total", "Transactions committed.", ["stage"], registry=registry
        ).labels(stage)
        # Taken back and done again, because a record was larger than Kafka takes. See leads.dlq.
        self.aborts = Counter(
            "leadstream_streams_aborts_total", "Transactions taken back and done again.", ["stage"], registry=registry
        ).labels(stage)
        # Records set aside. Any: look at `leadstream dlq list`; many: a bad deploy or a changed upstream.
        self.dead_letters = Counter(
            "leadstream_streams_dead_letters_total",
            "Records sent to the dead-letter topic.",
            ["stage"],
            registry=registry,
        ).labels(stage)

    def _lags(self, registry: CollectorRegistry, stage: str) -> None:
        """Make what tells how far behind it is, and who holds it up."""
        # Committed records not read yet, all partitions. Rising: the stage is slower than its input.
        self._lag = Gauge(
            "leadstream_streams_lag_records", "Records not read yet.", ["stage", "topic"], registry=registry
        )
        # Seconds between now and the stage's watermark (the last record it committed), 0 at the end of its input; it
        # goes on rising while a stage hangs. Rising while lag in records is flat: one partition is stuck.
        self._watermark_lag = Gauge(
            "leadstream_streams_watermark_lag_seconds",
            "Age of the last record handled; 0 at the end.",
            ["stage"],
            registry=registry,
        ).labels(stage)
        # High watermark minus last stable offset. Above a batch for 30 s: a hung producer holds all readers up.
        self._stable_distance = Gauge(
            "leadstream_streams_stable_distance_records",
            "Records behind an open transaction.",
            ["stage"],
            registry=registry,
        ).labels(stage)
        # For how long the last stable offset of an input partition has stood still below its high watermark, at most.
        # Above 25 s: a producer hangs in a transaction (ours are ended within 20 s), its readers wait.
        self._stable_stuck = Gauge(
            "leadstream_streams_stable_stuck_seconds",
            "How long a stable offset has stood still below its high watermark.",
            ["stage"],
            registry=registry,
        ).labels(stage)
        # Input partitions paused at a record of a newer schema version. Above 0: finish the rolling deploy.
        self._held = Gauge(
            "leadstream_streams_held_partitions",
            "Partitions paused at a newer schema.",
            ["stage", "topic"],
            registry=registry,
        )

    def _stores(self, registry: CollectorRegistry, stage: str) -> None:
        """Make what tells of its state and tables."""
        # Entries in the stores, as estimated by them. Growing without new leads: something is never removed.
        self.state_entries = Gauge(
            "leadstream_streams_state_entries", "Entries in the stores, estimated.", ["stage"], registry=registry
        ).labels(stage)
        # How long the last assignment took to restore, and what it read. Long: keep the state folder over restarts.
        self.restore_seconds = Gauge(
            "leadstream_streams_restore_seconds", "Duration of the last restore.", ["stage"], registry=registry
        ).labels(stage)
        # Changelog records that restores read. As many as the state has entries: the folder was lost.
        self.restored_records = Counter(
            "leadstream_streams_restored_records_total",
            "Changelog records read by restores.",
            ["stage"],
            registry=registry,
        ).labels(stage)
        # Stores thrown away and rebuilt. More than one an assignment: the folder is shared or restored from a copy.
        self.wiped_stores = Counter(
            "leadstream_streams_wiped_stores_total", "Stores wiped and rebuilt.", ["stage"], registry=registry
        ).labels(stage)
        # Records of a table that could not be read; the value before stands. Any: look at the log for the key.
        self._rejected = Counter(
            "leadstream_streams_table_rejects_total", "Unreadable table records.", ["stage", "topic"], registry=registry
        )

    def _process(self, registry: CollectorRegistry, stage: str) -> None:
        """Make what tells of the process itself."""
        # Wall time minus the process's clock. Beyond 1 s either way: mend the machine's time, then restart.
        self.clock_drift = Gauge(
            "leadstream_streams_clock_drift_seconds", "Wall time minus the clock in use.", ["stage"], registry=registry
        ).labels(stage)
        # 1 while partitions are assigned, restored and served. 0 for minutes: the broker is away or a restore is long.
        self.ready = Gauge("leadstream_streams_ready", "1 when ready.", ["stage"], registry=registry).labels(stage)
        # When the process started. Three changes in five minutes: it ends again and again, its last log line says why.
        Gauge(
            "leadstream_streams_started_timestamp_seconds", "When the process started.", ["stage"], registry=registry
        ).labels(stage).set_to_current_time()

    def count_records(self, topic: str, records: int) -> None:
        counter = self._by_topic.get(topic)
        if counter is None:
            counter = self._by_topic[topic] = self._records.labels(self._stage, topic)
        counter.inc(records)

    def time_step(self, step: str, seconds: float) -> None:
        self._by_step[step].observe(seconds)

    def set_lag(self, topic: str, records: int) -> None:
        self._lag.labels(self._stage, topic).set(records)

    def set_held(self, topic: str, partitions: int) -> None:
        self._held.labels(self._stage, topic).set(partitions)

    def count_reject(self, topic: str) -> None:
        self._rejected.labels(self._stage, topic).inc()

    def set_watermark(self, recorded_at: datetime | None) -> None:
        """Note when the last record that was committed was written; None: there is nothing left to read."""
        self._watermark = None if recorded_at is None else recorded_at.timestamp()

    def set_stable(self, offsets: Mapping[tuple[str, str], tuple[int, int]], now: float) -> None:
        """Note the high watermark and last stable offset of each input partition. now: monotonic seconds."""
        before, self._stable = self._stable, {}
        for spot, (high, stable) in offsets.items():
            if high <= stable:
                continue
            known = before.get(spot)
            self._stable[spot] = known if known is not None and known[0] == stable else (stable, now)
        self._stable_distance.set(sum(high - stable for high, stable in offsets.values() if high > stable))
        self._stable_stuck.set(max((now - since for _, since in self._stable.values()), default=0.0))

    def _behind(self) -> float:
        """Asked at each scrape, so that a stage that hangs is seen falling behind. Kafka's stamps are wall time."""
        watermark = self._watermark
        return 0.0 if watermark is None else max(0.0, time.time() - watermark)
