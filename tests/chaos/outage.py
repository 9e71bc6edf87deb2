"""ENRICH, TRACK and SCORE are really away while people call and leads come: who loses a lead that they had called?

`python -m tests.chaos.outage` takes the place of two hours: a contact window of 5 s stands for the 5 minutes of T1,
and the stages are away for 24 windows, as many as two hours have.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from schemas.topics import PARTITIONS, KeyedBy
from streams.broker.embedded import start
from streams.kafka import topics as kafka_topics
from streams.kafka.config import ClusterSettings
from tests.chaos import division
from tests.chaos.fleet import Fleet, fleet_of
from tests.records import Outgoing, Record, Records

STAGES = ("enrich", "track", "score", "assign", "timers")
AWAY = ("enrich", "track", "score")
HOLD_SECONDS = 1
SECRET = "an-outage-secret-of-tests"
READY_SECONDS = 240.0


@dataclass(frozen=True, slots=True)
class Plan:
    """leads: of which the first half is contacted in time. meanwhile: leads that come during the outage.

    window_seconds: the contact window. windows: how many of them the stages are away for, TRACK for half of them.
    """

    leads: int = 10
    meanwhile: int = 4
    window_seconds: int = 5
    windows: float = 5


@dataclass(frozen=True, slots=True)
class Outcome:
    """contacted, silent, meanwhile: lead ids. decisions: all on leads.assigned, in order. away: from, until."""

    contacted: tuple[str, ...]
    silent: tuple[str, ...]
    meanwhile: tuple[str, ...]
    decisions: tuple[Mapping[str, Any], ...]
    away: tuple[datetime, datetime]

    def of(self, lead: str, *kinds: str) -> list[Mapping[str, Any]]:
        return [row for row in self.decisions if row["lead_id"] == lead and row["kind"] in kinds]

    @property
    def taken_away(self) -> int:
        """How many leads were reassigned though they had been contacted in time."""
        return sum(bool(self.of(lead, "reassigned")) for lead in self.contacted)

    @property
    def moved_meanwhile(self) -> int:
        """How many leads were reassigned while activity was behind."""
        until = self.away[1]
        return sum(datetime.fromisoformat(row["at"]) < until for row in self.decisions if row["kind"] == "reassigned")


def run(
    cluster: ClusterSettings,
    plan: Plan,
    folder: Path,
    partitions: Mapping[KeyedBy, int],
    say: Callable[[str], None] = lambda _: None,
) -> Outcome:
    """Do the plan on an empty namespace. Raises AssertionError where a step was not seen in time, TooSlow."""
    kafka_topics.create(cluster, partitions)
    division.hire(cluster, division.roster("main", 1_000))
    text = division.policy_text("main", "outage", plan.window_seconds)
    division.publish(cluster, [text.replace("repeat: null", f"repeat: null, hold_reassign_above_lag: {HOLD_SECONDS}s")])
    environ = {
        "LEADSTREAM_BOOTSTRAP": cluster.bootstrap,
        "LEADSTREAM_NAMESPACE": cluster.namespace,
        "LEADSTREAM_PERSON_SECRET": SECRET,
        "LEADSTREAM_STATE_DIR": str(folder / "state"),
        "LEADSTREAM_HTTP_PORT_BASE": "0",
    }
    with fleet_of(environ, folder / "logs", STAGES) as fleet:
        return _Day(Records(cluster), plan, fleet, say).outcome()


class TooSlow(AssertionError):
    """This machine did not report the calls within the contact window: a longer one is needed."""


class _Day:
    def __init__(self, records: Records, plan: Plan, fleet: Fleet, say: Callable[[str], None]) -> None:
        self._records = records
        self._plan = plan
        self._fleet = fleet
        self._say = say

    def outcome(self) -> Outcome:
        plan = self._plan
        self._leads("warm", 1, "newsletter")
        self._until(lambda rows: len(rows) >= 1, "the stages to be ready", READY_SECONDS)
        self._leads("hot", plan.leads, "demo")
        rows = self._until(lambda rows: len(_first(rows, "hot")) >= plan.leads, "all to be assigned", READY_SECONDS)
        hot = _first(rows, "hot")
        for stage in AWAY:
            assert self._fleet.kill(stage)
        began = datetime.now(UTC)
        contacted = list(hot.values())[: plan.leads // 2]
        self._calls(contacted)
        self._leads("late", plan.meanwhile, "demo")
        self._say(f"{', '.join(AWAY)} are away; {len(contacted)} of {len(hot)} leads are called in time")
        seconds = plan.windows * plan.window_seconds
        self._wait_until(began.timestamp() + seconds / 2, AWAY)
        self._wait_until(began.timestamp() + seconds, ("enrich", "score"))  # TRACK is back: now SCORE holds it up
        behind_until = datetime.now(UTC)
        self._back(AWAY)
        self._say("all are back")
        called = {row["lead_id"] for row in contacted}
        silent = {row["lead_id"] for row in hot.values()} - called

        def is_settled(rows: Sequence[Mapping[str, Any]]) -> bool:
            touched = {row["lead_id"] for row in rows if row["kind"] == "contacted"}
            moved = {row["lead_id"] for row in rows if row["kind"] == "reassigned"}
            return called <= touched and silent <= moved and len(_first(rows, "late")) >= plan.meanwhile

        rows = self._until(is_settled, "contacts to be noted, held steps done, late leads assigned", READY_SECONDS)
        late = tuple(row["lead_id"] for row in _first(rows, "late").values())
        return Outcome(tuple(sorted(called)), tuple(sorted(silent)), late, tuple(rows), (began, behind_until))

    def _leads(self, name: str, count: int, action: str) -> None:
        now = datetime.now(UTC).isoformat()
        rows = [
            Outgoing(
                f"{name}-{n}",
                {
                    "email": f"{name}{n}@{name}-{n}-labs.com",
                    "company": f"{name} {n}",
                    "employees": 300,
                    "country": "US",
                    "industry": "saas",
                    "action": action,
                    "submitted_at": now,
                },
                {"ce_id": f"{name}-{n}"},
            )
            for n in range(count)
        ]
        self._records.write("leads.raw", rows)

    def _calls(self, decisions: Sequence[Mapping[str, Any]]) -> None:
        """Report a call on each of them by its owner, now; each must be in time."""
        now = datetime.now(UTC)
        rows = []
        for n, row in enumerate(decisions):
            if now >= datetime.fromisoformat(row["sla"]["contact_due_at"]):
                raise TooSlow(f"a contact window of {self._plan.window_seconds} s")
            value = {
                "id": f"call-{n}",
                "kind": "called",
                "lead_id": row["lead_id"],
                "rep": row["owner"]["id"],
                "at": now.isoformat(),
            }
            rows.append(Outgoing(f"call-{n}", value, {"ce_id": f"call-{n}"}))
        self._records.write("leads.activity", rows)

    def _wait_until(self, when: float, away: Sequence[str]) -> None:
        """Tend the stages that are not away until `when`, seconds since 1970."""
        deadline = time.monotonic() + when - time.time()
        while time.monotonic() < deadline:
            for name, slot in self._fleet.slots.items():
                assert name in away or slot.process.poll() in (None, -9), slot.log_file.read_text()
            self._back([name for name in AWAY if name not in away])
            time.sleep(0.1)

    def _back(self, names: Sequence[str]) -> None:
        for name in names:
            if self._fleet.slots[name].process.poll() is not None:
                self._fleet.restart(name)

    def _until(
        self, condition: Callable[[Sequence[Mapping[str, Any]]], bool], what: str, seconds: float
    ) -> list[Mapping[str, Any]]:
        self._say(f"waiting for {what}")

        def holds(found: list[Record]) -> bool:
            return condition([record.json for record in found])

        return [record.json for record in self._records.read_until(["leads.assigned"], holds, seconds)]


def _first(rows: Sequence[Mapping[str, Any]], name: str) -> dict[str, Mapping[str, Any]]:
    """Return the first decision on each lead of that name, by submission."""
    found: dict[str, Mapping[str, Any]] = {}
    for row in rows:
        submission = row["lead"]["event_id"]
        if submission.startswith(f"{name}-"):
            found.setdefault(submission, row)
    return found


def main() -> int:
    """Run the two hours, shortened; return 1 where somebody lost a lead that they had called in time."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--leads", type=int, default=40)
    parser.add_argument("--windows", type=float, default=24)
    asked = parser.parse_args()
    plan = Plan(leads=asked.leads, meanwhile=10, windows=asked.windows)
    with tempfile.TemporaryDirectory(prefix="leadstream-outage-") as folder, start(Path(folder) / "kafka") as broker:
        cluster = ClusterSettings(bootstrap=broker.bootstrap, namespace="outage")
        outcome = run(cluster, plan, Path(folder), PARTITIONS, print)
    seconds = (outcome.away[1] - outcome.away[0]).total_seconds()
    print(
        f"{len(outcome.contacted)} called in time, {outcome.taken_away} of them taken away; "
        f"{len(outcome.silent)} silent, {outcome.moved_meanwhile} moved while activity was behind, "
        f"{sum(bool(outcome.of(lead, 'reassigned')) for lead in outcome.silent)} after it; "
        f"{len(outcome.meanwhile)} came meanwhile; away for {seconds:.0f} s = {asked.windows:g} windows"
    )
    return 1 if outcome.taken_away or outcome.moved_meanwhile else 0


if __name__ == "__main__":
    sys.exit(main())
