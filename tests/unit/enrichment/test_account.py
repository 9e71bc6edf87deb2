from datetime import UTC, datetime

import pytest

from enrichment.account import AccountIndex, bound, early_match
from enrichment.answer import Said
from schemas.account import Account
from schemas.lead import AccountMatch, AccountRef, Company, Lead, MailFacts, MailKind
from tests.unit.enrichment.stages_world import Accounts

AT = datetime(2026, 3, 10, 14, 14, tzinfo=UTC)


def index(*accounts: Account) -> AccountIndex:
    made = AccountIndex(Accounts(*accounts))
    made.refresh()
    return made


ACME = Account(domain="acme.example", owner="E1", is_named=True, aliases=("acme.test", "acme-labs.example"))
PARENT = Account(domain="bigco.example", owner="E9")


def match(of: AccountIndex, host: str) -> tuple[str, AccountMatch] | None:
    found = early_match(of, host, MailKind.BUSINESS)
    return (found.domain, found.match) if found else None


@pytest.mark.parametrize(
    ("host", "how"),
    [
        ("acme.example", AccountMatch.DOMAIN),
        ("mail.eu.acme.example", AccountMatch.SUBDOMAIN),
        ("acme.test", AccountMatch.ALIAS),
        ("mail.acme-labs.example", AccountMatch.ALIAS),
    ],
)
def test_an_account_is_found_by_domain_subdomain_and_alias(host: str, how: AccountMatch) -> None:
    assert match(index(ACME), host) == ("acme.example", how)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("ACME Robotics GmbH", "acme.example"),
        ("Acme Robotic", "acme.example"),
        ("Acme Bakery", None),
        ("Robotics", None),
    ],
)
def test_a_name_alone_proposes_an_account_and_decides_nothing(name: str, hint: str | None) -> None:
    of = index(Account(domain="acme.example", name="Acme Robotics", owner="E1"))
    lead = Lead(
        event_id="e",
        person="p",
        submitted_at=AT,
        received_at=AT,
        mail=MailFacts(domain="other.example", kind=MailKind.BUSINESS),
        company=Company(domain="other.example", name=name),
    )
    found = bound(lead, "other.example", (), of)
    assert (found.account, found.account_hint) == (None, hint)


@pytest.mark.parametrize("host", ["notacme.example", "acme.example.evil.test", "example"])
def test_a_domain_that_only_looks_alike_is_no_match(host: str) -> None:
    assert match(index(ACME), host) is None


def test_several_hits_open_opportunity_then_named_then_latest_activity() -> None:
    shared = ("shared.example",)
    quiet = Account(domain="a.example", owner="A", aliases=shared, last_activity_at=datetime(2026, 1, 1, tzinfo=UTC))
    busy = Account(domain="b.example", owner="B", aliases=shared, last_activity_at=AT)
    named = Account(domain="c.example", owner="C", aliases=shared, is_named=True)
    deal = Account(domain="d.example", owner="D", aliases=shared, has_open_opportunity=True)
    assert match(index(quiet, busy), "shared.example") == ("b.example", AccountMatch.ALIAS)
    assert match(index(quiet, busy, named), "shared.example") == ("c.example", AccountMatch.ALIAS)
    assert match(index(quiet, busy, named, deal), "shared.example") == ("d.example", AccountMatch.ALIAS)


def test_an_account_without_owner_is_its_parents() -> None:
    child = Account(domain="child.example", parent="bigco.example")
    assert match(index(child, PARENT), "child.example") == ("bigco.example", AccountMatch.PARENT)


def test_an_account_without_owner_is_whose_its_open_opportunity_is() -> None:
    deal = Account(domain="deal.example", opportunity_owner="O1", has_open_opportunity=True, parent="bigco.example")
    found = early_match(index(deal, PARENT), "deal.example", MailKind.BUSINESS)
    assert found and (found.domain, found.owner, found.opportunity_owner) == ("deal.example", "O1", "O1")
    nobodys = Account(domain="deal.example", has_open_opportunity=True, parent="bigco.example")
    assert match(index(nobodys, PARENT), "deal.example") == ("bigco.example", AccountMatch.PARENT)


def lead(kind: MailKind = MailKind.BUSINESS, **company: str) -> Lead:
    return Lead(
        event_id="e", person="p", submitted_at=AT, received_at=AT, mail=MailFacts(kind=kind), company=Company(**company)
    )


def account(of: Lead) -> tuple[AccountRef | None, str | None]:
    return of.account, of.account_hint


def test_after_enrichment_the_companys_domain_and_its_parents_decide() -> None:
    direct = bound(lead(domain="acme.example"), "acme-mail.example", (), index(ACME)).account
    by_parent = bound(lead(domain="x.example", parent_domain="bigco.example"), "x.example", (), index(PARENT)).account
    assert direct and direct.owner == "E1"
    assert by_parent and (by_parent.owner, by_parent.match) == ("E9", AccountMatch.PARENT)


def test_an_early_match_stands() -> None:
    found = bound(lead(domain="bigco.example"), "acme.example", (), index(ACME, PARENT)).account
    assert found and found.domain == "acme.example"


def test_a_provider_may_tie_a_personal_address_to_an_account() -> None:
    tied = Said("one", AT, Company(domain="acme.example"), found_by="email")
    found = bound(lead(MailKind.PERSONAL, domain="acme.example"), "gmail.com", (tied,), index(ACME)).account
    assert found and (found.owner, found.match) == ("E1", AccountMatch.PROVIDER)


def test_a_name_or_a_typed_site_is_a_hint_only() -> None:
    named = Said("one", AT, Company(domain="acme.example"), found_by="name")
    assert account(bound(lead(MailKind.PERSONAL, domain="acme.example"), "gmail.com", (named,), index(ACME))) == (
        None,
        "acme.example",
    )
    assert account(bound(lead(MailKind.PERSONAL, name="Acme"), "gmail.com", (), index())) == (None, "Acme")


def test_a_business_lead_without_account_has_no_hint() -> None:
    assert account(bound(lead(domain="new.example"), "new.example", (), index(ACME))) == (None, None)
