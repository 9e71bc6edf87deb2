from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enrichment.canonical import canonical
from schemas.ids import person_id
from schemas.lead import Contact, Lead, MailKind, RawLead, SubmittedLead
from schemas.org import MailLists, Org

AT = datetime(2026, 3, 10, 14, 14, 1, tzinfo=UTC)
SECRET = b"secret"
ORG = Org(mail=MailLists(blocked=("evil.example",)))


def made(fields: dict[str, Any], org: Org = ORG, is_bulk: bool = False) -> tuple[Lead, Contact]:
    return canonical(RawLead(fields), event_id="ev-1", received_at=AT, secret=SECRET, org=org, is_bulk=is_bulk)


def test_a_full_submission_becomes_canonical() -> None:
    lead, contact = made(
        {
            "email": "Jane.Doe@Acme.EXAMPLE",
            "phone": "(512) 867-5309",
            "name": "jane doe",
            "title": "VP Engineering",
            "company": "Acme, Inc.",
            "employees": "201-500",
            "industry": "Computer Software",
            "country": "usa",
            "state": "Texas",
            "postcode": "78701-1234",
            "action": "Request a Demo",
            "source": "Google Ads",
            "submitted_at": "2026-03-10T14:14:00Z",
            "language": "en-US",
            "behaviour": ["https://acme.example/pricing?x=1"],
            "answers": {"Team size": 12},
            "consent": "yes",
        }
    )
    assert (lead.mail.domain, lead.mail.kind, lead.company.domain) == (
        "acme.example",
        MailKind.BUSINESS,
        "acme.example",
    )
    assert (lead.company.name, lead.company.employees, lead.company.industry) == ("Acme", 350, "saas")
    assert (lead.company.country, lead.company.state, lead.company.region) == ("US", "TX", "amer")
    assert (lead.company.postcode_area, lead.timezone) == ("78701", "America/Chicago")
    assert (lead.action, lead.source, lead.seniority, lead.department) == ("demo", "ads", "vp", "engineering")
    assert (lead.behaviour, lead.answers, lead.has_consent, lead.language) == (
        ("pricing",),
        {"team_size": 12},
        True,
        "en",
    )
    assert lead.person == person_id(SECRET, "mail:jane.doe@acme.example")
    assert (contact.email, contact.phone, contact.first_name) == ("jane.doe@acme.example", "+15128675309", "Jane")
    assert lead.flags == () and lead.suspect == ()
    assert lead.facts["company.domain"].provider == "mail" and lead.facts["company.employees"].provider == "form"


@pytest.mark.parametrize(
    ("fields", "flag"),
    [
        ({"email": "no address"}, "email.invalid"),
        ({"email": ["a@b.example"]}, "email.invalid"),
        ({"email": "a@gmial.com"}, "email.look_alike"),
        ({"phone": "12"}, "phone.invalid"),
        ({"country": "Narnia"}, "country.unknown"),
        ({"state": "Nowhere"}, "state.unknown"),
        ({"postcode": "?!"}, "postcode.invalid"),
        ({"employees": "many"}, "employees.invalid"),
        ({"industry": "zzz"}, "industry.unknown"),
        ({"website": "http://10.0.0.1"}, "website.invalid"),
        ({"website": "linkedin.com/company/acme"}, "website.shared"),
        ({"email": "a@acme.example", "website": "beta.example"}, "website.differs"),
        ({"submitted_at": "2999-01-01T00:00:00Z"}, "submitted_at.future"),
        ({"consent": "perhaps"}, "consent.invalid"),
        ({"fill_seconds": "fast"}, "fill_seconds.invalid"),
        ({"division": "No Division!"}, "division.invalid"),
        ({"language": "Klingonese"}, "language.unknown"),
        ({"answers": [1]}, "answers.invalid"),
        ({"campaign": "for jane@acme.example"}, "campaign.personal"),
        ({"answers": {"e-mail": "x"}}, "answers.personal"),
    ],
)
def test_a_bad_optional_field_is_flagged_and_kept_raw(fields: dict[str, Any], flag: str) -> None:
    lead, contact = made(fields)
    assert flag in lead.flags
    assert contact.raw == fields


@pytest.mark.parametrize(
    ("fields", "sign"),
    [
        ({"trap": "http://x"}, "trap.filled"),
        ({"fill_seconds": 0.3}, "form.too_fast"),
        ({"name": "XkJhGtRwQz"}, "name.gibberish"),
        ({"email": "a@mailinator.com"}, "email.disposable"),
        ({"email": "a@evil.example"}, "email.blocked"),
    ],
)
def test_spam_makes_a_lead_suspect_and_drops_nothing(fields: dict[str, Any], sign: str) -> None:
    assert sign in made(fields)[0].suspect


def test_the_person_is_the_address_else_the_phone_else_the_event() -> None:
    assert made({"email": "a.b+c@gmail.com"})[0].person == person_id(SECRET, "mail:ab@gmail.com")
    assert made({"email": "?", "phone": "+15128675309"})[0].person == person_id(SECRET, "phone:+15128675309")
    assert made({"name": "Jane"})[0].person == person_id(SECRET, "event:ev-1")


def test_a_personal_address_is_no_company() -> None:
    lead, _ = made({"email": "a@gmail.com", "company": "Acme"})
    assert (lead.mail.kind, lead.company.domain, lead.company.name) == (MailKind.PERSONAL, None, "Acme")


def test_a_far_past_submission_of_an_import_keeps_its_time() -> None:
    said = {"submitted_at": "2019-03-10T14:14:00Z"}
    assert made(said, is_bulk=True)[0].submitted_at.year == 2019
    assert made(said)[0].submitted_at == AT


def test_message_and_transcript_are_not_kept_twice() -> None:
    _, contact = made({"message": "m" * 1000, "transcript": "t", "name": "Jane"})
    assert (contact.message, contact.transcript, contact.raw) == ("m" * 1000, "t", {"name": "Jane"})


def test_a_lead_holds_nothing_personal() -> None:
    lead, _ = made(
        {
            "email": "canary@acme.example",
            "phone": "+15128675309",
            "name": "Canary Bird",
            "title": "VP Canary",
            "message": "canary",
            "form": "canary@acme.example",
            "answers": {"Your name": "Canary", "Call me": "512-867-5309", "Mail": "canary@x.example"},
            "behaviour": ["/thanks?email=canary@acme.example"],
            "foreign_id": "canary@acme.example",
        }
    )
    text = lead.model_dump_json().lower()
    assert "canary" not in text and "8675309" not in text


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
TYPED = st.sampled_from(
    [
        "Jane@Acme.com",
        "a@gmail.com",
        "+1 512 867 5309",
        "Acme & Co. KG",
        "texas",
        "US",
        "51-200",
        "2026-03-10T14:14:00Z",
    ]
)
FIELDS = st.dictionaries(st.sampled_from([*SubmittedLead.model_fields, "timezone", "other"]), JSON | TYPED)


@given(fields=FIELDS, is_bulk=st.booleans())
@settings(max_examples=300)
def test_no_json_makes_it_raise(fields: dict[str, Any], is_bulk: bool) -> None:
    lead, contact = made(fields, is_bulk=is_bulk)
    assert lead.submitted_at <= lead.received_at
    assert Lead.model_validate_json(lead.model_dump_json()) == lead
    assert contact.message is None or contact.message == fields["message"]


@given(fields=FIELDS)
def test_a_canonical_lead_is_its_own_canonical_form(fields: dict[str, Any]) -> None:
    lead, contact = made(fields)
    again, contact_again = made(resubmitted(lead, contact))
    assert again.company == lead.company
    assert again.person == lead.person
    assert (again.action, again.source, again.language, again.timezone) == (
        lead.action,
        lead.source,
        lead.language,
        lead.timezone,
    )
    assert (again.answers, again.submitted_at) == (lead.answers, lead.submitted_at)
    assert (contact_again.email, contact_again.phone) == (contact.email, contact.phone)


def resubmitted(lead: Lead, contact: Contact) -> dict[str, Any]:
    """Return the fields of a submission that says what the canonical lead says."""
    firm = lead.company
    fields = {
        "email": contact.email,
        "phone": contact.phone,
        "company": firm.name,
        "website": firm.domain,
        "employees": firm.employees,
        "industry": firm.industry,
        "country": firm.country,
        "state": firm.state,
        "city": firm.city,
        "postcode": firm.postcode_area,
        "action": lead.action,
        "source": lead.source,
        "language": lead.language,
        "timezone": lead.timezone,
        "submitted_at": lead.submitted_at.isoformat(),
        "answers": lead.answers,
    }
    return {name: value for name, value in fields.items() if value is not None}
