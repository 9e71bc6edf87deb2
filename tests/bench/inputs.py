"""Records for each stage's input: made from an index, so that every run and every peer gets the same."""

from collections.abc import Iterator
from datetime import UTC, datetime

import orjson

from schemas.ids import lead_id, person_id
from schemas.lead import Company, Contact, Fact, Lead, LeadEnriched, LeadScored, MailFacts, MailKind
from schemas.wire import encode
from tests.records import Outgoing

SECRET = b"a secret for benchmarks only"
AT = datetime(2026, 3, 10, 18, 14, tzinfo=UTC)
ACTIONS = ("demo", "pricing", "webinar", "content")
INDUSTRIES = ("saas", "fintech", "retail", "healthcare")


def raw(count: int) -> Iterator[Outgoing]:
    """Yield submissions as a web form sends them."""
    for number in range(count):
        fields = {
            "id": f"bench-{number}",
            "email": f"person{number}@company{number % 5000}.example",
            "name": f"Person Number {number}",
            "company": f"Company {number % 5000} Inc",
            "employees": 50 + number % 2000,
            "industry": INDUSTRIES[number % 4],
            "country": "US",
            "state": "TX",
            "phone": f"+1 512 555 {number % 10_000:04d}",
            "title": "VP Sales",
            "action": ACTIONS[number % 4],
            "source": "web",
            "form": "contact",
        }
        yield Outgoing(f"bench-{number}", orjson.dumps(fields), _headers("lead.submitted", f"bench-{number}"))


def lead(number: int) -> Lead:
    """Return a canonical lead."""
    domain = f"company{number % 5000}.example"
    fact = Fact(provider="form", at=AT)
    return Lead(
        event_id=f"bench-{number}",
        person=person_id(SECRET, f"mail:person{number}@{domain}"),
        source="web",
        action=ACTIONS[number % 4],
        submitted_at=AT,
        received_at=AT,
        mail=MailFacts(domain=domain, kind=MailKind.BUSINESS),
        has_phone=True,
        company=Company(
            name=f"Company {number % 5000}",
            domain=domain,
            employees=50 + number % 2000,
            industry=INDUSTRIES[number % 4],
            country="US",
            state="TX",
            region="amer",
        ),
        facts={"employees": fact, "industry": fact, "country": fact},
        seniority="vp",
    )


def contact(number: int) -> Contact:
    """Return the personal side of `lead(number)`."""
    email = f"person{number}@company{number % 5000}.example"
    return Contact(email=email, phone="+15125550100", name=f"Person Number {number}", raw={"email": email})


def enriched(count: int) -> Iterator[Outgoing]:
    """Yield what SCORE reads."""
    for number in range(count):
        value = LeadEnriched(lead=lead(number), contact=contact(number), enriched_at=AT)
        yield Outgoing(value.lead.person, encode(value), _headers("lead.enriched", f"enriched-{number}"))


def scored_lead(number: int, *, segment: str = "mid_market", tier: str = "T2", policy_hash: str = "") -> LeadScored:
    """Return one scored lead of division `main`."""
    one = lead(number)
    return LeadScored(
        lead_id=lead_id("main", one.person, 1),
        division="main",
        lead=one,
        contact=contact(number),
        touch=1,
        intent="medium",
        icp=True,
        segment=segment,
        tier=tier,
        score=60,
        score_parts={"fit": 40, "intent": 20},
        score_model="points-1",
        policy_hash=policy_hash,
        scored_at=AT,
    )


def scored(count: int) -> Iterator[Outgoing]:
    """Yield what ASSIGN reads."""
    for number in range(count):
        yield Outgoing("main", encode(scored_lead(number)), _headers("lead.scored", f"scored-{number}"))


def activity(count: int) -> Iterator[Outgoing]:
    """Yield what TRACK reads: a page view, known by lead id."""
    for number in range(count):
        lead_known = lead_id("main", lead(number % 5000).person, 1)
        fields = {"kind": "engaged", "at": AT.isoformat(), "lead_id": lead_known, "id": f"view-{number}"}
        yield Outgoing(f"view-{number}", orjson.dumps(fields), _headers("activity.reported", f"view-{number}"))


def _headers(event_type: str, event_id: str) -> dict[str, str]:
    return {
        "ce_specversion": "1.0",
        "ce_id": event_id,
        "ce_type": event_type,
        "ce_source": "bench",
        "ce_time": AT.isoformat(),
    }
