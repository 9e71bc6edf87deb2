"""The remembered judgement is the one that CEL gives, for every lead and policy."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.facts import flat, lead_facts, reader_of
from routing.gradebook import Gradebook
from routing.policy import Policy, compile_policy
from routing.scoring import judged
from schemas.lead import AccountRef, Company, Lead, MailFacts, MailKind
from tests.unit.routing.policies import NOW, SHIPPED, edited, shipped, text_of

POINTS = """
scoring:
  points:
    - {name: opaque, part: fit, when: company.employees * 2 > 300, points: 3}
    - {name: pattern, part: fit, when: 'lead.source.matches("^w.b$")', points: 5}
    - {name: start, part: intent, when: 'lead.source.startsWith("web") || !has(company.country)', points: 7}
    - {name: money, part: fit, when: company.revenue > 1.5, points: 11}
    - {name: whole, part: behaviour, when: company.revenue >= 1000000, points: 1}
    - {name: answer, part: behaviour, when: 'answers.size == 3', points: 13}
    - {name: flagged, part: behaviour, when: '"phone.invalid" in lead.flags && lead.is_suspect', points: 17}
    - {name: mail, part: intent, when: 'mail.kind == "business" && !mail.is_role', points: 19}
    - {name: account, part: intent, when: 'account.is_customer || account.match == "alias"', points: 23}
    - {name: group, part: fit, when: has(company.technologies), points: 2}
    - {name: derived, part: behaviour, when: 'icp && intent == "low"', points: 4}
"""
PREDICTED = POINTS.replace("scoring:\n", "scoring:\n  predicted: {answer: size, model: size-1}\n")
POLICIES = [
    *(shipped(name) for name in SHIPPED),
    compile_policy(text_of("starter") + POINTS),
    compile_policy(text_of("starter") + PREDICTED),
]

leads = st.builds(
    Lead,
    event_id=st.just("e1"),
    person=st.just("p1"),
    submitted_at=st.just(NOW),
    received_at=st.just(NOW),
    source=st.sampled_from([None, "web", "website", "api"]),
    action=st.sampled_from([None, "demo", "webinar", "other"]),
    seniority=st.sampled_from([None, "vp", "director", "other"]),
    mail=st.builds(MailFacts, kind=st.sampled_from(MailKind), is_role=st.booleans()),
    company=st.builds(
        Company,
        employees=st.none() | st.sampled_from([0, 49, 50, 149, 150, 151, 199, 200, 999, 1000, 10**9]),
        industry=st.sampled_from([None, "saas", "healthcare", "~other"]),
        country=st.sampled_from([None, "US", "DE"]),
        revenue=st.none() | st.sampled_from([0.0, 1.5, 1.6, 1e6, 2e6]),
        technologies=st.sampled_from([(), ("x",)]),
    ),
    account=st.none() | st.builds(AccountRef, domain=st.just("a"), is_customer=st.booleans()),
    behaviour=st.lists(st.sampled_from(["pricing", "returning", "whitepaper", "x"]), max_size=3).map(tuple),
    answers=st.dictionaries(st.just("size"), st.sampled_from([1, 3, True, 3.0, "3", "73.5", 101])),
    flags=st.sampled_from([(), ("phone.invalid",)]),
    suspect=st.sampled_from([(), ("trap",)]),
)


@pytest.mark.parametrize("policy", POLICIES, ids=[*SHIPPED, "every kind of condition", "a predicted score"])
def test_what_is_remembered_is_what_the_conditions_say(policy: Policy) -> None:
    book = Gradebook(policy)

    @settings(max_examples=60, deadline=None)
    @given(st.lists(leads, min_size=1, max_size=6))
    def check(some: list[Lead]) -> None:
        for lead in (*some, *some):
            assert book.judged(lead) == judged(policy, lead)

    check()


def test_leads_that_no_condition_tells_apart_are_judged_once() -> None:
    book = Gradebook(shipped())
    one = _lead(employees=300, industry="saas", country="US")
    assert book.judged(one) is book.judged(_lead(employees=301, industry="fintech", country="CA", city="Paris"))
    assert book.judged(one) is not book.judged(_lead(employees=300, industry="other", country="US"))
    assert book.judged(one) is not book.judged(_lead(employees=3000, industry="saas", country="US"))


def test_no_more_is_remembered_than_the_bound_and_the_judgement_stays_right(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("routing.gradebook.MOST_REMEMBERED", 2)
    policy = POLICIES[-1]  # compares each revenue by its value: each such lead is of a kind of its own
    book = Gradebook(policy)
    for employees in (5, 150, 151, 5, 300, 1_000):
        one = _lead(employees=employees, revenue=float(employees), country="US")
        assert book.judged(one) == judged(policy, one)
        assert len(book._known) <= 2
        assert max(len(facet._known) for facet in book._facets) <= 2
    assert len(book._known) == 2, "what fits is kept"
    assert max(len(facet._known) for facet in book._facets) == 2


def test_kinds_of_leads_are_forgotten_though_each_of_their_facts_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("routing.gradebook.MOST_REMEMBERED", 2)
    book = Gradebook(shipped())
    for employees, industry in ((5, "saas"), (5, "other"), (300, "saas"), (300, "other")):
        book.judged(_lead(employees=employees, industry=industry, country="US"))
        assert len(book._known) <= 2


def test_leads_whose_intent_or_segment_differ_are_judged_apart() -> None:
    book = Gradebook(shipped("starter"))
    one = _lead(employees=300)
    demo, webinar = book.judged(one)[0], book.judged(one.model_copy(update={"action": "webinar"}))[0]
    assert (demo.intent, webinar.intent) == ("high", "medium")
    book = Gradebook(shipped())
    segments = [book.judged(_lead(employees=count))[0].segment for count in (5, 300, 3_000, None)]
    assert segments == [judged(shipped(), _lead(employees=count))[0].segment for count in (5, 300, 3_000, None)]
    assert len(set(segments)) == 4


def test_a_fact_that_an_opaque_condition_asks_for_is_compared_by_value_and_type() -> None:
    book = Gradebook(POLICIES[-1])
    one, other = _lead(employees=300, revenue=1.4), _lead(employees=300, revenue=1.6)
    assert book.judged(other)[1].total != book.judged(one)[1].total
    for counted in (3, True, "3", 3.0):
        asked = one.model_copy(update={"answers": {"size": counted}})
        assert book.judged(asked) == judged(POLICIES[-1], asked)
    for employees in (150, 151):  # employees * 2 > 300
        asked = _lead(employees=employees)
        assert book.judged(asked) == judged(POLICIES[-1], asked)


def test_what_a_condition_works_out_of_one_fact_is_compared_by_its_value() -> None:
    points = "scoring: {points: [{name: p, part: fit, when: company.employees * 2 > 300, points: 3}]}\n"
    policy = compile_policy(f"{text_of('starter')}\n{points}")
    book = Gradebook(policy)
    for employees in (150, 151):
        assert book.judged(_lead(employees=employees)) == judged(policy, _lead(employees=employees))
    assert book.judged(_lead(employees=150)) is not book.judged(_lead(employees=149))


def test_a_lead_without_a_fact_is_judged_apart_from_one_that_fails_the_comparison() -> None:
    policy = compile_policy(
        text_of("starter")
        + "scoring: {points: [{name: p, part: fit, when: '!(company.industry == \"saas\")', points: 3}]}\n"
    )
    book = Gradebook(policy)
    for industry in ("other", None, "saas", None, "other"):
        one = _lead(industry=industry)
        assert book.judged(one) == judged(policy, one)
    assert book.judged(_lead(industry="other")) is book.judged(_lead(industry="another"))
    assert book.judged(_lead(industry=None)) is not book.judged(_lead(industry="other"))


def test_two_policies_have_books_of_their_own() -> None:
    strict = edited("default", ("icp: company.employees >= 50", "icp: company.employees >= 500"))
    one = _lead(employees=300, industry="saas", country="US")
    assert Gradebook(shipped()).judged(one)[0].icp
    assert not Gradebook(strict).judged(one)[0].icp


def test_a_reader_of_a_fact_that_other_groups_have_too_reads_its_own() -> None:
    one = _lead(name="Company", domain="c.example")
    for name in ("account.name", "account.domain", "mail.domain", "answers.source", "company.source", "lead.name"):
        assert reader_of(name)(one) is None, name
    known = one.model_copy(update={"account": AccountRef(domain="a.example", name="Account"), "source": "web"})
    assert (reader_of("account.name")(known), reader_of("company.name")(known)) == ("Account", "Company")
    assert (reader_of("lead.source")(known), reader_of("lead.is_suspect")(known)) == ("web", False)
    assert (reader_of("company.source")(known), reader_of("answers.source")(known)) == (None, None)


@given(leads)
def test_a_reader_reads_what_conditions_are_given(lead: Lead) -> None:
    facts = flat(lead_facts(lead))
    for name, value in facts.items():
        assert _plain(reader_of(name)(lead)) == value, name
    for name in ("company.city", "lead.touch", "mail.nothing", "calendar.office", "tier"):
        assert reader_of(name)(lead) == facts.get(name)


def _plain(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _lead(**company: Any) -> Lead:
    return Lead(
        event_id="e",
        person="p",
        action="demo",
        submitted_at=NOW,
        received_at=NOW,
        company=Company.model_validate(company),
    )
