"""Wake-ups of leads, pools and opportunities: what each does, and what it leaves."""

from datetime import timedelta

import pytest

from routing.lead_state import Phase
from schemas.activity import ActivityKind
from schemas.decision import DecisionKind
from schemas.rep import Absence
from tests.worked.world import ALWAYS, DEFAULT, ROSTER, Arrival, World, at, person


def test_a_fire_that_crossed_the_end_of_a_lead_leaves_its_end_for_late_events() -> None:
    world = World()
    lead = world.arrives(Arrival("lone.example", 450, action="webinar"))
    key = f"lead/{lead.lead_id}"
    world.does(ActivityKind.WON, lead.lead_id, "M1", at("14:30"))
    del world.wakes[key]  # the tombstone of the fire crossed the new arming
    assert world.fire(key, at("14:31"), {"epoch": 1}) == []
    assert world.state.get(key).phase is Phase.CLOSED
    world.until(at("14:30") + timedelta(days=31))
    assert world.state.get(key) is None


FULL = {"M1": 40.0, "M2": 40.0, "M3": 20.0}
HOT = Arrival("lone.example", 450)
WARM = HOT.but(action="webinar")


@pytest.mark.parametrize("name", ["mm-southwest", "mm/southwest"])
def test_a_pool_whose_leads_wait_for_room_is_looked_at_every_minute_until_none_waits(name: str) -> None:
    back = Absence(start=at("09:00"), until=at("14:15:30"))
    away = ROSTER["M2"][0].model_copy(update={"absences": (back,)})
    text = DEFAULT.replace("pool: mm-southwest", f"pool: {name}").replace("\n  mm-southwest:", f"\n  {name}:")
    world = World(text, loads={"M1": 40.0, "M3": 20.0}, changed={"M2": away})
    lead = world.arrives(WARM).lead_id
    pool = f"pool/main/{name}"
    assert world.until(at("14:15")) == []
    assert world.wakes[pool].due_at == at("14:16")
    (given,) = world.until(at("14:16"))
    assert (given.kind, given.lead_id, given.owner.id) == (DecisionKind.ASSIGNED, lead, "M2")
    assert pool not in world.wakes


def test_a_pool_in_which_nobody_waits_is_not_looked_at_again() -> None:
    world = World()
    assert world.fire("pool/main/mm-southwest", at("14:15"), {}) == []
    assert world.wakes == {}


def test_an_opportunity_that_ended_is_forgotten_when_its_wake_up_comes() -> None:
    world = World()
    world.opportunity("M1", "deal", "early")
    world.opportunity("M1", "deal", "closed", at("14:20"))
    key = "opportunity/main/deal"
    assert world.fire(key, at("14:21"), {}) == []
    assert world.state.get(key) is not None
    world.fire(key, world.wakes[key].due_at, {})
    assert world.state.get(key) is None


def test_a_held_lead_that_is_woken_while_there_is_no_room_stays_as_it_is() -> None:
    world = World(loads=FULL)
    lead = world.arrives(WARM).lead_id
    before = world.lead(lead)
    assert world.fire(f"lead/{lead}", at("14:20"), {}) == []
    assert world.state.values[f"lead/{lead}"] == before


def test_a_step_comes_at_its_own_second_though_it_is_close_behind_another() -> None:
    world = World(f"{DEFAULT}\nladder: [{{at: 300s, do: alert_manager}}, {{at: 310s, do: alert_leadership}}]\n")
    world.arrives(HOT)
    assert [row.at for row in world.until(at("14:20"))] == [at("14:19"), at("14:19:10")]


def test_a_lead_of_the_team_lead_is_not_reassigned_to_a_queue() -> None:
    world = World(loads=FULL)
    lead = world.arrives(HOT)
    assert (lead.owner.kind, lead.owner.id) == ("team_lead", "MM")
    (noted,) = [row for row in world.until(at("14:24")) if row.at == at("14:24")]
    assert (noted.kind, noted.owner, noted.reason) == (
        DecisionKind.NOTED,
        lead.owner,
        "Nobody else is free; it stays with MM.",
    )


def test_a_lead_of_a_rep_with_nobody_beside_them_is_reassigned_to_the_catch_all() -> None:
    world = World(without=("M2", "M3", "MM"))
    lead = world.arrives(HOT)
    moved = next(row for row in world.until(at("14:24")) if row.at == at("14:24"))
    assert (lead.owner.id, moved.kind, moved.owner.queue) == ("M1", DecisionKind.QUEUED, "catch-all")


def test_a_lead_of_the_team_lead_is_reassigned_to_a_rep_who_has_room_by_then() -> None:
    world = World(loads=FULL)
    lead = world.arrives(HOT)
    world.roster(ROSTER["M2"][0].model_copy(update={"limit": 60.0}), at("14:20"))
    moved = next(row for row in world.until(at("14:24")) if row.at == at("14:24"))
    assert (lead.owner.id, moved.kind, moved.owner.id) == ("MM", DecisionKind.REASSIGNED, "M2")


def test_a_step_moves_a_lead_to_a_full_pool_s_team_lead_and_holds_it_nowhere() -> None:
    text = f'{DEFAULT}\nladder: [{{at: 0.1x, do: move, to: "pool:smb-sdr"}}]\n'
    world = World(text, loads={"S1": 40.0, "S2": 40.0, "S3": 40.0})
    lead = world.arrives(WARM)
    (moved,) = world.until(at("14:20"))  # ahead of its route deadline
    assert (lead.owner.id, moved.kind, moved.owner.id) == ("M1", DecisionKind.REASSIGNED, "SM")


def test_steps_to_the_manager_climb_and_go_on_to_the_next_of_the_leadership() -> None:
    rungs = ", ".join(f"{{at: {times}x, do: move, to: manager}}" for times in (1, 2, 3))
    world = World(f"{DEFAULT}\nladder: [{rungs}]\n")
    world.roster(person("SM2", "board", "leadership", hours=ALWAYS))
    world.arrives(HOT)
    moves = [row.owner.id for row in world.until(at("14:30")) if row.kind is DecisionKind.REASSIGNED]
    assert moves == ["MM", "SL", "SM2"]
