"""NEW-5: the smallest change that would have chosen otherwise, in the world of the worked examples."""

from routing.counterfactual import Otherwise, by_lead, by_rep, said
from routing.decide import DecisionInput
from routing.explain import story
from routing.replay import before_event
from tests.worked.world import Arrival, World


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
