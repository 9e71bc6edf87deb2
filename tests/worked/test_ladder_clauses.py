"""The ladder clause by clause where no worked example covers it: SLA-3 to SLA-6 and the starter's single step."""

from datetime import datetime
from importlib.resources import files
from itertools import pairwise
from typing import Any

import pytest
import yaml

from routing.lead_state import Phase
from schemas.activity import ActivityKind
from schemas.decision import Decision, DecisionKind, OwnerKind
from schemas.lead import MailKind
from tests.worked.world import DEFAULT, ROSTER, SUBMITTED, Arrival, World, at, of_kind, on_leave, told

HOT = Arrival("silent.example", 450)
PERSONAL = Arrival("gmail.com", None, None, None, None, mail=MailKind.PERSONAL)
STARTER = (files("routing.policies") / "starter.yaml").read_text()


def policy_with(base: str = DEFAULT, **changes: Any) -> str:
    file = yaml.safe_load(base)
    file.pop("examples", None)
    for name, value in changes.items():
        file[name] = {**file[name], **value} if isinstance(value, dict) and name in file else value
    return yaml.safe_dump(file, sort_keys=False)


def alerts(rows: list[Decision]) -> list[tuple[datetime, set[str]]]:
    """When a manager was told, and who that was."""
    escalated = of_kind(rows, DecisionKind.ESCALATED)
    return [(row.at, told(row, "manager")) for row in escalated if told(row, "manager")]


def test_after_3x_the_team_lead_is_reminded_every_further_window_until_contact() -> None:
    world = World()
    lead = world.arrives(HOT).lead_id
    world.until(at("14:29"))
    repeats = world.until(at("14:44"))
    assert [(row.at, told(row, "manager")) for row in repeats] == [
        (at(f"14:{minute}"), {"MM"}) for minute in (34, 39, 44)
    ]
    world.does(ActivityKind.CALLED, lead, "M2", at("14:45"))
    assert world.until(at("18:00")) == []


def test_an_alert_for_a_team_lead_who_is_away_goes_to_leadership() -> None:
    world = World(changed={"MM": on_leave("MM", 9, 13)})
    world.arrives(HOT)
    (alert,) = [row for row in world.until(at("14:19")) if row.at == at("14:19")]
    assert told(alert, "manager") == {"SL"}


def test_a_lead_is_reassigned_by_itself_once_and_stays_with_its_second_owner() -> None:
    world = World(policy_with(ladder=[{"at": f"{n}x", "do": "reassign"} for n in (1, 2, 3, 4)]))
    world.arrives(HOT)
    assert len(of_kind(world.until(at("15:30")), DecisionKind.REASSIGNED)) == 1


def test_three_automatic_reassignments_never_come_back_to_who_timed_out() -> None:
    steps = [{"at": f"{n}x", "do": "reassign"} for n in (1, 2, 3, 4)]
    world = World(policy_with(ladder=steps, sla={"reassignments": 3}))
    first = world.arrives(HOT)
    moved = of_kind(world.until(at("15:30")), DecisionKind.REASSIGNED)
    owners = [first.owner.id, *(row.owner.id for row in moved)]
    assert len(moved) == 3 and len(set(owners)) == 4


def test_each_of_them_has_a_full_window_before_losing_the_lead() -> None:
    steps = [{"at": f"{n}x", "do": "reassign"} for n in (1, 2, 3)]
    world = World(policy_with(ladder=steps, sla={"reassignments": 3}))
    world.arrives(HOT.but(delay_seconds=240))
    moved = of_kind(world.until(at("15:30")), DecisionKind.REASSIGNED)
    gaps = [(later.at - sooner.at).total_seconds() for sooner, later in pairwise(moved)]
    assert moved[0].at == at("14:23"), "a full window after 14:18, when the owner got it"
    assert min(gaps) >= 300


def test_a_pool_and_a_tier_may_have_ladders_of_their_own() -> None:
    file = yaml.safe_load(DEFAULT)
    pools = file["pools"]
    pools["mm-southwest"] |= {"ladders": {"T1": [{"at": "3m", "do": "alert_leadership"}]}}
    world = World(policy_with(pools=pools))
    world.arrives(HOT)
    (only,) = world.until(at("14:18"))
    assert (only.at, told(only, "leadership")) == (at("14:17"), {"SL"})
    tiers = file["tiers"] | {"T2": file["tiers"]["T2"] | {"ladder": [{"at": "2x", "do": "alert_manager"}]}}
    other = World(policy_with(tiers=tiers))
    other.arrives(HOT.but(action="webinar"))
    (only,) = other.until(at("16:30"))
    assert (only.at, told(only, "manager")) == (at("16:14"), {"MM"})


@pytest.mark.parametrize("minutes", [30, 15])
def test_the_starter_reassigns_once_after_its_single_step_and_tells_nobody_else(minutes: int) -> None:
    text = policy_with(STARTER, ladder=[{"at": f"{minutes}m", "do": "reassign"}])
    world = World(text)
    first = world.arrives(HOT)
    rows = world.until(at("17:30"))
    assert [row.kind for row in rows] == [DecisionKind.REASSIGNED]
    assert (rows[0].at - SUBMITTED).total_seconds() == minutes * 60
    assert rows[0].owner.id not in (None, first.owner.id)
    assert ROSTER[rows[0].owner.id or ""][0].role in ("ae", "sdr")


def test_the_starters_other_variant_leaves_the_lead_and_alerts_a_manager() -> None:
    world = World(policy_with(STARTER, ladder=[{"at": "30m", "do": "alert_manager"}]))
    world.arrives(HOT)
    rows = world.until(at("17:30"))
    assert [(row.kind, row.at) for row in rows] == [(DecisionKind.ESCALATED, at("14:44"))]
    assert told(rows[0], "manager")


# Recipients: one level up when they are the owner, or cannot be reached


def test_an_alert_for_a_team_lead_who_owns_the_lead_goes_one_level_up() -> None:
    world = World(loads={"M1": 40, "M2": 40, "M3": 20})
    lead = world.arrives(HOT)
    assert (lead.owner.kind, lead.owner.id) == (OwnerKind.TEAM_LEAD, "MM")
    assert alerts(world.until(at("14:19"))) == [(at("14:19"), {"SL"})]


def test_an_alert_for_a_manager_who_has_taken_the_lead_goes_one_level_up() -> None:
    world = World()
    lead = world.arrives(HOT)
    world.does(ActivityKind.REASSIGNED, lead.lead_id, None, at("14:15"), to="MM", by="MM", reason="knows them")
    assert alerts(world.until(at("14:19"))) == [(at("14:19"), {"SL"})]


def test_an_alert_on_a_queue_whose_manager_has_the_lead_by_now_goes_one_level_up() -> None:
    world = World(
        policy_with(
            queue_ladder=[
                {"at": "15m", "do": "alert_manager"},
                {"at": "30m", "do": "move", "to": "manager"},
                {"at": "40m", "do": "alert_manager"},
            ]
        )
    )
    world.arrives(PERSONAL)
    rows = world.until(at("14:54"))
    assert alerts(rows) == [(at("14:29"), {"RM"}), (at("14:54"), {"SL"})]
    assert [(row.at, row.owner.id) for row in of_kind(rows, DecisionKind.QUEUED)] == [(at("14:44"), "RM")]


def test_a_reminder_for_an_owner_who_is_away_by_then_goes_one_level_up() -> None:
    world = World()
    world.arrives(HOT)
    world.roster(on_leave("M1", 10, 11), at("14:15"))
    (reminder,) = world.until(at("14:16:30"))
    assert (told(reminder, "owner"), told(reminder, "manager")) == (set(), {"MM"})


# Queued and held leads are on the ladder too


def test_a_queued_lead_runs_its_ladder_to_leadership() -> None:
    world = World()
    world.arrives(PERSONAL)
    rows = world.until(at("09:00", 11))
    assert alerts(rows)[0] == (at("14:29"), {"RM"})
    assert [(row.at, row.owner.id) for row in of_kind(rows, DecisionKind.QUEUED)] == [(at("14:44"), "RM")]
    assert [row.at for row in rows if row.trace.get("step") == "3x:alert_leadership"] == [at("08:14", 11)]


STEPS = (("1x", "alert_manager"), ("2x", "reassign"), ("3x", "alert_leadership"))


def test_a_held_lead_runs_its_ladder_while_it_waits_for_room() -> None:
    tiers = yaml.safe_load(DEFAULT)["tiers"]
    tiers["T2"] |= {
        "route_within": "4h",
        "ladder": [{"at": when, "do": do} for when, do in STEPS],
    }
    world = World(policy_with(tiers=tiers), loads={"M1": 40, "M2": 40, "M3": 20})
    lead = world.arrives(HOT.but(action="webinar"))
    assert lead.kind is DecisionKind.HELD
    rows = world.until(at("17:14"))
    assert alerts(rows) == [(at("15:14"), {"MM"})]
    assert [(row.at, told(row, "leadership")) for row in rows if told(row, "leadership")] == [(at("17:14"), {"SL"})]
    assert rows[-1].sla is not None and rows[-1].sla.breach == "no_capacity"
    state = world.lead(lead.lead_id)
    assert (state.phase, [step.name for step in state.done]) == (Phase.HELD, [f"{when}:{do}" for when, do in STEPS])


def test_a_held_lead_that_is_assigned_late_stays_with_its_owner_for_a_full_window() -> None:
    tiers = yaml.safe_load(DEFAULT)["tiers"]
    tiers["T2"] |= {"route_within": "4h"}
    world = World(policy_with(tiers=tiers), loads={"M1": 40, "M2": 40, "M3": 20})
    lead = world.arrives(HOT.but(action="webinar"))
    world.until(at("16:00"))
    (given,) = world.roster(ROSTER["M2"][0].model_copy(update={"limit": 50.0}), at("16:00"))
    assert (given.lead_id, given.owner.id) == (lead.lead_id, "M2")
    moves = of_kind(world.until(at("17:14")), DecisionKind.REASSIGNED)
    assert [(row.at, row.owner.id) for row in moves] == [(at("17:00"), "MM")]
