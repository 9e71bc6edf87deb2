"""One table a normaliser; the messy set in tests/golden holds what people really type."""

# ruff: noqa: E501 (tables read better wide)

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from enrichment.normalise import (
    action,
    company,
    country,
    domain,
    headcount,
    industry,
    language,
    name,
    phone,
    postcode,
    spam,
    subdivision,
    submitted,
    text,
    timezone,
    title,
)

AT = datetime(2026, 3, 10, 14, 14, tzinfo=UTC)


@pytest.mark.parametrize(
    ("said", "number"),
    [
        (450, 450), ("450", 450), ("1,000", 1000), ("1.000", 1000), ("1 000", 1000), ("12'500", 12500), ("51-200", 125),
        ("51 \u2013 200", 125), ("201 to 500", 350), ("1,001-5,000 employees", 3000), ("10,000+", 10000), ("10k+", 10000),
        ("1.5k", 1500), ("<50", 25), ("up to 10", 5), ("just me", 1), ("c. 60,500", 60500), ("1-5k", 3000),
        ("2 million", 2_000_000), ("500 bis 1000", 750), (0, None), (-5, None), ("-5", None), ("0", None), ("many", None),
        ("", None), (True, None), (float("nan"), None), (10**12, None), ([5], None), (None, None),
    ],
)  # fmt: skip
def test_head_counts(said: Any, number: int | None) -> None:
    assert headcount.number(said) == number


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("United States", "US"), ("usa", "US"), ("U.S.A.", "US"), ("Untied States", "US"), ("UK", "GB"), ("England", "GB"),
        ("Deutschland", "DE"), ("DEU", "DE"), ("de", "DE"), ("Österreich", "AT"), ("The Netherlands", "NL"),
        ("South Korea", "KR"), ("Côte d'Ivoire", "CI"), ("Viet Nam", "VN"), ("Brasil", "BR"), ("Narnia", None), ("", None),
    ],
)  # fmt: skip
def test_countries(said: str, code: str | None) -> None:
    assert country.code(said) == code


@pytest.mark.parametrize(
    ("said", "where", "place"),
    [
        ("Texas", "US", ("US", "TX")), ("tx", "US", ("US", "TX")), ("TX", None, ("US", "TX")), ("Calif.", "US", ("US", "CA")),
        ("Ontario", None, ("CA", "ON")), ("Québec", "CA", ("CA", "QC")), ("Bavaria", "DE", ("DE", "BY")),
        ("Bayern", "DE", ("DE", "BY")), ("US-TX", None, ("US", "TX")), ("Massachusets", "US", ("US", "MA")),
        ("Washington, D.C.", "US", ("US", "DC")), ("Nowhere", "US", None), ("Bayern", None, ("DE", "BY")), ("Limburg", None, None),
    ],
)  # fmt: skip
def test_states(said: str, where: str | None, place: tuple[str, str] | None) -> None:
    assert subdivision.place(said, where) == place


@pytest.mark.parametrize(
    ("said", "where", "e164"),
    [
        ("(512) 867-5309", "US", "+15128675309"), ("+44 20 7946 0958", None, "+442079460958"),
        ("0044 20 7946 0958", "US", "+442079460958"), ("030 901820", "DE", "+4930901820"),
        ("512.867.5309 ext. 12", "US", "+15128675309"), ("5128675309", None, None), ("123", "US", None), ("call me", "US", None),
        ("442079460958", None, "+442079460958"),
    ],
)  # fmt: skip
def test_phones(said: str, where: str | None, e164: str | None) -> None:
    found = phone.parse(said, where)
    assert (found.e164 if found else None) == e164


def test_a_phone_tells_its_country_and_kind() -> None:
    mobile = phone.parse("+49 151 23456789", None)
    free = phone.parse("1-800-356-9377", "US")
    assert (mobile and (mobile.country, mobile.kind)) == ("DE", "mobile")
    assert (free and free.kind) == "toll_free"


@pytest.mark.parametrize(
    ("said", "bare"),
    [
        ("Acme, Inc.", "Acme"), ("Acme Robotics GmbH & Co. KG", "Acme Robotics"), ("ACME LLC", "ACME"), ("Acme Pty Ltd", "Acme"),
        ("Acme S.A.", "Acme"), ("Inc.", "Inc."), ("Blue Bottle Coffee", "Blue Bottle Coffee"),
    ],
)  # fmt: skip
def test_company_names_lose_their_legal_form(said: str, bare: str) -> None:
    assert company.name(said) == bare


def test_two_spellings_of_a_company_are_alike() -> None:
    assert company.key("The Procter & Gamble Company") == company.key("procter and gamble co.")
    assert company.likeness("Acme Robotics Inc", "Robotics Acme") > 0.95
    assert company.likeness("Acme", "Zenith Insurance") < 0.5


@pytest.mark.parametrize(
    ("said", "own"),
    [
        ("https://www.Acme.co.uk/about?x=1", "acme.co.uk"), ("acme.com", "acme.com"), ("www.acme.com.", "acme.com"),
        ("jane@mail.acme.com", "acme.com"), ("//acme.com:8080", "acme.com"), ("http://10.0.0.1/", None), ("acme", None),
        ("not a site", None), ("https://bücher.example/", "xn--bcher-kva.example"),
    ],
)  # fmt: skip
def test_sites(said: str, own: str | None) -> None:
    assert domain.of_site(said) == own


def test_the_hosts_above_a_host() -> None:
    assert domain.parents("a.b.acme.co.uk") == ("a.b.acme.co.uk", "b.acme.co.uk", "acme.co.uk")


@pytest.mark.parametrize(
    ("said", "slug"),
    [
        ("SaaS", "saas"), ("Computer Software", "saas"), ("Internet Software & Services", "saas"), ("FinTech", "fintech"),
        ("Hospital & Health Care", "healthcare"), ("Biotechnology", "healthcare"), ("Industrial Machinery", "manufacturing"),
        ("Information Technology & Services", "technology"), ("Banking", "financial_services"), ("Insurance", "insurance"),
        ("Non-profit", "nonprofit"), ("Higher Education", "education"), ("Oil & Gas", "energy"), ("Retail", "retail"),
        ("Real Estate", "real_estate"), ("Management Consulting", "professional_services"), ("zzz", None),
    ],
)  # fmt: skip
def test_industries(said: str, slug: str | None) -> None:
    assert industry.slug(said) == slug


def test_a_narrow_industry_of_a_list_says_more_than_a_wide_one() -> None:
    assert industry.slug_of_any(["Technology", "Computer Software"]) == "saas"
    assert industry.slug_of_any([]) is None


@pytest.mark.parametrize("slug", industry.TAXONOMY)
def test_the_taxonomy_names_itself(slug: str) -> None:
    assert industry.slug(slug) == slug


@pytest.mark.parametrize(
    ("said", "rank", "department"),
    [
        ("VP of Engineering", "vp", "engineering"), ("Chief Technology Officer", "c_level", "engineering"),
        ("CEO & Co-Founder", "founder", "executive"), ("Head of Marketing", "director", "marketing"),
        ("Sr. Software Engineer", "senior", "engineering"), ("Sales Manager", "manager", "sales"),
        ("IT Director", "director", "it"), ("Marketing Intern", "entry", "marketing"), ("Accountant", "ic", "finance"),
        ("Geschäftsführer", "c_level", "executive"), ("Vice President, Sales", "vp", "sales"), ("RevOps Lead", "manager", "revenue_operations"),
        ("Physician", "ic", "medical"), ("CIO", "c_level", "it"), ("Disco Owner", "founder", "executive"),
    ],
)  # fmt: skip
def test_titles(said: str, rank: str, department: str) -> None:
    assert (title.seniority(said), title.department(said)) == (rank, department)


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("en-US", "en"),
        ("English", "en"),
        ("Deutsch", "de"),
        ("fr_CA,fr;q=0.9", "fr"),
        ("deu", "de"),
        ("日本語", "ja"),
        ("Klingonese", None),
    ],
)
def test_languages(said: str, code: str | None) -> None:
    assert language.code(said) == code


def test_time_zones() -> None:
    assert timezone.stated("america/new_york") == "America/New_York"
    assert timezone.stated("Mars/Base") is None
    assert timezone.of_place("US", "TX") == "America/Chicago"
    assert timezone.of_place("US", None) is None
    assert timezone.of_place("FR", None) == "Europe/Paris"
    assert timezone.of_place(None, None) is None


@pytest.mark.parametrize(
    ("said", "where", "area"),
    [
        ("78701-1234", "US", "78701"), ("2138", "US", "02138"), ("SW1A 1AA", "GB", "SW1A"), ("sw1a1aa", "GB", "SW1A"),
        ("K1A 0B1", "CA", "K1A"), ("80331", "DE", "80331"), ("1234 AB", "NL", "1234"), ("ABC", "US", None), ("none", "DE", None),
    ],
)  # fmt: skip
def test_postcodes_keep_the_area_only(said: str, where: str, area: str | None) -> None:
    assert postcode.area(said, where) == area


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (("jane doe", None, None), ("Jane Doe", "Jane", "Doe")),
        (("DOE, JANE", None, None), ("Jane Doe", "Jane", "Doe")),
        (("Dr. Ludwig van Beethoven", None, None), ("Ludwig van Beethoven", "Ludwig", "van Beethoven")),
        (("Jane Doe, PhD", None, None), ("Jane Doe", "Jane", "Doe")),
        ((None, "jane", "o'neil-smith"), ("Jane O'Neil-Smith", "Jane", "O'Neil-Smith")),
        (("Prince", None, None), ("Prince", "Prince", None)),
        ((None, None, None), (None, None, None)),
    ],
)
def test_names(parts: tuple[str | None, ...], expected: tuple[str | None, ...]) -> None:
    found = name.parts(*parts)
    assert (found.full, found.first, found.last) == expected


@pytest.mark.parametrize(
    ("said", "token"),
    [
        ("Request a Demo", "demo"), ("demo", "demo"), ("Get pricing", "pricing"), ("Start free trial", "trial"), ("Sign-up", "trial"),
        ("Whitepaper Download", "content"), ("Webinar registration", "webinar"), ("Contact us", "contact"), ("Spin the Wheel!", "spin_the_wheel"),
    ],
)  # fmt: skip
def test_actions(said: str, token: str) -> None:
    assert action.action(said, {}) == token


def test_the_words_of_the_org_win() -> None:
    assert action.action("Talk to sales", {"talk to sales": "demo"}) == "demo"
    assert action.source("Google Ads", {}) == "ads"
    assert action.source("Partner portal", {"partner portal": "oem"}) == "oem"


@pytest.mark.parametrize(
    ("said", "seconds_before", "problem"),
    [
        ("2026-03-10T14:13:00Z", 60, None), ("2026-03-10T15:13:00+01:00", 60, None), (1773151980, 60, None),
        ("1773151980000", 60, None), ("2026-03-10T14:13:00", 60, "zone_missing"), ("2026-03-10T14:16:00Z", 0, None),
        ("2027-03-10T14:16:00Z", 0, "future"), ("1999-03-10T14:16:00Z", 0, "too_old"), ("yesterday", 0, "invalid"),
        ("0001-01-01T00:00:00+14:00", 0, "invalid"), ([1], 0, "invalid"), (float("inf"), 0, "invalid"), (None, 0, None),
    ],
)  # fmt: skip
def test_submission_times(said: Any, seconds_before: int, problem: str | None) -> None:
    found = submitted.parse(said, AT, timedelta(minutes=5), timedelta(days=365))
    assert (found.at, found.problem) == (AT - timedelta(seconds=seconds_before), problem)


@pytest.mark.parametrize(
    ("said", "is_it"),
    [
        ("XkJhGtRwQz", True),
        ("sdfghjkl", True),
        ("Jane Doe", False),
        ("Hirschsprung", False),
        ("McDonald", False),
        ("BMW AG", False),
    ],
)
def test_gibberish(said: str, is_it: bool) -> None:
    assert spam.is_gibberish(said) is is_it


def test_signs_of_spam() -> None:
    assert spam.signs("x", 0.2, ("sdfghjkl", "http://spam"), "http://a http://b http://c", 1.5) == (
        "trap.filled", "form.too_fast", "name.gibberish", "name.link", "message.links",
    )  # fmt: skip
    assert spam.signs("", 12.0, ("Jane Doe", None), "See https://acme.com", 1.5) == ()


IDEMPOTENT: dict[str, Callable[[str], str | None]] = {
    "text": text.plain,
    "folded": text.folded,
    "token": text.token,
    "company": company.name,
    "company key": company.key,
    "country": country.code,
    "industry": industry.slug,
    "language": language.code,
    "time zone": timezone.stated,
    "site": domain.of_site,
}


def test_every_code_that_a_country_comes_out_as_is_one_itself() -> None:
    dialled = {country.code(f"+{number}") for number in range(1_000)} - {None}
    codes = {*country._known().values(), *country._in_other_words().values(), *dialled}
    assert [code for code in codes if country.code(code) != code] == []


@pytest.mark.parametrize("law", IDEMPOTENT)
@example(said="\u033d\x1f\U00010f83")
@example(said="KOSOV")
@example(said="&amp;amp;lt;b&amp;amp;gt; A &amp;amp; B")
@given(said=st.text(max_size=60))
def test_a_canonical_value_is_its_own_canonical_form(law: str, said: str) -> None:
    once = IDEMPOTENT[law](said)
    assert once is None or IDEMPOTENT[law](once) == once
