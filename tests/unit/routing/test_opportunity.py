"""The end of an opportunity is kept for 30 days, so that an older change that is learned later adds no load (EDG-6)."""

from datetime import timedelta

import pytest

from routing.policy import compile_policy
from schemas.activity import ActivityBound, ActivityKind
from tests.worked.world import DEFAULT, World, at

KEY = "opportunity/main/deal/1"  # a CRM's id may have a slash


def changed(world: World, stage: str | None, happened: str, learned: str, kind: ActivityKind | None = None) -> None:
    row = ActivityBound(
        kind=kind or ActivityKind.OPPORTUNITY_CHANGED,
        at=at(happened),
        learned_at=at(learned),
        division="main",
        opportunity_id="deal/1",
        rep="M1",
        stage=stage,
    )
    world.send("activity.bound", row, at(learned))


@pytest.mark.parametrize("kind", [None, ActivityKind.WON, ActivityKind.LOST, ActivityKind.DELETED, ActivityKind.MERGED])
def test_a_change_from_before_the_end_adds_no_load_when_it_is_learned_after_it(kind: ActivityKind | None) -> None:
    world = World(loads={"M1": 0})
    changed(world, "closed" if kind is None else None, "14:20", "14:20", kind)
    changed(world, "late", "14:19", "14:21")
    assert world.load("M1") == 0


def test_an_opportunity_that_is_opened_again_counts_again() -> None:
    world = World(loads={"M1": 0})
    changed(world, "late", "14:19", "14:19")
    changed(world, "closed", "14:20", "14:20")
    changed(world, "mid", "14:21", "14:21")
    assert world.load("M1") == 1.0
    world.until(at("14:20") + timedelta(days=31))
    assert world.load("M1") == 1.0 and KEY in world.state.values, "the wake-up of the end finds it open"


def test_of_two_changes_in_one_instant_the_one_learned_last_counts() -> None:
    world = World()
    changed(world, "early", "14:19", "14:19")
    changed(world, "late", "14:19", "14:20")
    assert world.load("M1") == 21.5


def test_loads_follow_the_weight_of_each_stage_to_a_new_policy_and_back() -> None:
    world = World(loads={"M1": 0})
    changed(world, "late", "14:19", "14:19")
    world.opportunity("M1", "without a stage", "")
    heavier = compile_policy(f"{DEFAULT}\ncapacity: {{stages: {{late: 4.5}}, unknown_stage: 9}}\n")
    loads = []
    for policy in (world.policy, heavier, heavier, world.policy):
        world.activate(policy)
        loads.append(world.load("M1"))
    assert loads == [2.5, 13.5, 13.5, 2.5]


def test_the_end_is_dropped_after_thirty_days_and_not_before() -> None:
    world = World(loads={"M1": 0})
    changed(world, "closed", "14:20", "14:20")
    world.fire(KEY, at("14:21"), {})  # early: it only arms again
    assert world.wakes[KEY].due_at == at("14:20") + timedelta(days=30)
    world.until(at("14:19") + timedelta(days=30))
    assert world.state.values[KEY].points == 0
    world.until(at("14:20") + timedelta(days=30))
    assert KEY not in world.state.values


def test_an_end_of_long_ago_is_not_kept() -> None:
    world = World(loads={"M1": 0})
    world.now = at("14:20") + timedelta(days=40)
    changed(world, "closed", "14:20", "14:20")
    assert KEY not in world.state.values and KEY not in world.wakes
