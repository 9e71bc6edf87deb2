import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import given
from hypothesis import strategies as st

from enrichment.normalise import mail
from schemas.lead import MailKind
from schemas.org import MailLists

RULES = mail.mail_rules(
    MailLists(blocked=("evil.example",), competitors=("rival.example",), look_alike_of=("acme.com",))
)


def box(text: str) -> mail.Mail:
    found = mail.parse(text, RULES)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("Jane.Doe@Acme.COM", "jane.doe@acme.com"),
        ("  jane@acme.com ", "jane@acme.com"),
        ("Jane Doe <Jane@Acme.com>", "jane@acme.com"),
        ("mailto:jane@acme.com?subject=hi", "jane@acme.com"),
        ("jane@acme.com.", "jane@acme.com"),
        ("jane@bücher.example", "jane@xn--bcher-kva.example"),
        ("o'neil@acme.com", "o'neil@acme.com"),
    ],
)
def test_an_address_is_lower_case_and_bare(text: str, address: str) -> None:
    assert box(text).address == address


@pytest.mark.parametrize(
    "text", ["", "jane", "jane@", "@acme.com", "jane@acme", "a b@acme.com", "jane@@acme.com", "j@a..com"]
)
def test_what_is_no_address_is_none(text: str) -> None:
    assert mail.parse(text, RULES) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("jane.doe+demo@gmail.com", "janedoe@googlemail.com"),
        ("jane+x@outlook.com", "jane@outlook.com"),
        ("jane+x@protonmail.com", "jane@proton.me"),
    ],
)
def test_what_the_provider_ignores_makes_no_other_person(one: str, other: str) -> None:
    assert box(one).identity == box(other).identity


def test_dots_and_tags_of_a_company_make_another_person() -> None:
    assert len({box(text).identity for text in ("jane.doe@acme.com", "janedoe@acme.com", "janedoe+a@acme.com")}) == 3


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("a@acme.com", MailKind.BUSINESS),
        ("a@gmail.com", MailKind.PERSONAL),
        ("a@yahoo.co.uk", MailKind.PERSONAL),
        ("a@mailinator.com", MailKind.DISPOSABLE),
        ("a@sub.mailinator.com", MailKind.DISPOSABLE),
    ],
)
def test_the_kind_of_a_mail_domain(text: str, kind: MailKind) -> None:
    assert box(text).kind is kind


def test_the_lists_of_the_org_win() -> None:
    rules = mail.mail_rules(MailLists(personal=("acme.com",), business=("gmail.com",), disposable=("trash.example",)))
    kinds = [
        found.kind for text in ("a@acme.com", "a@gmail.com", "a@trash.example") if (found := mail.parse(text, rules))
    ]
    assert kinds == [MailKind.PERSONAL, MailKind.BUSINESS, MailKind.DISPOSABLE]


def test_disposable_wins_where_a_domain_is_on_both_lists() -> None:
    both = mail._disposable() & mail._free()
    assert both
    assert {mail.kind(name, name, RULES) for name in both} == {MailKind.DISPOSABLE}


def test_role_blocked_and_competitor_addresses_are_told() -> None:
    assert box("Info@acme.com").is_role
    assert box("sales+eu@acme.com").is_role
    assert not box("jane@acme.com").is_role
    assert box("x@evil.example").is_blocked
    assert box("x@rival.example").is_competitor


@pytest.mark.parametrize(
    ("domain", "known"),
    [
        ("gmial.com", "gmail.com"),
        ("acrne.com", "acme.com"),
        ("0utlook.com", "outlook.com"),
        ("hotmai.com", "hotmail.com"),
    ],
)
def test_a_look_alike_names_what_it_imitates(domain: str, known: str) -> None:
    assert box(f"a@{domain}").look_alike == known


@pytest.mark.parametrize("domain", ["gmail.com", "ymail.com", "acme.com", "mail.com", "acme-robotics.com"])
def test_an_honest_domain_looks_like_nothing(domain: str) -> None:
    assert box(f"a@{domain}").look_alike is None


LABELS = st.sampled_from(
    ["acme", "a", "a-b", "-a", "a-", "xn--mnchen-3ya", "ab--c", "1", "x" * 63, "x" * 64, "a_b", ""]
)
ENDS = st.sampled_from(
    ["com", "c", "1", "test", "local", "localhost", "invalid", "arpa", "onion", "museum", "c-m", "xn--p1ai"]
)


@given(st.lists(LABELS, max_size=4), ENDS)
def test_a_plain_host_is_valid_exactly_where_the_library_says_so(labels: list[str], end: str) -> None:
    host = ".".join([*labels, end])
    try:
        valid = validate_email(f"a@{host}", check_deliverability=False, test_environment=True)
        expected = valid.ascii_domain
    except EmailNotValidError:
        expected = None
    found = mail.parse(f"a@{host}", RULES)
    assert (found.host if found else None) == (expected if len(end) > 1 else None)
