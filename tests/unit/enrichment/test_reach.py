from datetime import UTC, datetime, timedelta

import pytest

from enrichment.answer import Said
from enrichment.cache import decode_kept, usable, with_answers
from enrichment.reach import reach, reached
from schemas.ids import person_id
from schemas.lead import Company, Contact, Fact, Lead
from schemas.org import Enrichment, ProviderSettings
from schemas.wire import encode

AT = datetime(2026, 3, 10, 14, 14, tzinfo=UTC)
LEAD = Lead(event_id="e1", person=person_id(b"s", "mail:a@acme.example"), submitted_at=AT, received_at=AT)
FIRM = Company(domain="acme.example")
ONE, TWO = "+12125550100", "+12125550101"


def said(provider: str, number: str | None = None, *pages: str, **more: object) -> Said:
    return Said(provider, AT, FIRM, company_phone=number, company_profiles=pages, **more)  # type: ignore[arg-type]


def settings(**prefer: tuple[str, ...]) -> Enrichment:
    rows = tuple(ProviderSettings(name=name, kind="directory", min_confidence=0.5) for name in ("a", "b"))
    return Enrichment(providers=rows, prefer=prefer)


@pytest.mark.parametrize(
    ("values", "number", "pages"),
    [
        ({"phone": "(212) 555-0100"}, ONE, ()),
        ({"phone": "+1 212 555 0100"}, ONE, ()),
        ({"phone": "ask for Jane"}, None, ()),
        ({"phone": 12}, None, ()),
        (
            {"linkedin": "http://www.linkedin.com/company/apolloio"},
            None,
            ("https://www.linkedin.com/company/apolloio",),
        ),
        ({"linkedin": "linkedin.com/company/acme/"}, None, ("https://www.linkedin.com/company/acme",)),
        ({"linkedin": "company/acme"}, None, ("https://www.linkedin.com/company/acme",)),
        ({"linkedin": "https://evil.example/company/acme"}, None, ()),
        ({"linkedin": "https://www.linkedin.com/in/jane-doe"}, None, ()),
        ({"twitter": "https://twitter.com/meetapollo/"}, None, ("https://x.com/meetapollo",)),
        ({"twitter": "@Acme"}, None, ("https://x.com/Acme",)),
        ({"twitter": "javascript:alert(1)"}, None, ()),
        ({"facebook": "https://www.facebook.com/MeetApollo?ref=x"}, None, ("https://www.facebook.com/MeetApollo",)),
        ({"facebook": {"handle": "x"}}, None, ()),
        ({}, None, ()),
    ],
)
def test_what_a_provider_says_becomes_a_number_and_pages(
    values: dict[str, object], number: str | None, pages: tuple[str, ...]
) -> None:
    assert reach(values, "US") == (number, pages)


def test_each_field_names_who_said_it_when_and_how_sure() -> None:
    page = "https://www.linkedin.com/company/acme"
    answers = [said("a", ONE, confidence=0.9), said("b", TWO, page, confidence=0.7)]
    lead, contact = reached(LEAD, Contact(email="a@acme.example"), answers, settings())
    assert contact == Contact(email="a@acme.example", company_phone=ONE, company_profiles=(page,))
    assert lead.facts == {
        "contact.company_phone": Fact(provider="a", at=AT, confidence=0.9),
        "contact.company_profiles": Fact(provider="b", at=AT, confidence=0.7),
    }


def test_the_preferred_provider_is_heard_first_and_one_that_is_not_sure_enough_not_at_all() -> None:
    preferred = settings(company_phone=("b",))
    assert reached(LEAD, Contact(), [said("a", ONE), said("b", TWO)], preferred)[1].company_phone == TWO
    assert reached(LEAD, Contact(), [said("a", ONE), said("b", TWO, confidence=0.4)], preferred)[1].company_phone == ONE


def test_a_company_that_may_be_another_one_lends_no_number() -> None:
    unsure = [said("a", ONE, found_by="name"), said("b", TWO, others=(Company(name="Other"),))]
    assert reached(LEAD, Contact(), unsure, settings()) == (LEAD, Contact())


def test_what_was_known_before_stays_unless_a_preferred_provider_knows_better() -> None:
    first = reached(LEAD, Contact(), [said("a", ONE)], settings())
    assert reached(*first, [said("b", TWO)], settings()) == first
    assert reached(*first, [], settings()) == first
    assert reached(*first, [said("b", TWO)], settings(company_phone=("b",)))[1].company_phone == TWO


def test_it_is_kept_with_the_answer() -> None:
    answer = said("a", ONE, "https://x.com/Acme")
    kept = decode_kept(encode(with_answers(None, [answer])) or b"")
    assert usable(kept, settings(), AT + timedelta(hours=1)) == {"a": answer}
