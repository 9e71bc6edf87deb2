from datetime import UTC, datetime, timedelta

import pytest

from routing.catalogue import KINDS, kind_of
from routing.facts import LeadFacts, flat, lead_facts, treatment
from routing.policy import Policy, compile_policy
from schemas.lead import AccountRef, Contact, Disqualified, MailFacts
from tests.unit.routing.policies import NOW, SHIPPED, edited, lead, scored, shipped, text_of


def test_unknown_values_are_left_out_and_groups_are_there() -> None:
    facts = lead_facts(lead(employees=None))
    assert "employees" not in facts["company"]
    assert facts["account"] == {}
    assert facts["company"]["country"] == "US"


def test_every_fact_given_is_in_the_catalogue() -> None:
    of = lead(employees=5, technologies=("x",)).model_copy(
        update={"account": AccountRef(domain="a", owner="E1"), "answers": {"size": "big"}, "seniority": "vp"}
    )
    facts = LeadFacts(scored(of, shipped()), NOW, shipped())
    assert [name for name in flat(facts) if kind_of(name) is None] == []
    assert set(KINDS) >= {"company.technologies", "lead.seniority"}


def test_nothing_personal_is_a_fact() -> None:
    secret = Contact(email="jo@x.example", name="Jo", phone="+15550100")
    facts = LeadFacts(scored(lead(), shipped(), contact=secret), NOW, shipped())
    said = repr(facts)
    assert "jo@x.example" not in said
    assert "5550100" not in said


def test_wall_time_is_that_of_the_policy() -> None:
    facts = LeadFacts(scored(lead(), shipped()), NOW, shipped())
    assert (facts["weekday"], facts["hour"], facts["time_of_day"], facts["date"]) == ("tue", 14, "14:14", "2026-03-10")


@pytest.mark.parametrize(("at", "is_open"), [(NOW, True), (NOW + timedelta(hours=8), False)])
def test_a_condition_may_ask_whether_a_calendar_is_open(at: datetime, is_open: bool) -> None:
    policy = compile_policy(text_of("default").replace("when: lead.recycled\n", "when: calendar.office\n"))
    assert LeadFacts(scored(lead(), policy), at, policy)["calendar"] == {"office": is_open}


@pytest.mark.parametrize(
    ("gone_at", "days", "recycled"),
    [
        (datetime(2026, 1, 20, 20, tzinfo=UTC), 49, True),
        (datetime(2025, 12, 11, 20, tzinfo=UTC), 89, True),
        (datetime(2025, 12, 10, 20, tzinfo=UTC), 90, False),
        (datetime(2025, 12, 11, 3, tzinfo=UTC), 90, False),  # still 10 December in New York
    ],
)
def test_days_since_disqualification_are_calendar_days_of_the_policy(
    gone_at: datetime, days: int, recycled: bool
) -> None:
    gone = Disqualified(lead_id="main.p1.1", rep="M2", at=gone_at)
    facts = LeadFacts(scored(lead(), shipped(), disqualified=gone), NOW, shipped())["lead"]
    assert (facts["disqualified_days"], facts["recycled"]) == (days, recycled)


def test_treatment_is_the_tiers_for_the_segment() -> None:
    policy = shipped()
    assert treatment(policy, "T3", "self_serve") == "nurture"
    assert treatment(policy, "T3", "smb") == treatment(policy, "T1", "self_serve") == "assign"
    assert treatment(policy, "T3", None) == treatment(policy, "T9", "smb") == "assign"


ASKS_MORE = edited(
    "default",
    ("when: lead.recycled\n", "when: lead.recycled || answers.size == 'big' || calendar.office && weekday == 'tue'\n"),
)


@pytest.mark.parametrize("policy", [*map(shipped, SHIPPED), ASKS_MORE], ids=[*SHIPPED, "answers and the clock"])
def test_what_the_rules_ask_is_read_as_the_facts_have_it(policy: Policy) -> None:
    of = lead(employees=300, industry="saas").model_copy(update={"answers": {"size": "big"}})
    gone = Disqualified(lead_id="main.p1.1", rep="M2", at=NOW - timedelta(days=3))
    for more in ({}, {"disqualified": gone}, {"disqualified": gone.model_copy(update={"rep": None})}):
        facts = LeadFacts(scored(of, policy, **more), NOW, policy)
        known = flat(facts)
        assert dict(zip(policy.rulebook.fields, facts.asked(), strict=True)) == {
            field: known.get(field) for field in policy.rulebook.fields
        }


def test_a_lead_that_was_never_disqualified_or_lost_by_nobody_is_not_recycled() -> None:
    nobodys = Disqualified(lead_id="main.p1.1", rep=None, at=NOW - timedelta(days=3))
    for gone in (None, nobodys):
        facts = LeadFacts(scored(lead(), shipped(), disqualified=gone), NOW, shipped())
        assert facts["lead"]["recycled"] is False
        assert facts["lead"].get("disqualified_days") == (None if gone is None else 3)
        assert facts["lead"]["open_duplicate"] is False


def test_the_domain_of_a_mail_is_a_fact_where_it_is_known() -> None:
    assert lead_facts(lead())["mail"] == {"kind": "business", "is_role": False, "domain": "x.example"}
    bare = lead().model_copy(update={"mail": MailFacts()})
    assert "domain" not in lead_facts(bare)["mail"]


def test_facts_are_a_mapping_of_all_that_rules_may_ask() -> None:
    facts = LeadFacts(scored(lead(), shipped()), NOW, shipped())
    assert (dict(facts), len(facts)) == (facts.known, len(facts.known))
