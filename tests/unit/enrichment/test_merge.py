from datetime import UTC, datetime
from typing import Any

from enrichment.answer import Said
from enrichment.canonical import canonical
from enrichment.merge import is_complete, merged
from schemas.lead import Company, Lead, RawLead
from schemas.org import Enrichment, Org, ProviderSettings

AT = datetime(2026, 3, 10, 14, 14, tzinfo=UTC)
TWO = Enrichment(
    providers=(
        ProviderSettings(name="one", kind="directory", min_confidence=0.5),
        ProviderSettings(name="two", kind="directory"),
    )
)


def lead(**fields: Any) -> Lead:
    fields.setdefault("email", "jane@acme.example")
    raw = RawLead(fields)
    return canonical(raw, event_id="e", received_at=AT, secret=b"s", org=Org(), is_bulk=False)[0]


def said(provider: str, confidence: float = 0.9, **values: Any) -> Said:
    return Said(provider, AT, Company(**values), confidence)


def test_a_provider_wins_over_the_form_for_company_facts() -> None:
    done = merged(lead(employees=50, industry="banking"), [said("one", employees=600)], TWO)
    assert (done.company.employees, done.company.industry) == (600, "financial_services")
    assert (done.facts["company.employees"].provider, done.facts["company.industry"].provider) == ("one", "form")
    assert done.facts["company.employees"].confidence == 0.9


def test_the_first_provider_wins_and_the_second_fills_gaps() -> None:
    done = merged(lead(), [said("one", employees=600), said("two", employees=5, industry="saas")], TWO)
    assert (done.company.employees, done.company.industry) == (600, "saas")


def test_a_field_may_have_its_own_order() -> None:
    settings = TWO.model_copy(update={"prefer": {"employees": ("two",)}})
    done = merged(lead(), [said("one", employees=600, industry="saas"), said("two", employees=5)], settings)
    assert (done.company.employees, done.company.industry) == (5, "saas")


def test_an_unsure_provider_is_not_heard() -> None:
    assert merged(lead(employees=50), [said("one", 0.4, employees=600)], TWO).company.employees == 50


def test_the_place_comes_whole_from_one_provider() -> None:
    rows = [said("one", country="DE"), said("two", country="US", state="TX", city="Austin")]
    done = merged(lead(country="CA", state="ON"), rows, TWO)
    assert (done.company.country, done.company.state, done.company.city, done.company.region) == (
        "DE",
        None,
        None,
        "emea",
    )


def test_a_provider_without_a_place_leaves_the_forms() -> None:
    done = merged(lead(country="US", state="TX"), [said("one", employees=5)], TWO)
    assert (done.company.country, done.company.state, done.company.region) == ("US", "TX", "amer")


TWINS = (
    Company(name="Acme Robotics", domain="acme.example", employees=600, industry="saas", country="US"),
    Company(name="Acme Foods", domain="acme.example", employees=30, industry="consumer_goods", country="US"),
)


def twins() -> Said:
    return Said("one", AT, TWINS[0], 0.9, (TWINS[1],))


def test_of_two_companies_on_one_domain_the_forms_name_decides() -> None:
    done = merged(lead(company="ACME Foods Inc."), [twins()], TWO)
    assert (done.company.employees, done.conflicts) == (30, ())


def test_still_tied_the_contested_fields_are_unknown_and_named() -> None:
    done = merged(lead(employees=77), [twins()], TWO)
    assert (done.company.employees, done.company.industry, done.company.country) == (None, None, "US")
    assert done.conflicts == ("company.employees", "company.industry", "company.name")
    assert "company.employees" not in done.facts


def test_the_forms_country_settles_where_the_name_does_not() -> None:
    german = TWINS[1].model_copy(update={"country": "DE"})
    done = merged(lead(country="Germany"), [Said("one", AT, TWINS[0], 0.9, (german,))], TWO)
    assert (done.company.employees, done.conflicts) == (30, ())


def test_a_company_found_by_name_does_not_replace_the_domain_of_the_address() -> None:
    found = Said("one", AT, Company(domain="other.example", employees=9), 0.9, found_by="name")
    done = merged(lead(company="Other"), [found], TWO)
    assert (done.company.domain, done.company.employees) == ("acme.example", 9)


def test_a_second_merge_keeps_what_the_preferred_provider_said() -> None:
    first = merged(lead(), [said("one", employees=600)], TWO)
    done = merged(first, [said("two", employees=5, industry="saas")], TWO)
    assert (done.company.employees, done.company.industry) == (600, "saas")
    assert done.facts["company.employees"].provider == "one"


def test_no_answer_changes_nothing() -> None:
    before = lead(employees=50)
    assert merged(before, [Said("one", AT)], TWO) == before


def test_complete_means_the_four_fields() -> None:
    assert is_complete(Company(domain="a.example", employees=1, industry="saas", country="US"))
    assert not is_complete(Company(domain="a.example", employees=1, industry="saas"))
