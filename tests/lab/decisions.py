"""Decisions and reps for tests of what goes out."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from schemas.decision import Audience, Decision, DecisionKind, Notice, Owner, OwnerKind, SlaStanding
from schemas.device import Device
from schemas.lead import Company, Contact, Lead, MailFacts, MailKind
from schemas.rep import Rep
from schemas.suppression import Suppression

NOW = datetime(2026, 3, 10, 14, 14, tzinfo=UTC)
PERSON = "4f" * 16

REPS = {
    "M1": Rep(
        id="M1",
        name="Mona One",
        email="mona@sales.example",
        slack="U0001",
        phone="+12125550101",
        booking_url="https://book.example/mona",
        signature="Mona One\nAccount Executive",
    ),
    "M2": Rep(id="M2", name="Max Two", email="max@sales.example", slack="U0002", phone="+12125550102"),
    "MM": Rep(id="MM", name="Maria Manager", email="maria@sales.example", slack="U0009"),
    "NA": Rep(id="NA", name="Nora Nowhere"),
}


class Roster:
    """The tables that NOTIFY reads in a test: reps, their devices, and who has unsubscribed."""

    def __init__(self, *unsubscribed: str, devices: tuple[Device, ...] = ()) -> None:
        self.unsubscribed = set(unsubscribed)
        self.devices = {device.key: device for device in devices}

    def scan(self, table: str, prefix: str = "") -> Iterator[tuple[str, Any]]:
        assert table == "devices"
        return ((key, device) for key, device in self.devices.items() if key.startswith(prefix))

    def get(self, table: str, key: str) -> Any | None:
        if table == "suppressions":
            return Suppression(person=key, at=NOW) if key in self.unsubscribed else None
        return REPS.get(key)


def lead(**changes: Any) -> Lead:
    """Return a demo lead of a company in Texas."""
    values: dict[str, Any] = {
        "event_id": "e1",
        "person": PERSON,
        "action": "demo",
        "source": "web",
        "submitted_at": NOW,
        "received_at": NOW,
        "mail": MailFacts(domain="lone.example", kind=MailKind.BUSINESS),
        "company": Company(name="Lone Inc", domain="lone.example", employees=450, industry="saas", country="US"),
        "has_consent": True,
    }
    return Lead(**{**values, **changes})


def contact(**changes: Any) -> Contact:
    """Return the person behind `lead`."""
    values: dict[str, Any] = {
        "email": "coo@lone.example",
        "phone": "+12125550199",
        "name": "Cora Lone",
        "first_name": "Cora",
        "linkedin": "https://linkedin.example/in/cora",
    }
    return Contact(**{**values, **changes})


def notice(**changes: Any) -> Notice:
    """Return an assignment notice for the owner M1 by mail."""
    values: dict[str, Any] = {
        "id": "owner",
        "audience": Audience.OWNER,
        "recipients": ("M1",),
        "channels": ("email",),
        "template": "assignment",
    }
    return Notice(**{**values, **changes})


def decision(*notices: Notice, **changes: Any) -> Decision:
    """Return a T1 assignment to M1 with these notices, one for its owner by default."""
    values: dict[str, Any] = {
        "decision_id": "d1",
        "lead_id": f"main.{PERSON}.1",
        "division": "main",
        "person": PERSON,
        "kind": DecisionKind.ASSIGNED,
        "cause": "lead.scored",
        "at": NOW,
        "epoch": 1,
        "owner": Owner(kind=OwnerKind.REP, id="M1"),
        "reason": "Mid-market in the Americas goes to mm-southwest.",
        "tier": "T1",
        "segment": "mid_market",
        "score": 82,
        "rule": "mid-market Americas",
        "pool": "mm-southwest",
        "sla": SlaStanding(cycle=1, clock_at=NOW, contact_due_at=NOW + timedelta(minutes=5)),
        "lead": lead(),
        "contact": contact(),
        "policy_hash": "abcd",
    }
    return Decision(**{**values, "notices": notices or (notice(),), **changes})
