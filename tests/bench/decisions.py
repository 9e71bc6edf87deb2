"""Decisions on one core, in process: the ASSIGN stage with its whole trace, journal, changelog and encoded records.

Costs are processor time, the least of several rounds: the machine may be shared. Each stands beside a bare loop over
the same records, which only decodes what comes in and encodes what goes out; it is measured between the rounds.
"""

import gc
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson

from routing.policy import compile_policy
from schemas.policy import PolicyActivated
from schemas.rep import Rep, RepChanged
from schemas.wire import decode, encode
from streams.outbox import Outbox
from streams.runner import GC_THRESHOLDS
from streams.stage import Event, Handled
from streams.stages.assign import KINDS, AssignStage
from streams.store.memory import MemoryStore
from streams.store.state import PartitionState
from streams.store.store import Store
from tests.bench.inputs import scored_lead
from tests.bench.setting import policy_text, roster

RULES = (10, 100, 300)
REPS = (10, 200, 2000)
BATCH = 100
ROUNDS = 25


@dataclass
class Divided:
    """One division in process, as the runner drives it but for the broker. store: of its state."""

    rules: int
    people: list[Rep]
    store: Store = field(default_factory=MemoryStore)

    def __post_init__(self) -> None:
        self.policy = compile_policy(policy_text(self.rules))
        self.stage = AssignStage({self.policy.hash: self.policy}.get)
        self.state = PartitionState(self.store, KINDS)
        self.outbox = Outbox("assign", "bench")
        self.now = datetime.now(UTC)
        self.offset = 0
        self.written: list[bytes] = []  # what the latest batch put on topics and changelog
        activated = PolicyActivated(division="main", hash=self.policy.hash, by="bench", reason="bench", at=self.now)
        self.batch([self.event("policy.activated", activated)])
        self.batch([self.event("rep.changed", changed(rep, self.now)) for rep in self.people])

    def event(self, kind: str, value: Any) -> Event:
        """Return `value` as the next record of the division's log."""
        self.offset += 1
        return Event(f"{kind}-{self.offset}", kind, "leads.scored", 0, self.offset, "main", value, self.now, {})

    def leads(self, first: int, count: int) -> list[bytes]:
        """Return scored leads as they stand in the log."""
        numbers = range(first, first + count)
        return [encode(scored_lead(number, policy_hash=self.policy.hash)) or b"" for number in numbers]

    def decide(self, records: list[bytes]) -> None:
        """Decode and decide one batch of scored leads."""
        self.batch([self.event("lead.scored", decode("lead.scored", 1, record)) for record in records])

    def batch(self, events: list[Event]) -> None:
        """Handle, seal and fold one batch."""
        self.outbox.clear()
        handled = []
        for place, event in enumerate(events):
            effects = tuple(self.stage.handle(self.state, event, {}, self.now))
            self.outbox.take(place, event, effects, self.now, self.state)
            handled.append(Handled(event, self.now, effects))
        self.outbox.take(len(events), events[-1], self.stage.seal(handled), self.now, self.state)
        records = [*self.outbox.records(), *self.outbox.changelog({0: self.state})[0]]
        self.written = [record.value for record in records if record.value is not None]
        self.state.fold(0, 0.0)


def changed(rep: Rep, at: datetime) -> RepChanged:
    """Return the roster row of a rep as it enters the log."""
    return RepChanged(rep_id=rep.id, division="main", rep=rep, at=at)


def run(open_leads: int = 1_000_000, backlog: int = 100_000) -> dict[str, Any]:
    """Return the figures of all parts by name."""
    gc.set_threshold(*GC_THRESHOLDS)
    found: dict[str, Any] = {}
    for rules in RULES:
        for reps in REPS:
            found[f"decisions {rules} rules x {reps} reps"] = cost(Divided(rules, roster(reps)))
    return found


def cost(division: Divided, rounds: int = ROUNDS, first: int = 0) -> dict[str, Any]:
    """Return what a decision costs on a division as it stands, and the bare loop beside it."""
    own: list[float] = []
    bare: list[float] = []
    for number in range(rounds + 1):
        records = division.leads(first + number * BATCH, BATCH)
        spent = _spent(lambda records=records: division.decide(records))  # type: ignore[misc]
        written = [orjson.loads(value) for value in division.written]
        bare_spent = _spent(lambda records=records, written=written: _bare(records, written))  # type: ignore[misc]
        if number:  # the first warms up
            own.append(spent)
            bare.append(bare_spent)
    best, least = min(own) / BATCH, min(bare) / BATCH
    return {
        "us": round(best * 1e6),
        "per second": round(1 / best),
        "bare us": round(least * 1e6),
        "ratio": round(best / least, 1),
    }


def _bare(records: list[bytes], written: list[Any]) -> None:
    for record in records:
        decode("lead.scored", 1, record)
    for value in written:
        orjson.dumps(value)


def _spent(work: Callable[[], None]) -> float:
    gc.collect()
    started = time.process_time()
    work()
    return time.process_time() - started
