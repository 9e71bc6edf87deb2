"""A lead that does not exist, for texts to be tried on: every field is filled."""

from datetime import UTC, datetime
from typing import Any

from notifiers.compose import fields
from notifiers.settings import ChannelSettings
from schemas.decision import Audience, Decision, DecisionKind, Notice, Owner, OwnerKind
from schemas.lead import Company, Contact, Lead
from schemas.rep import Rep

_PERSON = "0" * 32
_AT = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)


def sample_fields() -> dict[str, Any]:
    """Return the fields that a template may use, of a T1 lead that was moved from one rep to another.

    A digest's own are among them: `leads`, the fields of each, and `count`.
    """
    notice = Notice(id="owner", audience=Audience.OWNER, channels=("email",), template="assignment", note="A note.")
    reps = {
        "r-1": Rep(id="r-1", name="Ada Owner", booking_url="https://book.example/ada", signature="Ada"),
        "r-2": Rep(id="r-2", name="Ben Before"),
    }
    settings = ChannelSettings(lead_url="https://crm.example/leads/{lead_id}")
    known = fields(_decision(notice), notice, reps.get, settings)
    return known | {"leads": [known], "count": "1"}


def _decision(notice: Notice) -> Decision:
    return Decision(
        decision_id="sample",
        lead_id=f"main.{_PERSON}.1",
        division="main",
        person=_PERSON,
        kind=DecisionKind.REASSIGNED,
        cause="lead.scored",
        at=_AT,
        epoch=2,
        owner=Owner(kind=OwnerKind.REP, id="r-1", pool="pool", queue="queue"),
        previous_owner=Owner(kind=OwnerKind.REP, id="r-2"),
        reason="A reason.",
        tier="T1",
        segment="enterprise",
        score=82,
        rule="enterprise",
        pool="pool",
        notices=(notice,),
        lead=Lead(
            event_id="sample",
            person=_PERSON,
            action="demo",
            source="web",
            submitted_at=_AT,
            received_at=_AT,
            company=Company(name="Sample Inc", domain="sample.example", employees=1_200, industry="saas"),
        ),
        contact=Contact(name="Sam Ple", first_name="Sam", last_name="Ple", title="COO", phone="+12125550100"),
        policy_hash="sample",
    )
