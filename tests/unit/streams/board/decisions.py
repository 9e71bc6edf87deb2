"""Decisions and outcomes of notices as ASSIGN and NOTIFY write them, made from a few words."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from schemas.decision import Decision, DecisionKind, Owner, OwnerKind, SlaStanding, SlaStep
from schemas.delivery import NoticeSettled, Outcome
from schemas.ids import derived_id, lead_id
from schemas.lead import Company, Contact, Lead
from schemas.wire import encode
from streams.board.fold import Seen

AT = datetime(2026, 3, 10, 18, 14, tzinfo=UTC)
ADA = Contact(name="Ada Byron", email="ada@acme.example", phone="+12125550142", message="call me", raw={"x": 1})


def person(number: int) -> str:
    """Return a person id."""
    return f"{number:032x}"


def decided(
    kind: DecisionKind = DecisionKind.ASSIGNED,
    number: int = 1,
    seconds: float = 1,
    owner: str | None = "r-1",
    arrived: datetime = AT,
    **more: Any,
) -> Decision:
    """Return a decision `seconds` after the lead arrived; `more` are fields of Decision, `company` one of Lead."""
    company = more.pop(
        "company", Company(name="Acme", domain="acme.example", employees=300, industry="saas", country="US")
    )
    lead = Lead(
        event_id=f"e{number}",
        person=person(number),
        submitted_at=arrived,
        received_at=arrived,
        company=company,
        source="web",
        action="demo",
        is_test=more.pop("is_test", False),
    )
    at = arrived + timedelta(seconds=seconds)
    given: dict[str, Any] = {
        "decision_id": derived_id(f"{number}/{kind}/{seconds}", "test", "decision"),
        "lead_id": lead_id("main", person(number), 1),
        "division": "main",
        "person": person(number),
        "kind": kind,
        "cause": "test",
        "at": at,
        "epoch": 1,
        "owner": Owner(kind=OwnerKind.REP, id=owner, pool="pool-1") if owner else Owner(),
        "reason": "A mid-market company goes to its team.",
        "tier": "T1",
        "segment": "mid_market",
        "score": 80,
        "rule": "mid-market",
        "pool": "pool-1",
        "sla": standing(arrived),
        "lead": lead,
        "contact": ADA,
        "policy_hash": "p1",
    }
    return Decision(**(given | more))


def standing(
    clock_at: datetime = AT, contacted_at: datetime | None = None, until: datetime | None = None, **more: Any
) -> SlaStanding:
    """Return clocks of a T1 lead: contact within five minutes, a reminder before, the manager at the end.

    until: the steps due before are done.
    """
    steps = tuple(
        SlaStep(
            name=name, do=name.split(":")[1], due_at=due, done_at=due if until is not None and due < until else None
        )
        for name, due in (
            ("0.5x:remind_owner", clock_at + timedelta(seconds=150)),
            ("1x:alert_manager", clock_at + timedelta(seconds=300)),
        )
    )
    due = clock_at + timedelta(seconds=300)
    return SlaStanding(
        cycle=1,
        clock_at=clock_at,
        contact_due_at=due,
        contacted_at=contacted_at,
        steps=more.pop("steps", steps),
        **more,
    )


def settled(decision: Decision, **more: Any) -> NoticeSettled:
    """Return the first delivery of a decision's notice to its owner, by mail."""
    given: dict[str, Any] = {
        "decision_id": decision.decision_id,
        "lead_id": decision.lead_id,
        "division": decision.division,
        "person": decision.person,
        "epoch": decision.epoch,
        "notice": "assignment:owner",
        "audience": "owner",
        "template": "assignment",
        "recipient": decision.owner.id or "",
        "channel": "email",
        "outcome": Outcome.DELIVERED,
        "key": derived_id(decision.decision_id, "test", str(sorted(more))),
        "attempts": 1,
        "at": decision.at + timedelta(seconds=1),
        "is_first": True,
    }
    return NoticeSettled(**(given | more))


def seen(values: Iterable[Any], first: int = 0, topic: str | None = None, key: str = "") -> Sequence[Seen]:
    """Return records of one partition, from offset `first` on. Topics are told by the values' types."""
    rows = []
    for offset, value in enumerate(values, start=first):
        named = topic or ("leads.assigned" if isinstance(value, Decision) else "leads.notified")
        rows.append(Seen(named, 0, offset, (key or getattr(value, "person", "")).encode(), encode(value), {}))
    return rows
