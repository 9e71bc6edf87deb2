"""Decisions on one core, in process: the ASSIGN stage with its whole trace, journal, changelog and encoded records.

Costs are processor time, the least of several rounds: the machine may be shared. Each stands beside a bare loop over
the same records, which only decodes what comes in and encodes what goes out; it is measured between the rounds.
"""

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson
from rocksdict import IngestExternalFileOptions, SstFileWriter

from routing.policy import compile_policy
from schemas.lead import LeadScored
from schemas.policy import PolicyActivated
from schemas.rep import Rep, RepChanged
from schemas.wire import decode, encode
from streams.outbox import Outbox
from streams.runner import GC_THRESHOLDS
from streams.stage import Event, Handled
from streams.stages.assign import KINDS, AssignStage
from streams.store.memory import MemoryStore
from streams.store.rocks import RocksStore, open_rocks, store_options
from streams.store.state import PartitionState
from streams.store.store import Store
from tests.bench.inputs import AT, scored_lead
from tests.bench.setting import policy_text, roster

Say = Callable[[str, dict[str, Any]], None]
"""Told of each row as it is found: its name and figures."""

BATCH = 100
ROUNDS = 10


@dataclass(frozen=True, slots=True)
class Grid:
    """What is measured. cells: rules by reps. open_leads, backlog: the most that a store is filled with."""

    cells: tuple[tuple[int, int], ...]
    open_leads: int
    backlog: int


SMALL = Grid(((100, 10), (100, 200), (100, 2000), (10, 200), (300, 200)), 10_000, 1_000)
FULL = Grid(tuple((rules, reps) for rules in (10, 100, 300) for reps in (10, 200, 2000)), 1_000_000, 100_000)


@dataclass
class Divided:
    """One division in process, as the runner drives it but for the broker. store: of its state."""

    rules: int
    people: list[Rep]
    store: Store = field(default_factory=MemoryStore)
    now: datetime = AT  # on a shift, whenever the benchmark runs

    def __post_init__(self) -> None:
        self.policy = compile_policy(policy_text(self.rules))
        self.stage = AssignStage({self.policy.hash: self.policy}.get)
        self.state = PartitionState(self.store, KINDS)
        self.outbox = Outbox("assign", "bench")
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
        """Return scored leads as they stand in the log, submitted in the hour before, each at an instant of its own."""
        return [encode(self._scored(number)) or b"" for number in range(first, first + count)]

    def _scored(self, number: int) -> LeadScored:
        scored = scored_lead(number, policy_hash=self.policy.hash)
        submitted_at = self.now - timedelta(milliseconds=number % 3_600_000)
        return scored.model_copy(update={"lead": scored.lead.model_copy(update={"submitted_at": submitted_at})})

    def decide(self, records: list[bytes]) -> None:
        """Decode and decide one batch of scored leads."""
        self.batch([self.event("lead.scored", decode("lead.scored", 1, record)) for record in records])

    def batch(self, events: list[Event]) -> None:
        """Handle, seal and fold one batch."""
        if not events:
            return
        self.outbox.clear()
        handled = []
        for place, event in enumerate(events):
            effects = tuple(self.stage.handle(self.state, event, {}, self.now))
            self.outbox.take(place, event, effects, self.now, self.state)
            handled.append(Handled(event, self.now, effects))
        self.outbox.take(len(events), events[-1], self.stage.seal(handled), self.now, self.state)
        records = self.outbox.records()
        self.decided = [record.value for record in records if record.topic.endswith("leads.assigned")]
        records += self.outbox.changelog({0: self.state}).get(0, [])
        self.written = [record.value for record in records if record.value is not None]
        self.state.fold(0, 0.0)


def changed(rep: Rep, at: datetime) -> RepChanged:
    """Return the roster row of a rep as it enters the log."""
    return RepChanged(rep_id=rep.id, division="main", rep=rep, at=at)


def run(grid: Grid, say: Say) -> dict[str, Any]:
    """Return the figures of all parts by name."""
    before = gc.get_threshold()
    gc.set_threshold(*GC_THRESHOLDS)
    found: dict[str, Any] = {}
    try:
        for name, figures in _rows(grid):
            found[name] = figures
            say(name, figures)
        return found
    finally:
        gc.set_threshold(*before)


def _rows(grid: Grid) -> Iterator[tuple[str, dict[str, Any]]]:
    for rules, reps in grid.cells:
        yield f"decisions {rules} rules x {reps} reps", cost(Divided(rules, roster(reps)))
    yield from _history()
    yield from _open_leads(grid.open_leads)
    for held in (grid.backlog // 100, grid.backlog // 10, grid.backlog):
        yield f"drained from {held} held", _drained(held)


def _history() -> Iterator[tuple[str, dict[str, Any]]]:
    """The same division when it is new and after it has decided some thousand leads."""
    division = Divided(100, roster(200))
    for decided in (0, 5_000):
        division.decide(division.leads(10_000, decided))
        yield f"decisions after {decided} others", cost(division, first=100_000 + decided)


def _open_leads(most: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Decisions on a store on disk with more and more open leads in it."""
    with _on_disk() as (store, folder):
        division = Divided(100, roster(200), store)
        division.decide(division.leads(0, 1))
        rows = {key: value for key, value in store.scan("") if key.startswith(("lead/", "contact/", "lead-by-owner/"))}
        (told,) = (key.removeprefix("lead/") for key in rows if key.startswith("lead/"))
        held = 1
        for round_, wanted in enumerate((most // 1000, most // 10, most)):
            _fill(store, folder, rows, told, range(held, wanted))
            held = wanted
            yield f"decisions with {wanted} open leads", cost(division, first=10_000_000 + round_ * 1_000_000)


def _drained(held: int) -> dict[str, Any]:
    """What it costs to give away a held lead when room appears."""
    with _on_disk() as (store, folder):
        division = Divided(100, [_limited(rep, 0) for rep in roster(10)], store)
        division.decide(division.leads(0, 1))
        rows = {key: value for key, value in store.scan("") if key.startswith(("lead/", "contact/", "held/"))}
        (told,) = (key.removeprefix("lead/") for key in rows if key.startswith("lead/"))
        _fill(store, folder, rows, told, range(1, held))
        events = [division.event("rep.changed", changed(_limited(rep, 50), AT)) for rep in roster(10)]
        spent, drained = 0.0, 0
        for event in events:
            spent += _spent(partial(division.batch, [event]))
            drained += sum(b"It had waited" in value for value in division.decided if value is not None)
        return {"leads": drained, "us each": round(spent / max(drained, 1) * 1e6)}


def _limited(rep: Rep, limit: float) -> Rep:
    return rep.model_copy(update={"limit": limit}) if rep.team == "mm-southwest" and rep.role == "ae" else rep


def _fill(store: RocksStore, folder: Path, rows: dict[str, bytes], told: str, numbers: range) -> None:
    """Put copies of one lead's rows under other ids, in files that the store takes in whole.

    Written row by row, a million leads leave compactions to do, which then run, and count, beside what is measured.
    """
    moved = IngestExternalFileOptions()
    moved.set_move_files(True)
    for chunk in batched(numbers, 100_000):
        files = [str(folder / f"{chunk.start}-{place}.sst") for place in range(len(rows))]
        for file, (key, value) in zip(files, rows.items(), strict=True):
            writer = SstFileWriter(store_options())
            writer.open(file)
            for number in chunk:  # in the order of the keys, as such a file must be
                name = _named(told, number)
                writer[key.replace(told, name).encode()] = value.replace(told.encode(), name.encode())
            writer.finish()
        store._db.ingest_external_file(files, moved)  # only a benchmark writes a store but through its batches


def _named(told: str, number: int) -> str:
    division, person, ordinal = told.split(".")
    return f"{division}.{number:016x}{person[16:]}.{ordinal}"


def batched(numbers: range, size: int) -> Iterator[range]:
    """Yield the numbers in runs of at most `size`."""
    for first in range(numbers.start, numbers.stop, size):
        yield range(first, min(first + size, numbers.stop))


@contextmanager
def _on_disk() -> Iterator[tuple[RocksStore, Path]]:
    """Yield an empty store on disk and a folder beside it."""
    with TemporaryDirectory(prefix="leadstream-bench-") as folder:
        store = open_rocks(Path(folder) / "store")
        try:
            yield store, Path(folder)
        finally:
            store.close()


def cost(division: Divided, rounds: int = ROUNDS, first: int = 0) -> dict[str, Any]:
    """Return what a decision costs on a division as it stands, and the bare loop beside it."""
    own: list[float] = []
    bare: list[float] = []
    for number in range(rounds + 1):
        records = division.leads(first + number * BATCH, BATCH)
        spent = _spent(partial(division.decide, records))
        written = [orjson.loads(value) for value in division.written]
        bare_spent = _spent(partial(_bare, records, written))
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
