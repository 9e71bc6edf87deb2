"""What would have chosen otherwise (NEW-5): which changes are tried, nearest first, and how far each is."""

from dataclasses import replace

import pytest

from routing.counterfactual import Changed, Otherwise, by_lead, by_rep, lead_changes, said
from routing.decide import DecisionInput
from schemas.decision import Owner, OwnerKind
from schemas.rep import RepChanged
from tests.unit.routing.policies import edited, lead, shipped
from tests.worked.world import ROSTER, Arrival, World, person

DRAWS_E1, DRAWS_E2 = "12" * 16, "ab" * 16  # leads whose hash gives them to E1, or to E2, where both have waited alike


def otherwise(world: World, who: str = DRAWS_E2) -> str | None:
    """Return what is said of a large company's lead, which goes to E2."""
    arrival = Arrival(employees=5000, action="webinar", who=who)
    event = DecisionInput("event-x", arrival.scored(world, world.policy).model_copy(update={"contact": None}))
    found = by_rep(world.state, event, world.policy, arrival.seen_at)
    return None if found is None else said(found).partition(" it would")[0]


def test_the_changes_of_a_lead_are_the_boundaries_of_the_policy_nearest_first_then_by_words() -> None:
    changes = lead_changes(shipped(), lead("webinar", employees=100, industry="saas", state="TX"))
    assert [(round(size, 2), what) for size, what, _, _ in changes] == [
        (0.96, "employees 51 instead of 100"),
        (0.99, "employees 199 instead of 100"),
        (1.0, "action content instead of webinar"),
        (1.0, "action demo instead of webinar"),
        (1.0, "action pricing instead of webinar"),
        (1.0, "action qualified_chat instead of webinar"),
        (1.0, "action trial instead of webinar"),
        (1.0, "country CA instead of US"),
        (1.0, "employees 200 instead of 100"),
        (1.0, "employees 50 instead of 100"),
        (1.0, "industry fintech instead of saas"),
        (1.0, "industry healthcare instead of saas"),
        (1.0, "industry manufacturing instead of saas"),
        (1.0, "state AZ instead of TX"),
        (1.0, "state NM instead of TX"),
        (1.0, "state OK instead of TX"),
        (1.04, "employees 49 instead of 100"),
        (1.25, "employees 0 instead of 100"),
        (1.25, "employees 1000 instead of 100"),
        (1.25, "employees 999 instead of 100"),
        (1.5, "country unknown instead of US"),
        (1.5, "employees unknown instead of 100"),
        (1.5, "industry unknown instead of saas"),
        (1.5, "state unknown instead of TX"),
        (2.0, "a personal address instead of a business one"),
    ]


def test_a_number_of_a_condition_is_tried_with_both_its_neighbours() -> None:
    policy = edited("default", ("icp: company.employees >= 50", "icp: company.employees >= 300"))
    tried = {changed.company.employees for *_, field, changed in lead_changes(policy, lead()) if "employees" in field}
    assert tried >= {299, 300, 301}
    assert not tried & {298, 302}


def test_each_change_is_made_on_the_lead_and_on_nothing_else() -> None:
    of = lead("webinar", employees=100, industry="saas", state="TX")
    made = {what: changed for _, what, _, changed in lead_changes(shipped(), of)}
    assert made["action demo instead of webinar"] == of.model_copy(update={"action": "demo"})
    smaller = of.company.model_copy(update={"employees": 49})
    assert made["employees 49 instead of 100"] == of.model_copy(update={"company": smaller})


@pytest.mark.parametrize(("employees", "far"), [(None, 1.0), (2, 1.25), (0, 1.25)])
def test_a_size_that_was_unknown_or_next_to_nothing_is_equally_far_from_each_other_one(
    employees: int | None, far: float
) -> None:
    changes = lead_changes(shipped(), lead("webinar", employees=employees))
    rows = [(changed.company.employees, size) for size, _, field, changed in changes if field == "company.employees"]
    boundaries = [0, 1000, 199, 200, 49, 50, 51, 999, None]  # by their words
    expected = [(value, 1.5 if value is None else far) for value in boundaries if value != employees]
    assert rows == expected


def test_what_nobody_would_have_had_is_said_to_be_nobodys() -> None:
    nurtured = Otherwise("employees 49 instead of 100", "company.employees", 1.0, "nurture", Owner(kind=OwnerKind.NONE))
    assert said(nurtured) == """With employees 49 instead of 100 it would have been nobody's by rule "nurture"."""


def test_of_two_who_had_too_much_the_one_nearest_to_having_it_is_named() -> None:
    world = World()
    world.roster(person("E3", "ent-amer", seniority="senior", limit=40))
    for number in range(16):
        world.opportunity("E3", f"deal-{number}", "mid")
    assert otherwise(world) == "With 4 points less on E3"


@pytest.mark.parametrize(
    ("load", "others", "who", "what"),
    [
        pytest.param(0.5, 0, DRAWS_E1, "With 0.5 points less on E1", id="half a point, all they have"),
        pytest.param(1, 0.5, DRAWS_E1, "With 0.5 points less on E1", id="half of what they have"),
        pytest.param(1, 0, DRAWS_E1, "With 1 point less on E1", id="a point, all they have"),
        pytest.param(0.5, 0, DRAWS_E2, "With E2 away", id="more than all they have"),
        pytest.param(1, 0, DRAWS_E2, "With E2 away", id="more than all of their point"),
    ],
)
def test_the_least_that_somebody_has_too_much_is_said_and_never_more_than_they_have(
    load: float, others: float, who: str, what: str
) -> None:
    assert otherwise(World(loads={"E1": load, "E2": others}), who) == what


def test_nothing_is_said_of_an_owner_whose_absence_would_give_it_to_nobody_else() -> None:
    world = World(without=("Q1", "Q2", "QM"))
    arrival = Arrival(employees=None, industry=None)
    event = DecisionInput("event-x", arrival.scored(world, world.policy).model_copy(update={"contact": None}))
    assert by_rep(world.state, event, world.policy, arrival.seen_at) is None
    assert world.arrives(arrival).owner.id == "CA"


def test_nothing_is_said_of_what_no_lead_was_decided_by() -> None:
    world = World()
    rep = ROSTER["E1"][0]
    event = DecisionInput("event-x", RepChanged(rep_id="E1", division="main", rep=rep, at=world.now))
    assert by_rep(world.state, event, world.policy, world.now) is None
    assert by_lead(world.state, event, world.policy, world.now) is None


def test_a_changed_state_gives_the_changed_values_one_by_one_and_in_order() -> None:
    world = World(without=("M3",))
    m1, m2 = world.state.get("rep/main/M1"), world.state.get("rep/main/M2")
    lighter = replace(m1, load=0)
    state = Changed(world.state, {"rep/main/M1": lighter})
    assert (state.get("rep/main/M1"), state.get("rep/main/M2"), state.get("rep/main/M3")) == (lighter, m2, None)
    assert list(state.scan("rep/main/M")) == [
        ("rep/main/M1", lighter),
        ("rep/main/M2", m2),
        ("rep/main/MM", world.state.get("rep/main/MM")),
    ]
