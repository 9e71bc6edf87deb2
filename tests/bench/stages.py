"""What a record costs a stage on one core, in process: the real loop over records in memory, all but Kafka's client.

`python -m tests.bench.stages [enrich|score|track] [--profile]`. Costs are processor time, the least of several rounds,
as the machine may be shared. Each stands beside a bare loop, which reads and writes the same records as the copy loop
does.
"""

import argparse
import asyncio
import cProfile
import gc
import logging
import pstats
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import count as counted
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

from confluent_kafka import Consumer, Message, Producer
from prometheus_client import CollectorRegistry

from enrichment.metrics import ProviderMetrics
from enrichment.opening import opened
from enrichment.providers.pool import Pool
from enrichment.providers.registry import Tools
from routing.policy import compile_policy
from schemas.org import Org
from schemas.policy import PolicyBody, PolicyPointer
from streams.assignment import Assignment, Owned
from streams.clock import SteadyClock
from streams.deadletter import FloodLimit
from streams.health import Health
from streams.kafka.config import ClusterSettings
from streams.logs import configure_logs
from streams.loop import Loop, Pace
from streams.marker import Marker
from streams.metrics import RunnerMetrics
from streams.offsets import EPOCH
from streams.runner import GC_THRESHOLDS
from streams.stage import Stage
from streams.stages.division import division_rules
from streams.stages.enrich import EnrichStage
from streams.stages.score import Score
from streams.stages.track import Track
from streams.stopping import Stop
from streams.store.rocks import open_rocks
from streams.store.state import PartitionState
from streams.store.store import Position
from streams.tables import TableReader, Tables
from streams.transaction import Transactor
from tests.bench.inputs import AT, SECRET, activity, enriched, raw
from tests.bench.setting import policy_text
from tests.records import Outgoing

BATCH = 500
ROUNDS = 3
PARTITIONS = 6


@dataclass(slots=True)
class Rows:
    """Tables in a dict."""

    rows: dict[tuple[str, str], Any] = field(default_factory=dict)

    def get(self, table: str, key: str) -> Any | None:
        """Return the row, or None."""
        return self.rows.get((table, key))

    def scan(self, table: str, prefix: str = "") -> Iterator[tuple[str, Any]]:
        """Yield nothing: no stage here lists a table."""
        return iter(())


def score() -> Stage:
    """Return SCORE under the default policy."""
    text = policy_text(20)
    policy = compile_policy(text)
    body = PolicyBody(hash=policy.hash, division="main", text=text, published_at=AT, published_by="bench")
    pointer = PolicyPointer(division="main", hash=policy.hash, activated_at=AT)
    rows = Rows({("policies", policy.hash): body, ("policies", "active/main"): pointer})
    return Score(rows, division_rules(Org()), lambda reason: None)


def track() -> Stage:
    """Return TRACK."""
    return Track(Rows(), lambda email: None)


def enrich() -> Stage:
    """Return ENRICH with the providers of the default org file."""
    org, rows = Org(), Rows()
    watch = ProviderMetrics(CollectorRegistry(), org.enrichment.providers)
    clock = SteadyClock().now
    waterfall = opened(org, Tools(rows, lambda name: "", Pool()), SECRET, clock, watch=watch)
    return EnrichStage(org, SECRET, rows, waterfall, clock, watch.covered)


STAGES: Mapping[str, tuple[Callable[[], Stage], Callable[[int], Iterator[Outgoing]]]] = {
    "enrich": (enrich, raw),
    "track": (track, activity),
    "score": (score, enriched),
}


@dataclass(slots=True)
class Log:
    """Stands for consumer and producer: gives what waits, takes what is written."""

    waiting: list[Message] = field(default_factory=list)
    told: list[Callable[..., None]] = field(default_factory=list)
    written: int = 0

    def poll(self, seconds: float = 0) -> Message | None:
        """Return the next record; call back for what was committed."""
        return self.waiting.pop(0) if self.waiting else None

    def consume(self, limit: int, seconds: float) -> list[Message]:
        """Return the next records."""
        taken, self.waiting = self.waiting[:limit], self.waiting[limit:]
        return taken

    def produce(
        self, topic: str, value: bytes | None, key: Any, partition: int, headers: Any = None, on_delivery: Any = None
    ) -> None:
        """Count a record."""
        self.written += 1
        if on_delivery is not None:
            on_delivery(None, Message(topic=topic, partition=partition, offset=self.written))

    def begin_transaction(self) -> None:
        """Do nothing."""

    def send_offsets_to_transaction(self, *given: Any) -> None:
        """Do nothing."""

    def consumer_group_metadata(self) -> None:
        """Return nothing."""

    def commit_transaction(self, seconds: float) -> None:
        """Do nothing."""


class Running:
    """One slot of a stage over a `Log`, its state in RocksDB."""

    def __init__(self, stage: Stage, folder: Path) -> None:
        self.log = Log()
        self._offsets = [counted() for _ in range(PARTITIONS)]
        self.stage = stage
        cluster, health, stop = ClusterSettings(bootstrap="nowhere:1"), Health(), Stop()
        metrics = RunnerMetrics(CollectorRegistry(), stage.name)
        assignment = Assignment(cluster, stage, open_rocks, folder, health, metrics, stop.is_requested)
        for number in range(PARTITIONS):
            store = open_rocks(folder / str(number))
            store.fold({}, Position("t", 0, 0.0))
            assignment.owned[number] = Owned(PartitionState(store, stage.kinds), EPOCH)
        self._events = asyncio.new_event_loop()
        self.assignment = assignment
        self.loop = Loop(
            stage,
            "",
            cast(Consumer, self.log),
            Transactor(cast(Producer, self.log), cast(Consumer, self.log)),
            assignment,
            TableReader(cluster, [], Tables(), open_rocks, folder, print),
            Marker(folder),
            FloodLimit(500, 0.5, 1_000),
            SteadyClock(),
            health,
            metrics,
            stop,
            self._events,
            Pace(),
        )

    def messages(self, records: Sequence[Outgoing]) -> list[Message]:
        """Return the records as a consumer gives them, spread over the partitions."""
        stamp = (1, int(AT.timestamp() * 1000))
        return [
            Message(
                topic=self.stage.inputs[0],
                partition=(number := place % PARTITIONS),
                offset=next(self._offsets[number]),
                key=record.key.encode() if isinstance(record.key, str) else record.key,
                value=record.value,
                headers=[(name, text.encode()) for name, text in record.headers.items()],
                timestamp=stamp,
            )
            for place, record in enumerate(records)
        ]

    def handle(self, messages: list[Message]) -> None:
        """Take one batch through the loop."""
        self.log.waiting = messages
        self.loop.turn()

    def close(self) -> None:
        """Let go of stores and event loop."""
        self.assignment.close()
        self._events.close()


def cost(name: str, profile: cProfile.Profile | None = None) -> dict[str, float]:
    """Return what a record costs a stage, and the bare loop beside it, in microseconds."""
    make, records = STAGES[name]
    made = records(BATCH * (ROUNDS + 1))
    own: list[float] = []
    bare: list[float] = []
    with TemporaryDirectory(prefix="leadstream-bench-") as folder:
        running = Running(make(), Path(folder))
        for number in range(ROUNDS + 1):
            messages = running.messages([next(made) for _ in range(BATCH)])
            bare_spent = _spent(partial(_bare, Log(), messages))
            if profile is not None and number:
                profile.enable()
            spent = _spent(partial(running.handle, list(messages)))
            if profile is not None:
                profile.disable()
            if number:  # the first warms up
                own.append(spent)
                bare.append(bare_spent)
        running.close()
    return {"us": round(min(own) / BATCH * 1e6, 1), "bare us": round(min(bare) / BATCH * 1e6, 1)}


def run() -> dict[str, dict[str, float]]:
    """Return the costs of all stages here by name."""
    return {f"one record of {name}, in process": cost(name) for name in STAGES}


def _bare(log: Log, messages: list[Message]) -> None:
    offsets = {}
    for message in messages:
        log.produce("copy", message.value(), message.key(), -1, headers=message.headers() or [])
        offsets[message.topic(), message.partition()] = message.offset()


def _spent(work: Callable[[], None]) -> float:
    gc.collect()
    started = time.process_time()
    work()
    return time.process_time() - started


def main() -> None:
    """Print the costs; with --profile where the time goes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stages", nargs="*", default=[*STAGES])
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("--sort", default="tottime", help="as pstats has it")
    parser.add_argument("--rows", type=int, default=45)
    asked = parser.parse_args()
    configure_logs(logging.WARNING)
    gc.set_threshold(*GC_THRESHOLDS)
    for name in asked.stages:
        profile = cProfile.Profile() if asked.profile else None
        print(name, cost(name, profile))
        if profile is not None:
            pstats.Stats(profile).sort_stats(asked.sort).print_stats(asked.rows)


if __name__ == "__main__":
    main()
