from datetime import timedelta
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.conditions import context_of, evaluate
from routing.expression import Fact
from routing.facts import LeadFacts, nested
from routing.lead_cells import graded
from routing.policy import Policy
from routing.rules import Match, TriedRule, first_match
from schemas.lead import AccountRef, Disqualified, Lead, OpenDuplicate
from tests.unit.routing.policies import NOW, SHIPPED, edited, lead, scored, shipped

SAAS_TX = {"industry": "saas", "state": "TX"}
ACME = AccountRef(domain="acme.example", owner="E1", is_named=True)


def matched(of: Lead, policy: Policy, **more: Any) -> Match:
    return first_match(policy, LeadFacts(scored(of, policy, **more), NOW, policy))


def gone(days: int, rep: str | None = "M2") -> Disqualified:
    return Disqualified(lead_id="main.p1.1", rep=rep, at=NOW - timedelta(days=days))


@pytest.mark.parametrize(
    ("of", "more", "rule"),
    [
        pytest.param(lead(employees=5000, **SAAS_TX), {}, "enterprise Americas", id="EX-2"),
        pytest.param(lead("webinar", employees=600, **SAAS_TX), {}, "mid-market Southwest", id="EX-3"),
        pytest.param(lead(mail="personal"), {}, "personal email", id="EX-4"),
        pytest.param(lead(state="TX"), {}, "size unknown", id="EX-6"),
        pytest.param(lead(industry="healthcare"), {}, "size unknown, healthcare", id="EX-6 variant"),
        pytest.param(lead("content", employees=450, **SAAS_TX), {"disqualified": gone(49)}, "recycled", id="EX-12"),
        pytest.param(
            lead("content", employees=450, **SAAS_TX), {"disqualified": gone(89)}, "recycled", id="EX-12 at 89"
        ),
        pytest.param(
            lead("content", employees=450, **SAAS_TX), {"disqualified": gone(90)}, "mid-market Southwest", id="EX-13"
        ),
        pytest.param(
            lead("content", employees=450, **SAAS_TX),
            {"disqualified": gone(5, None)},
            "mid-market Southwest",
            id="nobody to go back to",
        ),
        pytest.param(lead(employees=300, industry="saas", country="BR"), {}, "everything else", id="EX-17"),
        pytest.param(lead("whitepaper", employees=20, industry="retail"), {}, "nurture", id="EX-18"),
        pytest.param(lead("webinar", employees=150, industry="fintech", state="TX"), {}, "small business", id="EX-23"),
        pytest.param(lead("webinar", employees=1200, industry="saas"), {}, "enterprise Americas", id="EX-25"),
        pytest.param(
            lead(employees=300, **SAAS_TX),
            {"duplicate": OpenDuplicate(lead_id="main.p1.1", tier="T2", opened_at=NOW)},
            "open duplicate",
            id="EX-5",
        ),
    ],
)
def test_a_worked_example_meets_its_rule(of: Lead, more: dict[str, Any], rule: str) -> None:
    assert matched(of, shipped(), **more).rule.name == rule


def test_an_account_beats_segment_and_personal_mail() -> None:
    of = lead(mail="personal", employees=5000, **SAAS_TX).model_copy(update={"account": ACME})
    assert matched(of, shipped()).rule.name == "account owner"


def test_territory_first_sends_a_large_texan_company_to_its_territory() -> None:
    match = matched(lead(employees=5000, **SAAS_TX), shipped("territory-first"))
    assert match.rule.name == "Southwest territory"


def test_the_enterprise_threshold_is_a_small_edit() -> None:
    policy = edited("default", ("name: enterprise, from: 1000", "name: enterprise, from: 501"))
    assert matched(lead("webinar", employees=600, **SAAS_TX), policy).rule.name == "enterprise Americas"


def test_every_rule_tried_is_told_with_field_actual_and_expected() -> None:
    match = matched(lead(employees=600, **SAAS_TX), shipped())
    assert match.index == 7
    assert [tried.name for tried in match.tried] == [rule.rule.name for rule in shipped().rules[:8]]
    by_name = {tried.name: tried for tried in match.tried}
    assert by_name["enterprise Americas"] == TriedRule(
        "enterprise Americas", False, "segment", "mid_market", '== "enterprise"'
    )
    assert by_name["account owner"] == TriedRule("account owner", False, "account.owner", None, "known")
    assert by_name["personal email"] == TriedRule("personal email", False, "mail.kind", "business", '== "personal"')
    assert by_name["mid-market Southwest"] == TriedRule("mid-market Southwest", True)


def test_an_unknown_fact_makes_a_rule_fail_and_is_told() -> None:
    tried = matched(lead(employees=600, industry="saas"), shipped()).tried[7]
    assert tried == TriedRule(
        "mid-market Southwest", False, "company.state", None, 'in ["AZ", "NM", "OK", "TX"]', ("company.state",)
    )


def test_a_part_that_many_rules_ask_is_the_same_part() -> None:
    policy = shipped()
    texts = [part.text for part in policy.parts]
    assert len(texts) == len(set(texts))
    assert sum(len(rule.parts) for rule in policy.rules) > len(texts)


FACTS: dict[str, st.SearchStrategy[Fact]] = {
    "company.employees": st.sampled_from([0, 20, 49, 50, 199, 200, 999, 1000, 5000]),
    "company.country": st.sampled_from(["US", "CA", "BR", "GB"]),
    "company.state": st.sampled_from(["TX", "AZ", "NY"]),
    "company.region": st.sampled_from(["amer", "emea", "apac"]),
    "company.industry": st.sampled_from(["saas", "healthcare", "retail"]),
    "lead.action": st.sampled_from(["demo", "webinar", "whitepaper"]),
    "lead.source": st.sampled_from(["web", "sdr_handoff"]),
    "lead.open_duplicate": st.booleans(),
    "lead.is_suspect": st.booleans(),
    "lead.disqualified_days": st.integers(0, 200),
    "mail.kind": st.sampled_from(["business", "personal", "disposable"]),
    "account.owner": st.just("E1"),
    "account.is_named": st.booleans(),
    "account.has_open_opportunity": st.booleans(),
    "account.opportunity_owner": st.just("E2"),
}


@pytest.mark.parametrize("name", SHIPPED)
@settings(deadline=None)
@given(facts=st.fixed_dictionaries({}, optional=FACTS))
def test_any_combination_of_facts_meets_the_first_rule_that_holds_as_a_whole(name: str, facts: dict[str, Fact]) -> None:
    policy = shipped_once(name)
    known = nested(graded(policy, facts))
    match = first_match(policy, known)
    context = context_of(known)
    whole = (rule for rule in policy.rules if rule.condition is None or evaluate(rule.condition, context).matched)
    assert match.rule is next(whole).rule
    assert [tried.matched for tried in match.tried] == [False] * match.index + [True]


@cache
def shipped_once(name: str) -> Policy:
    return shipped(name)
