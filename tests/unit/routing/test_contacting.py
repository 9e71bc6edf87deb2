"""Who made contact, when, and who has the lead then (SLA-2, SLA-9)."""

from datetime import datetime

import pytest

from routing.lead_state import Phase
from schemas.activity import ActivityKind
from schemas.decision import DecisionKind, OwnerKind
from tests.worked.world import DEFAULT, ROSTER, Arrival, World, at

HOT = Arrival("lone.example", 450)  # M1 has it; contact by 14:19, M2 has it from 14:24
CALLED = ActivityKind.CALLED


def moved() -> tuple[World, str]:
    """A lead that a step took from M1 and gave to M2."""
    world = World()
    lead = world.arrives(HOT).lead_id
    world.until(at("14:24"))
    assert (world.lead(lead).owner.id, world.lead(lead).excluded) == ("M2", ("M1",))
    return world, lead


def test_a_contact_in_the_instant_the_clock_starts_counts() -> None:
    world = World()
    lead = world.arrives(HOT.but(delay_seconds=3)).lead_id
    (said,) = world.does(CALLED, lead, "M1", at("14:14"), learned=at("14:15"))
    assert (said.kind, said.trace["contact_seconds"], world.lead(lead).contacted_at) == (
        DecisionKind.CONTACTED,
        0.0,
        at("14:14"),
    )


def test_a_contact_before_the_clock_starts_does_not_count() -> None:
    world = World()
    lead = world.arrives(HOT).lead_id
    assert world.does(CALLED, lead, "M1", at("14:13:59"), learned=at("14:15")) == []
    assert world.lead(lead).contacted_at is None


@pytest.mark.parametrize(
    ("who", "name", "by"), [("M1", "M1", {"by": "M1"}), (None, "someone", {})], ids=["a rep", "nobody known"]
)
def test_the_first_contact_says_who_made_it_and_after_what_time(who: str | None, name: str, by: dict[str, str]) -> None:
    world = World()
    lead = world.arrives(HOT.but(delay_seconds=60)).lead_id
    (said,) = world.does(CALLED, lead, who, at("14:16"))
    assert said.reason == f"First contact by {name} after 2 min, 1 min after its owner got it."
    assert {key: value for key, value in said.trace.items() if key == "by"} == by


@pytest.mark.parametrize(
    ("when", "told"),
    [
        ("14:13:57", "0 s, 0 s after its owner got it."),
        ("14:14:59", "59 s, 58 s after its owner got it."),
        ("15:14", "1 h, 59 min 59 s after its owner got it."),
        ("15:15:05", "1 h 1 min 5 s, 1 h 1 min 4 s after its owner got it."),
    ],
)
def test_times_are_told_in_hours_minutes_and_seconds(when: str, told: str) -> None:
    world = World()
    early = HOT.but(when=at("14:13:57"), action="webinar", delay_seconds=4)
    lead = world.arrives(early if when < "14:14" else HOT.but(action="webinar", delay_seconds=1)).lead_id
    (said,) = world.does(CALLED, lead, "M1", at(when), learned=max(at(when), at("14:15")))
    assert said.reason.removeprefix("First contact by M1 after ").partition(" Too late")[0] == told


def test_a_contact_ends_the_wait_for_its_deadline() -> None:
    world = World()
    lead = world.arrives(HOT).lead_id
    assert f"lead/{lead}" in world.wakes
    world.does(CALLED, lead, "M1", at("14:16"))
    assert f"lead/{lead}" not in world.wakes


def test_a_contact_after_the_deadline_says_so() -> None:
    world = World()
    lead = world.arrives(HOT).lead_id
    (said,) = world.does(CALLED, lead, "M1", at("14:20"))[-1:]
    assert said.reason.endswith(" Too late: the owner did not act (not_contacted), M1 charged.")


@pytest.mark.parametrize(
    ("when", "breach", "charged"),
    [("14:18:59", None, None), ("14:19", None, None), ("14:19:01", "not_contacted", "M1")],
    ids=["a second before", "at the deadline", "a second after"],
)
def test_a_contact_in_time_that_is_learned_late_clears_the_breach(
    when: str, breach: str | None, charged: str | None
) -> None:
    world = World()
    lead = world.arrives(HOT).lead_id
    world.until(at("14:20"))
    assert world.lead(lead).breach == "not_contacted"
    world.does(CALLED, lead, "M1", at(when), learned=at("14:21"))
    assert (world.lead(lead).breach, world.lead(lead).charged_to) == (breach, charged)


@pytest.mark.parametrize(
    ("when", "kept", "is_said"),
    [("14:15", "14:15", True), ("14:16", "14:16", False), ("14:17", "14:16", False)],
    ids=["sooner", "at once", "later"],
)
def test_of_two_contacts_the_sooner_is_the_first_whenever_it_is_learned(when: str, kept: str, is_said: bool) -> None:
    world = World()
    lead = world.arrives(HOT).lead_id
    world.does(CALLED, lead, "M1", at("14:16"))
    rows = world.does(CALLED, lead, "M1", at(when), learned=at("14:18"))
    assert [row.kind for row in rows] == ([DecisionKind.CONTACTED] if is_said else [])
    assert world.lead(lead).contacted_at == at(kept)


@pytest.mark.parametrize(
    ("when", "owner"),
    [("14:23:59", "M1"), ("14:24", "M2"), ("14:24:01", "M2")],
    ids=["before the step", "in its instant", "after it"],
)
def test_only_who_had_acted_before_the_step_has_the_lead_again(when: str, owner: str) -> None:
    world, lead = moved()
    world.does(CALLED, lead, "M1", at(when), learned=at("14:25"))
    assert world.lead(lead).owner.id == owner


def test_who_never_had_the_lead_gets_none_by_a_call_before_the_step() -> None:
    world, lead = moved()
    world.does(CALLED, lead, "M3", at("14:20"), learned=at("14:25"))
    assert world.lead(lead).owner.id == "M2"


def test_who_has_the_lead_again_is_no_longer_passed_over_and_others_still_are() -> None:
    world = World()
    lead = world.arrives(HOT).lead_id
    world.does(ActivityKind.DECLINED, lead, "M1", at("14:15"))
    world.until(at("14:25"))
    state = world.lead(lead)
    assert (state.excluded, state.owner.id) == (("M1", "M2"), "M3")
    world.does(CALLED, lead, "M2", at("14:16"), learned=at("14:26"))
    assert (world.lead(lead).owner.id, world.lead(lead).excluded) == ("M2", ("M1",))


@pytest.mark.parametrize("by_nobody_first", [False, True], ids=["the first contact", "a contact after the first"])
def test_a_new_owner_who_has_called_keeps_the_lead(by_nobody_first: bool) -> None:
    world, lead = moved()
    calls: list[tuple[str | None, datetime]] = [("M2", at("14:26"))]
    if by_nobody_first:
        calls.insert(0, (None, at("14:25")))
    for who, when in calls:
        world.does(CALLED, lead, who, when)
    world.does(CALLED, lead, "M1", at("14:20"), learned=at("14:27"))
    assert world.lead(lead).owner.id == "M2"


def test_a_lead_that_a_step_put_in_a_queue_goes_back_to_who_had_called() -> None:
    alone = World(without=("M2", "M3", "MM"))
    lead = alone.arrives(HOT).lead_id
    alone.until(at("14:24"))
    assert alone.lead(lead).owner.queue == "catch-all"
    alone.does(CALLED, lead, "M1", at("14:23"), learned=at("14:25"))
    assert (alone.lead(lead).phase, alone.lead(lead).owner.id) == (Phase.OWNED, "M1")


def test_a_call_learned_after_its_rep_has_left_gives_them_nothing_back() -> None:
    world, lead = moved()
    world.roster(ROSTER["M1"][0].model_copy(update={"active": False}), at("14:25"))
    (said,) = world.does(CALLED, lead, "M1", at("14:20"), learned=at("14:26"))
    assert (said.kind, world.lead(lead).owner.id) == (DecisionKind.CONTACTED, "M2")


def in_review(ladder: str = '{at: 2x, do: move, to: "queue:manual-review"}') -> tuple[World, str]:
    """A lead that a step took from M1 and put into a queue at 14:24."""
    world = World(f"{DEFAULT}\nladder: [{ladder}]\n")
    lead = world.arrives(HOT).lead_id
    world.until(at("14:24"))
    assert world.lead(lead).owner.queue == "manual-review"
    return world, lead


def test_a_lead_moved_to_a_queue_goes_back_to_who_had_called_before() -> None:
    world, lead = in_review()
    (back,) = world.does(CALLED, lead, "M1", at("14:23:58"), learned=at("14:24:05"))
    assert (back.kind, back.owner.id, back.owner.pool, back.epoch) == (DecisionKind.REASSIGNED, "M1", "mm-southwest", 3)
    assert back.reason.startswith("M1 had made contact before it was moved.")
    assert (world.load("M1"), f"lead/{lead}" in world.wakes) == (20.5, False)


def test_a_lead_moved_to_a_queue_stays_there_where_the_queue_has_acted_or_the_call_came_after() -> None:
    world, lead = in_review()
    world.does(CALLED, lead, "RV", at("14:24:03"))
    world.does(CALLED, lead, "M1", at("14:23:58"), learned=at("14:24:05"))
    assert world.lead(lead).owner.queue == "manual-review"
    world, lead = in_review()
    world.does(CALLED, lead, "M1", at("14:24:01"), learned=at("14:24:05"))
    assert world.lead(lead).owner.queue == "manual-review"


def test_within_a_queue_a_lead_goes_back_to_the_one_of_the_queue_who_had_called() -> None:
    world = World()
    lead = world.arrives(Arrival("rio.example", 300, country="BR", state=None)).lead_id
    world.until(at("14:44"))
    assert world.lead(lead).owner.id == "CM"
    (back,) = world.does(CALLED, lead, "CA", at("14:43"), learned=at("14:45"))
    assert (back.kind, back.owner.kind, back.owner.id, back.owner.queue) == (
        DecisionKind.QUEUED,
        OwnerKind.QUEUE,
        "CA",
        "catch-all",
    )


def test_who_acted_in_an_earlier_cycle_has_not_acted_in_this_one() -> None:
    """M2 called in the first cycle; in the second a step gives M2 the lead that M1 had called in time."""
    world = World()
    lead = world.arrives(HOT.but(who="a" * 32)).lead_id
    world.does(CALLED, lead, "M2", at("14:15"))
    world.does(CALLED, lead, "M1", at("14:16"))
    world.arrives(HOT.but(who="a" * 32, touch=2, when=at("15:14")))
    world.until(at("15:24"))
    assert (world.lead(lead).owner.id, world.lead(lead).excluded) == ("M2", ("M1",))
    (back,) = world.does(CALLED, lead, "M1", at("15:23:58"), learned=at("15:24:05"))
    assert (back.kind, back.owner.id) == (DecisionKind.REASSIGNED, "M1")
