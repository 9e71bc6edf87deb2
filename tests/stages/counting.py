"""A stage that counts what it reads: `python -m tests.stages.counting`, settings as JSON in COUNTING.

Input: leads.raw, values {"person": …}. For each record the person's count goes up by one in the store, and a record
with the new count goes to leads.pending: a lost or a doubled input shows in both.
"""

import logging
import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from schemas.effects import DeadLetter, Effect, Emit, Put
from schemas.lead import RawLead
from schemas.poison import Poison
from schemas.state import StateView
from schemas.timer import WakeUp
from streams import stopping
from streams.fault import FaultPoint
from streams.kafka.config import ClusterSettings
from streams.logs import configure_logs
from streams.loop import Pace
from streams.runner import RunnerSettings, run
from streams.stage import Context, Event, Handled, Kind
from streams.store.store import StoreKind
from streams.tables import Tables


@dataclass(frozen=True, slots=True)
class Count:
    """How often a person was seen, and at which offset last."""

    seen: int
    offset: int


class Counting:
    """The stage. It takes the name of a real one, for the sake of its changelog topic."""

    name = "enrich"
    kinds: Mapping[str, Kind] = {
        "count": Kind(lambda value: Count(**orjson.loads(value))),
        "total": Kind(lambda value: Count(**orjson.loads(value)), resident=True),
    }

    def __init__(self, given: Mapping[str, Any], tables: Tables) -> None:
        self.inputs: tuple[str, ...] = tuple(given.get("inputs", ["leads.raw"]))
        self.low_priority: tuple[str, ...] = tuple(given.get("low_priority", []))
        self.tables: tuple[str, ...] = tuple(given.get("tables", []))
        self._tables = tables

    async def prepare(self, batch: Sequence[Event], state: StateView, deadline: float) -> Context:
        for event in batch:
            if event.value is None:
                continue
            if _said(event).get("do") == "kill in prepare":
                os.kill(os.getpid(), signal.SIGKILL)
            if _said(event).get("do") == "fail in prepare":
                raise RuntimeError("no look-up")
        return {}

    def handle(self, state: StateView, event: Event, context: Context, now: datetime) -> Sequence[Effect]:
        said = _said(event)
        match said.get("do"):
            case "poison":
                raise Poison("it says so")
            case "fail":
                raise KeyError("secret@example.com")
            case "set aside":
                return (DeadLetter("Refused", "it says so"),)
            case "grow":
                return (
                    Put(f"count/{said['person']}", Count(-1, -1)),
                    Emit("leads.pending", said["person"], "lead.pending", {"n": "x" * 3_000_000}),
                )
            case "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            case "pause":
                time.sleep(said["seconds"])
        found = self._tables.get("xref", said["ask"]) if "ask" in said else None
        key = f"count/{said['person']}"
        before = state.get(key)
        total = state.get("total/all")
        seen = before.seen + 1 if before else 1
        return (
            Put(key, Count(seen, event.offset)),
            Put("total/all", Count(total.seen + 1 if total else 1, event.offset)),
            Emit(
                "leads.pending",
                said["person"],
                "lead.pending",
                {"n": seen, "of": event.id, "now": now, "found": found and found.lead_id},
            ),
        )

    def seal(self, handled: Sequence[Handled]) -> Sequence[Effect]:
        return ()


def _said(event: Event) -> dict[str, Any]:
    match event.value:
        case RawLead(fields):
            return fields
        case WakeUp(waker=waker):
            return {"person": waker}
    raise Poison("no value")


def settings_from(said: Mapping[str, Any]) -> RunnerSettings:
    """Return the settings that were said: bootstrap, namespace, state_dir, and what differs from the defaults."""
    return RunnerSettings(
        cluster=ClusterSettings(bootstrap=said["bootstrap"], namespace=said["namespace"]),
        slot=said.get("slot", 1),
        state_dir=Path(said["state_dir"]),
        store=StoreKind(said.get("store", "rocksdb")),
        pace=Pace(batch_limit=said.get("batch_limit", 500)),
        http_port=said.get("http_port"),
        flood_run=said.get("flood_run", 500),
        fault=FaultPoint.parse(os.environ.get("LEADSTREAM_FAULT")),
    )


class Passing(Counting):
    """Passes each record on as it came: what is left is the runner's own cost."""

    async def prepare(self, batch: Sequence[Event], state: StateView, deadline: float) -> Context:
        return {}

    def handle(self, state: StateView, event: Event, context: Context, now: datetime) -> Sequence[Effect]:
        return (Emit("leads.pending", event.key, "lead.pending", event.value.fields),)


if __name__ == "__main__":
    configure_logs(logging.INFO)
    given = orjson.loads(os.environ["COUNTING"])
    stopping.GRACE_SECONDS = given.get("grace_seconds", stopping.GRACE_SECONDS)
    kind = Passing if given.get("pass") else Counting
    sys.exit(run(kind.name, lambda tables: kind(given, tables), settings_from(given)))
