"""After an activation every open lead is armed anew, a bounded number at a time, in the order of their ids."""

from dataclasses import replace

import pytest
import yaml

from routing.policy import compile_policy
from schemas.activity import ActivityKind
from schemas.effects import Wake
from tests.worked.world import DEFAULT, Arrival, World, at

WARM = Arrival("lone.example", 450, action="webinar")
FILE = yaml.safe_load(DEFAULT)
SHORTER = compile_policy(
    yaml.safe_dump(FILE | {"tiers": FILE["tiers"] | {"T2": FILE["tiers"]["T2"] | {"contact_within": "30m"}}})
)
ARMED_BY_THEN = at("14:29")  # the first step, at half of half an hour


def persons(*heads: str) -> tuple[World, list[str]]:
    """A division with an open lead of each person whose id begins so."""
    world = World()
    return world, [world.arrives(WARM.but(who=head.ljust(32, "b"))).lead_id for head in heads]


def walk(world: World, monkeypatch: pytest.MonkeyPatch) -> tuple[list[int], list[str]]:
    """Activate a policy of shorter times; how many leads each event armed, and where each left off."""
    monkeypatch.setattr("routing.rearming.LOOKED_AT_ONCE", 2)
    before = len(world.handled)
    world.activate(SHORTER, world.now)
    world.until(world.now)
    wakes = [[one.key for one in row.effects if isinstance(one, Wake)] for row in world.handled[before:]]
    counts = [sum(key.startswith("lead/") for key in keys) for keys in wakes]
    return counts, [key.removeprefix("rearm/main/") for keys in wakes for key in keys if key.startswith("rearm/")]


@pytest.mark.parametrize(
    ("heads", "counts", "left_off"),
    [
        pytest.param(["3", "f"], [2], [], id="as many as one event may look at"),
        pytest.param(["0", "1", "2"], [0, 2, 1], ["0", "2"], id="one more"),
        pytest.param(["f0", "ff0", "ff1", "fff"], [0, 0, 1, 2, 1], ["0", "f0", "ff0", "ff2"], id="to the last digits"),
        pytest.param(["90", "91", "9f", "a0"], [0, 0, 2, 2, 0], ["0", "90", "92", "b"], id="from nine on to ten"),
    ],
)
def test_leads_are_armed_anew_some_at_a_time_until_none_is_left(
    heads: list[str], counts: list[int], left_off: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    world, leads = persons(*heads)
    assert walk(world, monkeypatch) == (counts, left_off)
    assert {world.wakes[f"lead/{lead}"].due_at for lead in leads} == {ARMED_BY_THEN}


def test_all_leads_of_one_person_are_armed_in_one_event_however_many_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    world, (first,) = persons("7")
    known = world.lead(first)
    others = [f"{first[:-1]}{cycle}" for cycle in (2, 3)]
    world.state.values |= {f"lead/{lead}": replace(known, lead_id=lead) for lead in others}
    counts, _ = walk(world, monkeypatch)
    assert max(counts) == 3
    assert {world.wakes[f"lead/{lead}"].due_at for lead in (first, *others)} == {ARMED_BY_THEN}


def test_what_is_kept_of_a_closed_lead_is_woken_when_it_would_have_been(monkeypatch: pytest.MonkeyPatch) -> None:
    world, (closed, lead) = persons("1", "2")
    world.does(ActivityKind.WON, closed, "M1", world.now)
    kept = world.wakes[f"lead/{closed}"]
    assert walk(world, monkeypatch) == ([1], [])
    assert (world.wakes[f"lead/{closed}"], world.wakes[f"lead/{lead}"].due_at) == (kept, ARMED_BY_THEN)
