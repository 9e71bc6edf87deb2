"""Caps by hour, day, week and month: of a rep, of everybody by policy, of a pool (CAPA-3)."""

from datetime import datetime

import pytest

from schemas.activity import ActivityKind
from schemas.decision import DecisionKind
from schemas.rep import Caps, Rep
from tests.worked.world import CHICAGO, DEFAULT, ROSTER, Arrival, World, at

HOT = Arrival("small.example", 120)
WARM = Arrival("small.example", 120, action="webinar")
POOL_CAPPED = DEFAULT.replace("  smb-sdr:\n", "  smb-sdr:\n    caps: {hour: 2}\n")
ALL_CAPPED = DEFAULT + "\ncapacity: {caps: {day: 1}}\n"


def capped(rep: str, **caps: int) -> dict[str, Rep]:
    return {rep: ROSTER[rep][0].model_copy(update={"caps": Caps(**caps)})}


def owners(world: World, arrival: Arrival, leads: int) -> list[str | None]:
    return [world.arrives(arrival).owner.id for _ in range(leads)]


@pytest.mark.parametrize(
    ("cap", "first", "again"),
    [
        ("hour", (2026, 3, 10, 14, 14), (2026, 3, 10, 15, 0)),
        ("day", (2026, 3, 10, 14, 14), (2026, 3, 11, 9, 0)),
        ("week", (2026, 3, 10, 14, 14), (2026, 3, 16, 9, 0)),
        ("month", (2026, 3, 10, 14, 14), (2026, 4, 1, 9, 0)),
    ],
)
def test_a_rep_takes_no_more_than_the_cap_until_its_next_window(
    cap: str, first: tuple[int, int, int, int, int], again: tuple[int, int, int, int, int]
) -> None:
    world = World(without=("S2", "S3"), changed=capped("S1", **{cap: 1}))
    early = WARM.but(when=datetime(*first, tzinfo=CHICAGO))
    assert world.arrives(early).owner.id == "S1"
    second = world.arrives(early)
    assert second.kind is DecisionKind.HELD
    pool = second.trace["pools"][0]
    assert [row["why"] for row in pool["candidates"]] == [f"cap reached: 1 {'an' if cap == 'hour' else 'a'} {cap}"]
    later = WARM.but(when=datetime(*again, tzinfo=CHICAGO))
    assert world.arrives(later).owner.id == "S1"


def test_the_policys_cap_holds_for_who_has_none_of_their_own() -> None:
    world = World(ALL_CAPPED, changed=capped("S1", day=3))
    assert sorted(str(owner) for owner in owners(world, HOT, 6)) == ["S1", "S1", "S1", "S2", "S3", "SM"]


def test_a_pool_takes_no_more_than_its_cap_and_the_rest_wait_for_the_next_hour() -> None:
    world = World(POOL_CAPPED)
    assert owners(world, WARM, 2) == ["S1", "S2"]
    held = world.arrives(WARM)
    assert held.kind is DecisionKind.HELD
    assert {row["why"] for row in held.trace["pools"][0]["candidates"]} == {"cap reached: 2 an hour for the pool"}


def test_leads_held_for_a_capped_pool_are_given_out_when_its_window_ends() -> None:
    world = World(POOL_CAPPED)
    late = WARM.but(when=at("14:50"))
    owners(world, late, 2)
    held = world.arrives(late)
    (given,) = [row for row in world.until(at("15:00")) if row.kind is DecisionKind.ASSIGNED]
    assert (given.lead_id, given.owner.id, given.at) == (held.lead_id, "S3", at("15:00"))


def test_a_test_lead_counts_towards_no_cap() -> None:
    world = World(POOL_CAPPED)
    for _ in range(3):
        world.arrives(HOT.but(is_test=True))
    assert owners(world, HOT, 2) == ["S1", "S2"]


def test_a_lead_that_moves_away_stays_counted() -> None:
    world = World(POOL_CAPPED)
    first = world.arrives(WARM)
    world.does(ActivityKind.REASSIGNED, first.lead_id, None, at("14:15"), to="Q1", by="SM")
    assert world.arrives(WARM).owner.id == "S2"
    assert world.arrives(WARM).kind is DecisionKind.HELD
