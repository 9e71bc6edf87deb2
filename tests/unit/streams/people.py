"""What the tests of SCORE and TRACK are made from: tables and a store in dicts, leads, events, and time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from routing.policy import policy_hash
from schemas.activity import ActivityBound, ActivityKind
from schemas.effects import Delete, Effect, Emit, Put
from schemas.lead import AccountRef, Company, Contact, Lead, LeadEnriched
from schemas.policy import PolicyBody, PolicyPointer
from schemas.rep import Rep
from schemas.wire import decode, encode
from streams.stage import Event, Kind

AT = datetime(2026, 3, 10, 18, 14, tzinfo=UTC)
DEFAULT = Path("routing/policies/default.yaml").read_text()


@dataclass(slots=True)
class TableRows:
    """Tables in a dict."""

    rows: dict[tuple[str, str], Any] = field(default_factory=dict)

    def get(self, table: str, key: str) -> Any | None:
        return self.rows.get((table, key))

    def put(self, table: str, key: str, row: Any) -> None:
        self.rows[table, key] = row

    def activate(self, division: str, text: str = DEFAULT) -> None:
        body = policy_hash(text)
        row = PolicyBody(hash=body, division=division, text=text, published_at=AT, published_by="ops")
        self.put("policies", body, row)
        self.put("policies", f"active/{division}", PolicyPointer(division=division, hash=body, activated_at=AT))

    def hire(self, rep: str, division: str = "main") -> None:
        self.put("reps", rep, Rep(id=rep, division=division, name=rep))


@dataclass(slots=True)
class Entries:
    """A store in a dict that keeps what a real one would: JSON, decoded when read."""

    kinds: dict[str, Kind]
    stored: dict[str, bytes] = field(default_factory=dict)

    def get(self, key: str) -> Any | None:
        found = self.stored.get(key)
        return None if found is None else self.kinds[key.split("/", 1)[0]].decode(found)

    def scan(self, prefix: str) -> Iterator[tuple[str, Any]]:
        return ((key, self.get(key)) for key in sorted(self.stored) if key.startswith(prefix))

    def take(self, effects: Sequence[Effect]) -> Sequence[Effect]:
        for effect in effects:
            if isinstance(effect, Put):
                self.stored[effect.key] = encode(effect.value) or b""
            elif isinstance(effect, Delete):
                self.stored.pop(effect.key, None)
            elif isinstance(effect, Emit) and effect.encoded is not None:
                assert decode(effect.type, 1, effect.encoded) == effect.value, "what is written is what is meant"
        return effects


def lead(event_id: str, person: str = "p1", action: str = "demo", **more: Any) -> Lead:
    given: dict[str, Any] = {
        "company": Company(employees=450, industry="saas", country="US", state="TX", region="amer"),
        "submitted_at": AT,
        "received_at": AT,
    }
    return Lead(event_id=event_id, person=person, action=action, **(given | more))


def enriched(event_id: str, person: str = "p1", action: str = "demo", **more: Any) -> LeadEnriched:
    beside = {name: more.pop(name) for name in ("is_late", "alternates", "visited") if name in more}
    about = lead(event_id, person, action, **more)
    return LeadEnriched(lead=about, contact=Contact(email="x@y.example"), enriched_at=AT, **beside)


def account(owner: str) -> AccountRef:
    return AccountRef(domain="acme.example", owner=owner, is_named=True)


def activity(kind: ActivityKind, person: str | None = "p1", lead_id: str | None = None, **more: Any) -> ActivityBound:
    given: dict[str, Any] = {"at": AT + timedelta(hours=1), "learned_at": AT + timedelta(hours=1)}
    return ActivityBound(kind=kind, person=person, lead_id=lead_id, **(given | more))


def event(value: Any, event_id: str = "e1", topic: str = "leads.enriched", key: str = "p1", **more: Any) -> Event:
    given: dict[str, Any] = {"type": "", "partition": 0, "offset": 0, "recorded_at": AT, "headers": {}}
    if isinstance(value, BaseModel):
        given["data"] = encode(value)
    return Event(id=event_id, topic=topic, key=key, value=value, **(given | more))


def emitted(effects: Sequence[Effect], topic: str = "leads.scored") -> list[Emit]:
    return [effect for effect in effects if isinstance(effect, Emit) and effect.topic == topic]
