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
from schemas.poison import Poison
from schemas.state import StateView
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
    inputs: tuple[str, ...] = ("leads.raw",)
    low_priority: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    kinds: Mapping[str, Kind] = {
        "count": Kind(lambda value: Count(**orjson.loads(value))),
        "total": Kind(lambda value: Count(**orjson.loads(value)), resident=True),
    }

    async def prepare(self, batch: Sequence[Event], state: StateView, deadline: float) -> Context:
        for event in batch:
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
        key = f"count/{said['person']}"
        before = state.get(key)
        total = state.get("total/all")
        seen = before.seen + 1 if before else 1
        return (
            Put(key, Count(seen, event.offset)),
            Put("total/all", Count(total.seen + 1 if total else 1, event.offset)),
            Emit("leads.pending", said["person"], "lead.pending", {"n": seen, "of": event.id, "now": now}),
        )

    def seal(self, handled: Sequence[Handled]) -> Sequence[Effect]:
        return ()


def _said(event: Event) -> dict[str, Any]:
    return dict(event.value.fields)


def settings_from(text: str) -> RunnerSettings:
    """Return the settings of a JSON object: bootstrap, namespace, state_dir, and what differs from the defaults."""
    said = orjson.loads(text)
    return RunnerSettings(
        cluster=ClusterSettings(bootstrap=said["bootstrap"], namespace=said["namespace"]),
        slot=said.get("slot", 1),
        state_dir=Path(said["state_dir"]),
        store=StoreKind(said.get("store", "rocksdb")),
        pace=Pace(batch_limit=said.get("batch_limit", 500)),
        http_port=said.get("http_port"),
        fault=FaultPoint.parse(os.environ.get("LEADSTREAM_FAULT")),
    )


def _stage(tables: Tables) -> Counting:
    return Counting()


if __name__ == "__main__":
    configure_logs(logging.INFO)
    sys.exit(run(_stage, settings_from(os.environ["COUNTING"])))
