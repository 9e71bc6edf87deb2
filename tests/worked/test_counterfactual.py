"""NEW-5: the smallest change that would have chosen otherwise, in the world of the worked examples."""

from dataclasses import replace
from typing import Any

import pytest

from routing.counterfactual import Otherwise, by_lead, by_rep, lead_changes, said
from routing.decide import DecisionInput
from routing.explain import story
from routing.replay import before_event
from schemas.lead import MailKind
from tests.worked.world import ACME, Arrival, World, at


def case(world: World, arrival: Arrival) -> DecisionInput:
    return DecisionInput("event-x", arrival.scored(world, world.policy).model_copy(update={"contact": None}))


def lead_otherwise(world: World, arrival: Arrival) -> Otherwise | None:
    return by_lead(world.state, case(world, arrival), world.policy, arrival.seen_at)


def rep_otherwise(world: World, arrival: Arrival) -> Otherwise | None:
    return by_rep(world.state, case(world, arrival), world.policy, arrival.seen_at)


def test_a_lead_of_900_people_is_nearest_to_the_enterprise_band() -> None:
    found = lead_otherwise(World(), Arrival(employees=900, action="webinar"))
    assert found is not None and found.owner.id == "E2"
    assert said(found) == 'With employees 1000 instead of 900 it would have gone to E2 by rule "enterprise Americas".'


def test_a_lead_of_210_people_is_nearest_to_small_business() -> None:
    found = lead_otherwise(World(), Arrival(employees=210, action="webinar"))
    assert found is not None and (found.what, found.owner.pool) == ("employees 199 instead of 210", "smb-sdr")


def test_the_change_given_chooses_otherwise_when_it_is_really_made() -> None:
    world = World()
    arrival = Arrival(employees=210, action="webinar")
    found = lead_otherwise(world, arrival)
    assert found is not None
    as_it_was = World().arrives(arrival)
    assert World().arrives(arrival.but(employees=199)).owner == found.owner != as_it_was.owner


def test_e1_would_have_had_it_with_just_so_much_less_load() -> None:
    found = rep_otherwise(World(), Arrival(employees=5000, action="webinar"))
    assert found is not None and found.owner.id == "E1"
    assert said(found) == 'With 8.5 points less on E1 it would have gone to E1 by rule "enterprise Americas".'
    owners = [
        World(loads={"E1": load}).arrives(Arrival(employees=5000, action="webinar")).owner.id for load in (12, 11.5)
    ]
    assert owners == ["E2", "E1"]  # at 12 they are equal, and the recorded hash of this lead is E2's


def test_the_state_before_a_decision_comes_back_from_the_journal_and_the_story_tells_what_would_have_changed_it() -> (
    None
):
    world = World()
    world.arrives(Arrival(employees=210, action="webinar"))
    first = world.arrives(Arrival(employees=210, action="webinar"))
    world.arrives(Arrival(employees=210, action="webinar"))
    world.seal()
    entries = [row for record in world.journal for row in record.entries]
    before = before_event(entries, world.policies.get, first.cause)
    assert before is not None
    found = by_lead(before.state, before.event, world.policy, before.now)
    assert found is not None and found.what == "employees 199 instead of 210"
    assert story([first], [said(found)]).endswith(f"{said(found)}\n")


def test_where_only_absence_would_change_it_absence_is_said() -> None:
    world = World()
    found = rep_otherwise(world, Arrival(employees=None, industry=None))
    assert found is not None and said(found) == 'With Q1 away it would have gone to Q2 by rule "size unknown".'


GMAIL = Arrival("gmail.com", 450, mail=MailKind.PERSONAL)
OURS = Arrival("acme.example", 450, account=ACME)


@pytest.mark.parametrize(
    ("arrival", "what", "changes"),
    [
        (GMAIL, "a business address instead of a personal one", {"mail": MailKind.BUSINESS}),
        (OURS, "no account instead of acme.example", {"account": None}),
        (
            Arrival(employees=100, country="BR", state=None, action="webinar"),
            "country CA instead of BR",
            {"country": "CA"},
        ),
    ],
    ids=["a personal address", "an account's lead", "a country that nobody covers"],
)
def test_what_would_have_chosen_otherwise_does_so_when_it_is_made(
    arrival: Arrival, what: str, changes: dict[str, Any]
) -> None:
    found = lead_otherwise(World(), arrival)
    assert found is not None and (found.what, found.owner) == (what, World().arrives(arrival.but(**changes)).owner)
    assert found.owner != World().arrives(arrival).owner


def test_a_country_brings_its_region_and_takes_the_state_that_lay_in_the_one_before() -> None:
    """The US and Brazil lie in one region; with the state of before a lead would lie in two countries."""
    abroad = Arrival(employees=5000, country="DE", state=None, action="webinar")
    found = lead_otherwise(World(), abroad)
    assert found is not None and found.what in ("country CA instead of DE", "country US instead of DE")
    assert found.owner.id == "E2"
    made = lead_changes(World().policy, Arrival(country="US", state="TX").lead("a"))
    changed = next(lead for _, what, _, lead in made if what == "country CA instead of US")
    assert (changed.company.region, changed.company.state) == ("amer", None)


def test_of_a_repeat_it_is_told_where_the_lead_ended_up() -> None:
    """The owner is absent: the touch is noted on them, then their team lead has it."""
    world = World()
    first = Arrival(action="webinar", when=at("13:50"), who="a" * 32)
    world.arrives(first)
    sick = world.state.values["rep/main/M1"]
    world.state.values["rep/main/M1"] = replace(sick, row=replace(sick.row, status="sick"))
    found = rep_otherwise(world, first.but(touch=2, action="demo", when=at("14:14")))
    assert found is not None and said(found).startswith("With MM away it would have gone to ")
