"""A CRM that was away for hours: what was decided meanwhile, what people did there, and the commands that mend it."""

import asyncio
import random
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

from schemas.decision import Decision
from schemas.wire import encode, headers_for
from streams.kafka.config import ClusterSettings
from tests.lab.decisions import REPS, contact, decision, notice
from tests.records import Outgoing, Records

OWNERS = ("7001", "7002", "7003")
HOURS = 2.0


@dataclass(frozen=True, slots=True)
class Ran:
    """A command's end: its JSON, or what it said on stderr."""

    code: int
    said: Any
    error: str


def roster() -> list[Outgoing]:
    """Return three reps with ids in the CRM."""
    people = {f"R{n}": REPS["M1"].model_copy(update={"id": f"R{n}", "crm_id": owner}) for n, owner in enumerate(OWNERS)}
    return [Outgoing(name, encode(rep), {"ce_type": "rep.put"}) for name, rep in people.items()]


def decided(number: int, at: datetime) -> Decision:
    """Return the assignment of lead `number` to one of the three."""
    person = f"{number:032x}"
    return decision(
        notice(),
        notice(id="crm", audience="crm", recipients=(), channels=("crm",)),
        decision_id=f"d{number}",
        lead_id=f"main.{person}.1",
        person=person,
        at=at,
        owner={"kind": "rep", "id": f"R{number % len(OWNERS)}"},
        contact=contact(email=f"p{number}@lone.example"),
    )


def decisions(leads: int, hours: float = HOURS) -> list[Outgoing]:
    """Return so many assignments, spread over the hours that end two minutes ago."""
    end = datetime.now(UTC) - timedelta(minutes=2)
    start = end - timedelta(hours=hours)
    found = []
    for number in range(leads):
        at = start + (end - start) * number / leads
        one = decided(number, at)
        headers = headers_for(one.decision_id, "lead.decided", "leadstream/assign", at, {})
        found.append(Outgoing(one.person, encode(one), {name: value.decode() for name, value in headers}))
    return found


async def command(cluster: ClusterSettings, channels: Mapping[str, Any], *arguments: str) -> Ran:
    """Run `leadstream crm …` and return its end."""
    env = {
        "LEADSTREAM_BOOTSTRAP": cluster.bootstrap,
        "LEADSTREAM_NAMESPACE": cluster.namespace,
        "LEADSTREAM_CHANNELS": orjson.dumps(channels).decode(),
        "PATH": str(Path(sys.executable).parent),
    }
    line = [sys.executable, "-m", "streams.cli.main", "crm", *arguments, "--json"]
    done = await asyncio.to_thread(subprocess.run, line, capture_output=True, env=env, check=False)
    said = orjson.loads(done.stdout) if done.stdout.strip() else {}
    return Ran(done.returncode, said, done.stderr.decode())


def meddled(org: Any, contacts: Mapping[str, str], seed: int) -> dict[str, str]:
    """Let people give every tenth lead that the CRM has to somebody else; return lead -> new owner's rep id."""
    chance = random.Random(seed)
    moved: dict[str, str] = {}
    for lead_id, contact_id in sorted(contacts.items()):
        if chance.random() < 0.1:
            now = org.things["contacts"][contact_id].properties["hubspot_owner_id"]
            to = chance.choice([owner for owner in OWNERS if owner != now])
            org.put("contacts", {"hubspot_owner_id": to}, contact_id)
            moved[lead_id] = f"R{OWNERS.index(to)}"
    return moved


def written(cluster: ClusterSettings, leads: int) -> Records:
    """Write roster and decisions; return what reads the topics."""
    records = Records(cluster)
    records.write("reps", roster())
    records.write("leads.assigned", decisions(leads))
    return records
