"""The ladder clause by clause where no worked example covers it: SLA-3 to SLA-6 and the starter's single step."""

from importlib.resources import files
from itertools import pairwise
from typing import Any

import pytest
import yaml

from schemas.activity import ActivityKind
from schemas.decision import DecisionKind
from tests.worked.world import DEFAULT, ROSTER, SUBMITTED, Arrival, World, at, of_kind, on_leave, told

HOT = Arrival("silent.example", 450)
STARTER = (files("routing.policies") / "starter.yaml").read_text()


def policy_with(base: str = DEFAULT, **changes: Any) -> str:
    file = yaml.safe_load(base)
    file.pop("examples", None)
    for name, value in changes.items():
        file[name] = {**file[name], **value} if isinstance(value, dict) and name in file else value
    return yaml.safe_dump(file, sort_keys=False)


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
