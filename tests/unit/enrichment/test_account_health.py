"""What the daily check finds in a list of accounts, and what it leaves alone (ACC-6)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from enrichment.account_health import Seen, account_findings
from schemas.account import STALE_AFTER, Account
from schemas.lead import AccountRef, Company, Lead
from schemas.rep import Backup, Rep

NOW = datetime(2026, 3, 10, 14, 14, tzinfo=UTC)
ROSTER = [Rep(id="E1", name="E1"), Rep(id="E2", name="E2"), Rep(id="X9", name="X9", active=False)]
ACME: dict[str, Any] = {
    "domain": "acme.example",
    "name": "Acme Robotics",
    "owner": "E1",
    "country": "US",
    "state": "TX",
}


def lead(hint: str | None = None, at: datetime = NOW, **company: Any) -> Lead:
    account = None if hint else AccountRef(domain="acme.example")
    return Lead(
        event_id="e",
        person="p",
        submitted_at=at,
        received_at=at,
        company=Company(**company),
        account=account,
        account_hint=hint,
    )


def found(*accounts: Account, leads: tuple[Lead, ...] = ()) -> list[tuple[str, str, str]]:
    seen = Seen()
    for one in leads:
        seen.add(one)
    return [(one.domain, one.kind, one.what) for one in account_findings(accounts, ROSTER, seen, NOW)]


def test_a_list_in_order_has_no_findings() -> None:
    told = lead(name="ACME Robotics, Inc.", country="US", state="TX")
    assert found(Account(**ACME, last_activity_at=NOW), leads=(told,)) == []


@pytest.mark.parametrize(
    ("changes", "kind", "what"),
    [
        ({"owner": "X9"}, "owner_left", "Its owner X9 has left."),
        ({"owner": "nobody"}, "owner_left", "Its owner nobody is not in the roster."),
        ({"opportunity_owner": "X9"}, "owner_left", "Its opportunity owner X9 has left."),
        ({"backup": Backup(rep="X9")}, "owner_left", "Its backup X9 has left."),
        ({"owner": None, "is_named": True}, "no_owner", "It is a customer or named account and has no owner."),
        ({"parent": "gone.example"}, "parent_unknown", "Its parent gone.example is no account."),
        (
            {"is_named": True, "last_activity_at": NOW - STALE_AFTER - timedelta(seconds=1)},
            "stale",
            "Nothing has happened since 2025-12-10, 90 days are the limit.",
        ),
    ],
)
def test_what_the_list_itself_shows(changes: dict[str, Any], kind: str, what: str) -> None:
    assert found(Account(**{**ACME, **changes})) == [("acme.example", kind, what)]


@pytest.mark.parametrize(
    ("company", "kind", "what"),
    [
        ({"name": "Zenith Systems"}, "renamed", "It is called Zenith Systems now, not Acme Robotics."),
        ({"country": "DE", "state": "BY"}, "moved", "Its country is DE now, not US."),
        ({"country": "US", "state": "NY"}, "moved", "Its state is NY now, not TX."),
        ({"parent_domain": "big.example"}, "acquired", "It belongs to big.example, which E2 owns."),
        ({"parent_domain": "unknown.example"}, "acquired", "It belongs to unknown.example."),
    ],
)
def test_what_leads_tell_of_a_company(company: dict[str, Any], kind: str, what: str) -> None:
    big = Account(domain="big.example", name="Big", owner="E2")
    assert found(Account(**ACME), big, leads=(lead(**company),)) == [("acme.example", kind, what)]


def test_the_latest_lead_of_an_account_counts() -> None:
    old = lead(at=NOW - timedelta(days=1), country="DE")
    assert found(Account(**ACME), leads=(lead(country="US"), old)) == []


def test_two_accounts_of_one_company_are_told_apart_by_people() -> None:
    other = Account(domain="acme-robotics.example", name="Acme Robotics GmbH", owner="E2", aliases=("acme.example",))
    assert [(domain, kind) for domain, kind, _ in found(Account(**ACME), other)] == [
        ("acme-robotics.example", "double"),
        ("acme.example", "double"),
    ]


def test_leads_that_may_belong_to_an_account_are_counted() -> None:
    several = (lead("acme.example"), lead("acme.example"))
    assert found(Account(**ACME), leads=several) == [
        ("acme.example", "proposed", "2 leads without an account may belong to it.")
    ]
