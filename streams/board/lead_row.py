"""A lead as the board shows it: a pure fold of its decisions."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from schemas.decision import Decision, DecisionKind, OwnerKind
from schemas.lead import Contact

PLACED = frozenset({DecisionKind.ASSIGNED, DecisionKind.QUEUED, DecisionKind.HELD})
MOVED_BY_HAND = "Moved by "  # how routing/acting.py begins the reason of a move that a person asked for
MOST_MOVES = 20  # instants of changes of owner that are kept, the latest


@dataclass(frozen=True, slots=True)
class LeadRow:
    """One lead. Instants are UTC; None: not yet, or not known.

    state: the kind of the last decision that says where the lead stands (assigned, held, queued, nurtured,
    quarantined, closed). received_at, submitted_at: of the first submission. placed_at: first with a person or a queue.
    due_at: contact; next_at, next_do: the next step of the ladder. moved_at: when it changed hands. breach: its cause.
    by_hand: how often a person moved it. contact: while the lead is open, never after.
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

    @property
    def is_open(self) -> bool:
        return self.closed_at is None


def after_decision(row: LeadRow | None, decision: Decision) -> LeadRow:
    """Return the row with a decision taken in. Decisions of a lead come in order, each once."""
    if row is None:
        row = _opened(decision)
    changed = _placed(row, decision) | _standing(row, decision)  # one replace: each copies some forty fields
    if decision.kind is DecisionKind.CLOSED:
        ended = {"state": "closed", "closed_at": decision.at, "contact": None, "next_at": None, "next_do": None}
        return replace(row, **(changed | ended))
    closed_at = row.closed_at
    if closed_at is not None and decision.kind in (*PLACED, DecisionKind.NURTURED):
        closed_at = None  # the id came back to life
    if closed_at is None and decision.contact is not None:
        changed["contact"] = _shown(decision.contact)
    return replace(row, closed_at=closed_at, **changed)


def _opened(decision: Decision) -> LeadRow:
    lead = decision.lead
    return LeadRow(
        lead_id=decision.lead_id,
        division=decision.division,
        state=decision.kind.value,
        submitted_at=lead.submitted_at,
        received_at=lead.received_at,
        changed_at=decision.at,
        tier=decision.tier,
        first_rule=decision.rule,
        is_test=lead.is_test,
    )


def _placed(row: LeadRow, decision: Decision) -> dict[str, Any]:
    """Take in whose the lead is now, and what it is."""
    lead, owner = decision.lead, decision.owner
    moved = decision.kind is DecisionKind.REASSIGNED or (
        decision.kind in PLACED and row.owner is not None and row.owner != owner.id
    )
    by_hand = decision.reason.startswith(MOVED_BY_HAND)
    closing = decision.kind is DecisionKind.CLOSED  # its decision names nobody any more; who had it stays of interest
    return {
        "state": _state(row, decision),
        "changed_at": decision.at,
        "tier": decision.tier,
        "segment": decision.segment,
        "score": decision.score,
        "company": lead.company.name or row.company,
        "domain": lead.company.domain or lead.mail.domain or row.domain,
        "company_domain": lead.company.domain,
        "employees": lead.company.employees,
        "industry": lead.company.industry,
        "country": lead.company.country,
        "source": lead.source,
        "action": lead.action,
        "owner_kind": row.owner_kind if closing else owner.kind.value,
        "owner": row.owner if closing else owner.id,
        "queue": None if closing else owner.queue,
        "pool": decision.pool or owner.pool or row.pool,
        "rule": decision.rule or row.rule,
        "account": lead.account.domain if lead.account else row.account,
        "epoch": decision.epoch,
        "touches": max(row.touches, decision.touch),
        "reason": decision.reason,
        "placed_at": row.placed_at or (decision.at if decision.kind in PLACED else None),
        "moved_at": (*row.moved_at, decision.at)[-MOST_MOVES:] if moved else row.moved_at,
        "by_hand": row.by_hand + (moved and by_hand),
    }


def _state(row: LeadRow, decision: Decision) -> str:
    match decision.kind:
        case DecisionKind.ASSIGNED | DecisionKind.REASSIGNED:
            return "assigned"
        case DecisionKind.HELD | DecisionKind.QUEUED | DecisionKind.NURTURED | DecisionKind.QUARANTINED:
            return decision.kind.value
        case _:
            return "assigned" if row.state in ("touched", "escalated", "contacted", "noted") else row.state


def _standing(row: LeadRow, decision: Decision) -> dict[str, Any]:
    """Take in the clocks."""
    sla = decision.sla
    if sla is None:
        return {}
    pending = min((step for step in sla.steps if step.done_at is None), key=lambda step: step.due_at, default=None)
    is_waiting = sla.contacted_at is None and decision.kind is not DecisionKind.CLOSED
    return {
        "clock_at": sla.clock_at,
        "route_due_at": sla.route_due_at,
        "due_at": sla.contact_due_at,
        "contacted_at": sla.contacted_at,
        "next_at": pending.due_at if pending and is_waiting else None,
        "next_do": pending.do if pending and is_waiting else None,
        "breach": sla.breach,
        "charged_to": sla.breach_charged_to,
        "breached_at": (row.breached_at or sla.contact_due_at) if sla.breach else None,
    }


def _shown(contact: Contact) -> Contact:
    """Return what the board keeps of a contact: who it is, not what they wrote nor the raw payload."""
    name = contact.name or " ".join(part for part in (contact.first_name, contact.last_name) if part) or None
    return Contact(name=name, email=contact.email, phone=contact.phone, title=contact.title, linkedin=contact.linkedin)
