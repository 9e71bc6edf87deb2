"""A lead as the board shows it: a pure fold of its decisions.

The fold works on plain JSON data, instants as Unix seconds, and so costs a fiftieth of a model of some forty fields
copied at each decision; `lead_row` makes the model for who shows it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from schemas.decision import DecisionKind, OwnerKind
from schemas.lead import Contact

Row = dict[str, Any]
"""The fields of a LeadRow as JSON data: instants as Unix seconds, contact as its fields. Absent: as by default."""

PLACED = frozenset({"assigned", "queued", "held"})
MOVED_BY_HAND = "Moved by "  # how routing/overriding.py begins the reason of a move that a person asked for
MOST_MOVES = 20  # instants of changes of owner that are kept, the latest
_STANDS = frozenset({"held", "queued", "nurtured", "quarantined"})
_PASSING = frozenset({"touched", "escalated", "contacted", "noted"})
_INSTANTS = (
    "submitted_at",
    "received_at",
    "changed_at",
    "placed_at",
    "clock_at",
    "route_due_at",
    "due_at",
    "next_at",
    "contacted_at",
    "closed_at",
    "breached_at",
)
_SHOWN = ("name", "email", "phone", "title", "linkedin")


@dataclass(frozen=True, slots=True)
class LeadRow:
    """One lead. Instants are UTC; None: not yet, or not known.

    state: the kind of the last decision that says where the lead stands (assigned, held, queued, nurtured,
    quarantined, closed). received_at, submitted_at: of the first submission. placed_at: first with a person or a queue.
    due_at: contact; next_at, next_do: the next step of the ladder. moved_at: when it changed hands. breach: its cause.
    by_hand: how often a person moved it. contact: while the lead is open, never after. places: (partition, offset) of
    its decisions on leads.assigned, the latest.
    """

    lead_id: str
    division: str
    state: str
    submitted_at: datetime
    received_at: datetime
    changed_at: datetime
    tier: str
    segment: str | None = None
    score: int = 0
    company: str | None = None
    domain: str | None = None
    company_domain: str | None = None
    employees: int | None = None
    industry: str | None = None
    country: str | None = None
    source: str | None = None
    action: str | None = None
    owner_kind: str = OwnerKind.NONE.value
    owner: str | None = None
    queue: str | None = None
    pool: str | None = None
    rule: str | None = None
    first_rule: str | None = None
    account: str | None = None
    epoch: int = 0
    touches: int = 1
    reason: str = ""
    placed_at: datetime | None = None
    clock_at: datetime | None = None
    route_due_at: datetime | None = None
    due_at: datetime | None = None
    next_at: datetime | None = None
    next_do: str | None = None
    contacted_at: datetime | None = None
    closed_at: datetime | None = None
    breach: str | None = None
    charged_to: str | None = None
    breached_at: datetime | None = None
    moved_at: tuple[datetime, ...] = ()
    by_hand: int = 0
    is_test: bool = False
    contact: Contact | None = field(default=None, repr=False)
    places: tuple[tuple[int, int], ...] = ()

    @property
    def is_open(self) -> bool:
        return self.closed_at is None


def lead_row(row: Row) -> LeadRow:
    """Return plain data as a lead."""
    given = dict(row)
    for name in _INSTANTS:
        if (at := given.get(name)) is not None:
            given[name] = datetime.fromtimestamp(at, UTC)
    given["moved_at"] = tuple(datetime.fromtimestamp(at, UTC) for at in row["moved_at"])
    given["places"] = tuple((partition, offset) for partition, offset in row.get("places", ()))
    contact = row.get("contact")
    given["contact"] = None if contact is None else Contact.model_validate(contact)
    return LeadRow(**given)


def after_decision(row: Row | None, said: Mapping[str, Any]) -> Row:
    """Return the row with a decision taken in, given as JSON data. Decisions of a lead come in order, each once.

    Raises KeyError, TypeError or ValueError where `said` is no decision.
    """
    if row is None:
        row = _opened(said)
    kind, at = said["kind"], unix(said["at"])
    changed = row | _placed(row, said, at) | _standing(row, said)
    if kind == DecisionKind.CLOSED.value:
        return changed | {"state": "closed", "closed_at": at, "contact": None, "next_at": None, "next_do": None}
    if row["closed_at"] is not None and (kind in PLACED or kind == DecisionKind.NURTURED.value):
        changed["closed_at"] = None  # the id came back to life
    if changed["closed_at"] is None and said.get("contact") is not None:
        changed["contact"] = _shown(said["contact"])
    return changed


def unix(at: str) -> float:
    """Return an instant in ISO 8601 as Unix seconds."""
    return datetime.fromisoformat(at).timestamp()


def _opened(said: Mapping[str, Any]) -> Row:
    lead = said["lead"]
    return {
        "lead_id": said["lead_id"],
        "division": said["division"],
        "submitted_at": unix(lead["submitted_at"]),
        "received_at": unix(lead["received_at"]),
        "first_rule": said.get("rule"),
        "is_test": lead.get("is_test", False),
        "state": said["kind"],
        "company": None,
        "domain": None,
        "owner_kind": OwnerKind.NONE.value,
        "owner": None,
        "pool": None,
        "rule": None,
        "account": None,
        "touches": 1,
        "placed_at": None,
        "due_at": None,
        "contacted_at": None,
        "closed_at": None,
        "breach": None,
        "breached_at": None,
        "moved_at": [],
        "by_hand": 0,
        "contact": None,
    }


def _placed(row: Row, said: Mapping[str, Any], at: float) -> Row:
    """Take in whose the lead is now, and what it is."""
    lead, owner, kind = said["lead"], said["owner"], said["kind"]
    company, who, reason = lead.get("company") or {}, owner.get("id"), said["reason"]
    moved = kind == "reassigned" or (kind in PLACED and row["owner"] is not None and row["owner"] != who)
    closing = kind == "closed"  # its decision names nobody any more; who had it stays of interest
    return {
        "state": _state(row["state"], kind),
        "changed_at": at,
        "tier": said["tier"],
        "segment": said.get("segment"),
        "score": said.get("score", 0),
        "company": company.get("name") or row["company"],
        "domain": company.get("domain") or (lead.get("mail") or {}).get("domain") or row["domain"],
        "company_domain": company.get("domain"),
        "employees": company.get("employees"),
        "industry": company.get("industry"),
        "country": company.get("country"),
        "source": lead.get("source"),
        "action": lead.get("action"),
        "owner_kind": row["owner_kind"] if closing else owner.get("kind", "none"),
        "owner": row["owner"] if closing else who,
        "queue": None if closing else owner.get("queue"),
        "pool": said.get("pool") or owner.get("pool") or row["pool"],
        "rule": said.get("rule") or row["rule"],
        "account": lead["account"]["domain"] if lead.get("account") else row["account"],
        "epoch": said["epoch"],
        "touches": max(row["touches"], said.get("touch", 1)),
        "reason": reason,
        "placed_at": row["placed_at"] or (at if kind in PLACED else None),
        "moved_at": [*row["moved_at"], at][-MOST_MOVES:] if moved else row["moved_at"],
        "by_hand": row["by_hand"] + (moved and reason.startswith(MOVED_BY_HAND)),
    }


def _state(before: str, kind: str) -> str:
    if kind in ("assigned", "reassigned"):
        return "assigned"
    if kind in _STANDS:
        return kind
    return "assigned" if before in _PASSING else before


def _standing(row: Row, said: Mapping[str, Any]) -> Row:
    """Take in the clocks."""
    sla = said.get("sla")
    if sla is None:
        return {}
    due, breach, contacted = _at(sla, "contact_due_at"), sla.get("breach"), _at(sla, "contacted_at")
    pending = [(unix(step["due_at"]), step["do"]) for step in sla.get("steps", ()) if not step.get("done_at")]
    is_waiting = bool(pending) and contacted is None and said["kind"] != "closed"
    next_at, next_do = min(pending, key=lambda step: step[0]) if is_waiting else (None, None)
    return {
        "clock_at": unix(sla["clock_at"]),
        "route_due_at": _at(sla, "route_due_at"),
        "due_at": due,
        "contacted_at": contacted,
        "next_at": next_at,
        "next_do": next_do,
        "breach": breach,
        "charged_to": sla.get("breach_charged_to"),
        "breached_at": (row["breached_at"] or due) if breach else None,
    }


def _at(sla: Mapping[str, Any], name: str) -> float | None:
    said = sla.get(name)
    return None if said is None else unix(said)


def _shown(contact: Mapping[str, Any]) -> Row:
    """Return what the board keeps of a contact: who it is, not what they wrote nor the raw payload."""
    kept = {name: value for name in _SHOWN if (value := contact.get(name)) is not None}
    if "name" not in kept:
        parts = [part for part in (contact.get("first_name"), contact.get("last_name")) if part]
        kept |= {"name": " ".join(parts)} if parts else {}
    return kept
