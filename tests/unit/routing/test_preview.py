"""A lead typed in is decided as it would be, and nothing has changed (GOV-7)."""

import pytest

from routing.policy import compile_policy
from routing.preview import FactUnknown, empty_division, preview, typed_lead
from schemas.decision import DecisionKind
from schemas.lead import MailKind
from tests.worked.world import DEFAULT, ROSTER, TERRITORY_FIRST, Arrival, World, at

FACTS = {
    "lead.action": "demo",
    "company.employees": 450,
    "company.industry": "saas",
    "company.country": "US",
    "company.state": "TX",
}


def test_a_typed_lead_goes_where_the_same_real_lead_would_go() -> None:
    world = World()
    before = dict(world.state.values)
    now = at("14:14")
    found = preview(world.state, world.policy, typed_lead(FACTS, now), now)
    assert world.state.values == before
    real = world.arrives(Arrival("lone.example", 450))
    (told,) = found.decisions
    assert (told.owner, told.rule, told.tier, told.score) == (real.owner, real.rule, real.tier, real.score)
    assert told.sla is not None and real.sla is not None
    assert told.sla.steps == real.sla.steps


def test_a_preview_tells_what_would_have_changed_the_outcome() -> None:
    world = World()
    found = preview(world.state, world.policy, typed_lead(FACTS, at("14:14")), at("14:14"))
    assert any("instead of" in one for one in found.otherwise)


def test_a_roster_alone_is_enough() -> None:
    policy = compile_policy(TERRITORY_FIRST)
    state = empty_division(policy, [rep for rep, _ in ROSTER.values()], at("14:14"))
    large = FACTS | {"company.employees": 5000, "company.region": "amer"}
    (told,) = preview(state, policy, typed_lead(large, at("14:14")), at("14:14")).decisions
    assert (told.pool, told.kind) == ("mm-southwest", DecisionKind.ASSIGNED)


def test_facts_of_an_account_bind_the_lead_to_its_owner() -> None:
    world = World()
    lead = typed_lead(FACTS | {"account.owner": "E1", "account.is_named": True}, at("14:14"))
    (told,) = preview(world.state, world.policy, lead, at("14:14")).decisions
    assert (told.owner.id, told.rule) == ("E1", "account owner")


@pytest.mark.parametrize(
    ("given", "kind"), [({}, MailKind.BUSINESS), ({"mail.kind": "personal"}, MailKind.PERSONAL)], ids=["not", "given"]
)
def test_an_address_of_a_business_is_taken_for_granted(given: dict[str, str], kind: MailKind) -> None:
    assert typed_lead(FACTS | given, at("14:14")).mail.kind is kind


def test_a_typed_lead_is_a_first_touch() -> None:
    world = World(DEFAULT.replace('when: mail.kind == "personal"', "when: lead.touch > 1"))
    (told,) = preview(world.state, world.policy, typed_lead(FACTS, at("14:14")), at("14:14")).decisions
    assert told.rule == "mid-market Southwest"


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"company.size": 5}, "company.size is no fact"),
        ({"employees": 5}, "employees is no fact"),
        ({"lead.person": "x"}, "lead.person is no fact"),
        ({"company.employees": "many"}, "company.employees"),
        ({"mail.kind": "strange"}, "mail.kind"),
    ],
)
def test_a_fact_that_no_lead_has_is_refused_with_those_there_are(facts: dict[str, object], said: str) -> None:
    with pytest.raises(FactUnknown, match=said):
        typed_lead(facts, at("14:14"))


def test_a_preview_at_night_goes_to_the_after_hours_team() -> None:
    world = World(DEFAULT)
    night = at("02:00", 14)
    (told,) = preview(world.state, world.policy, typed_lead(FACTS, night), night).decisions
    assert told.owner.pool == "after-hours"
