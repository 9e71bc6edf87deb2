"""Held leads get the room that appears: how many are looked at, what is left out, and what is said."""

import pytest

from schemas.activity import ActivityKind
from schemas.decision import Decision, DecisionKind
from tests.worked.world import DEFAULT, ROSTER, Arrival, World, at, told

WARM = Arrival("lone.example", 450, action="webinar")
GERMAN = WARM.but(language="de")
FULL: dict[str, float] = {"M1": 40, "M2": 40, "M3": 20}
ASKS = DEFAULT.replace(
    "    strategy: weighted", "    require: [{rep: languages, fact: lead.language}]\n    strategy: weighted"
)


def room(world: World) -> list[Decision]:
    """M1 may have more from now on."""
    return world.roster(ROSTER["M1"][0].model_copy(update={"limit": 60.0}), at("14:20"))


@pytest.mark.parametrize(
    ("before", "given"), [(1, 1), (2, 0)], ids=["as the last that is looked at", "after the last that is looked at"]
)
def test_one_event_looks_at_no_more_held_leads_than_it_may(
    before: int, given: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("routing.backlog.MOST_LOOKED_AT", 2)
    world = World(ASKS, loads=FULL)
    leads = [world.arrives(lead) for lead in [GERMAN] * before + [WARM]]
    assert {lead.kind for lead in leads} == {DecisionKind.HELD}
    assert [row.lead_id for row in room(world)] == [leads[-1].lead_id] * given


@pytest.mark.parametrize("why", ["full", "away", "used up"])
def test_while_no_member_has_room_no_held_lead_is_looked_at(why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A surge may leave thousands of them: what cannot help is told by the pool, not lead by lead."""
    capped = DEFAULT.replace("  mm-southwest:\n", "  mm-southwest:\n    caps: {day: 1}\n", 1)
    looked_at: list[str] = []
    monkeypatch.setattr("routing.backlog.place_held", lambda docket, lead: looked_at.append(lead.lead_id))
    world = World(capped if why == "used up" else DEFAULT, loads={} if why == "used up" else FULL)
    held = [world.arrives(WARM) for _ in range(2)][-1]
    assert held.kind is DecisionKind.HELD
    room(world) if why == "used up" else world.until(at("14:20"))
    if why == "away":
        world.roster(ROSTER["M1"][0].model_copy(update={"limit": 60.0, "status": "sick"}), at("14:20"))
    assert looked_at == []


def test_places_in_the_backlog_that_no_held_lead_has_are_cleared_and_the_next_is_looked_at() -> None:
    world = World(loads=FULL)
    owned = world.arrives(WARM.but(is_test=True))
    held = world.arrives(WARM)
    stale = {"unknown": "main.gone.1", "owned": owned.lead_id, "another place": held.lead_id}
    for why, lead_id in stale.items():
        world.state.values[f"held/main/mm-southwest/00/{why}"] = lead_id
    assert [(row.lead_id, row.owner.id) for row in room(world)] == [(held.lead_id, "M1")]
    assert list(world.state.scan("held/")) == []


def test_a_held_lead_that_gets_room_says_so_takes_a_turn_and_gets_its_steps() -> None:
    world = World(loads=FULL)
    held = world.arrives(WARM)
    (given,) = room(world)
    assert (given.kind, given.owner.id, given.uses_turn) == (DecisionKind.ASSIGNED, "M1", True)
    assert given.reason == "It had waited; M1 takes it (pool)."
    assert told(given, "owner") == {"M1"}
    assert world.wakes[f"lead/{held.lead_id}"].due_at == at("14:44")


def test_a_held_test_lead_uses_no_turn() -> None:
    away = {rep: ROSTER[rep][0].model_copy(update={"vacant": True}) for rep in ("M1", "M2", "M3")}
    hold = DEFAULT.replace(
        "    strategy: weighted", "    when_empty: {else: [hold, catch_all]}\n    strategy: weighted"
    )
    world = World(hold, changed=away)
    assert world.arrives(WARM.but(is_test=True)).kind is DecisionKind.HELD
    (given,) = room(world)
    assert (given.owner.id, given.uses_turn) == ("M1", False)


def test_a_lead_that_waits_for_a_preferred_rep_is_told_of_no_second_wait() -> None:
    prefers = DEFAULT.replace("  smb-sdr:\n", "  smb-sdr:\n    prefer: [{rep: languages, fact: lead.language}]\n", 1)
    world = World(prefers, changed={"S2": ROSTER["S2"][0].model_copy(update={"languages": ("es",), "vacant": True})})
    world.arrives(Arrival("small.example", 120, action="webinar", language="es"))
    assert world.roster(ROSTER["S1"][0], at("14:14:05")) == []


def test_a_held_lead_that_nobody_can_have_any_more_goes_to_the_queue_and_is_told_of_as_queued() -> None:
    text = DEFAULT.replace("    strategy: weighted", "    when_full: {else: [hold, catch_all]}\n    strategy: weighted")
    world = World(text, loads=FULL)
    held = world.arrives(WARM)
    given = next(row for row in world.until(at("14:30")) if row.owner.queue is not None)
    assert (given.lead_id, given.kind, given.owner.id) == (held.lead_id, DecisionKind.QUEUED, "CA")
    assert given.reason == "It had waited; CA takes it (catch-all). The queue's own times count from now."
    assert given.uses_turn is False
    assert [notice.id for notice in given.notices if notice.audience == "queue"] == ["queued:queue"]


def test_a_held_lead_whose_manager_is_away_is_in_the_catch_all_after_the_route_deadline() -> None:
    world = World(loads=FULL)
    held = world.arrives(WARM)
    world.roster(ROSTER["MM"][0].model_copy(update={"vacant": True}), at("14:20"))
    given = next(row for row in world.until(at("14:30")) if row.lead_id == held.lead_id)
    assert (given.kind, given.owner.queue, given.owner.id) == (DecisionKind.QUEUED, "catch-all", "CA")
    assert given.reason == "It had waited; CA takes it (catch-all). The queue's own times count from now."


def test_a_held_lead_that_ended_gets_no_room() -> None:
    world = World(loads=FULL)
    held = world.arrives(WARM)
    world.does(ActivityKind.LOST, held.lead_id, None, at("14:15"))
    assert room(world) == []
