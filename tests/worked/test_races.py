"""A wake-up that meets something else on its way: which of the two counts, in either order (docs/exactly-once.md)."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest
import yaml

from routing.lead_state import LeadState
from routing.policy import compile_policy
from routing.rearming import LOOKED_AT_ONCE
from schemas.activity import ActivityKind
from schemas.decision import DecisionKind
from schemas.effects import Wake
from tests.worked.world import DEFAULT, Arrival, World, at, told

HOT = Arrival("silent.example", 450, delay_seconds=3)
WARM = Arrival("silent.example", 450, action="webinar")


def due_of(world: World, lead: str) -> datetime:
    return world.wakes[f"lead/{lead}"].due_at


def state_of(world: World, lead: str) -> LeadState:
    found = world.state.get(f"lead/{lead}")
    assert isinstance(found, LeadState)
    return found


def crossed(world: World, lead: str, due_at: datetime, now: datetime) -> list[Any]:
    """Deliver a wake-up that was on its way; its tombstone lands behind whatever was armed meanwhile."""
    key = f"lead/{lead}"
    armed = world.wakes.pop(key, None)
    made = world.fire(key, now, dict(armed.data) if armed else {}, due_at=due_at)
    return [row for row in made if row.lead_id == lead]


def ladder(*steps: tuple[str, str]) -> list[dict[str, str]]:
    return [{"at": when, "do": what} for when, what in steps]


def changed_policy(world: World, **changes: Any) -> None:
    file = yaml.safe_load(DEFAULT)
    file.pop("examples", None)
    for name, value in changes.items():
        file[name] = value
    world.activate(compile_policy(yaml.safe_dump(file, sort_keys=False)), world.now)


# Cancel against fire


def test_a_fire_that_comes_after_its_cancel_does_nothing_and_arms_nothing() -> None:
    world = World()
    lead = world.arrives(HOT).lead_id
    world.until(at("14:18"))
    world.does(ActivityKind.CALLED, lead, "M1", at("14:18:59"))
    assert f"lead/{lead}" not in world.wakes
    assert crossed(world, lead, at("14:19"), at("14:19")) == []
    assert f"lead/{lead}" not in world.wakes
    assert world.until(at("18:00")) == []


def test_a_fire_that_comes_before_its_cancel_acts_once_and_the_contact_stands() -> None:
    world = World()
    lead = world.arrives(HOT).lead_id
    world.until(at("14:18"))
    (alert,) = world.until(at("14:19"))
    assert alert.kind is DecisionKind.ESCALATED
    (contact,) = world.does(ActivityKind.CALLED, lead, "M1", at("14:18:59"), learned=at("14:19:01"))
    assert contact.sla is not None
    assert (contact.sla.contacted_at, contact.sla.breach) == (at("14:18:59"), None), "in time, though learnt late"
    assert world.until(at("18:00")) == []


# Re-arm against fire, and against the tombstone of that fire


def test_a_fire_of_the_arming_before_finds_nothing_due_and_arms_the_right_instant() -> None:
    """The touch of a higher tier armed anew; the old fire's tombstone took the new arming away."""
    world = World()
    lead = world.arrives(WARM.but(who="a" * 32)).lead_id
    old_due = due_of(world, lead)
    world.arrives(WARM.but(who="a" * 32, touch=2, action="demo", when=at("14:43:59")))
    right = due_of(world, lead)
    assert (old_due, right) == (at("14:44"), at("14:46:29"))
    assert crossed(world, lead, old_due, old_due) == []
    assert due_of(world, lead) == right


def test_of_two_fires_of_one_instant_the_second_does_nothing() -> None:
    world = World()
    lead = world.arrives(HOT).lead_id
    world.until(at("14:18"))
    due_at = due_of(world, lead)
    assert len(world.until(due_at)) == 1
    following = due_of(world, lead)
    assert crossed(world, lead, due_at, due_at + timedelta(seconds=1)) == []
    assert due_of(world, lead) == following


def test_an_early_fire_does_nothing_and_arms_the_same_instant_again() -> None:
    world = World()
    lead = world.arrives(HOT).lead_id
    right = due_of(world, lead)
    early = right - timedelta(seconds=1)
    assert crossed(world, lead, early, early) == []
    assert due_of(world, lead) == right


# Reassign against fire


def test_a_2x_that_meets_a_move_by_hand_leaves_the_new_owner_a_full_window() -> None:
    world = World()
    lead = world.arrives(HOT).lead_id
    world.until(at("14:23"))
    assert due_of(world, lead) == at("14:24")
    world.does(ActivityKind.REASSIGNED, lead, None, at("14:23:59"), to="M3", by="MM", reason="knows them")
    assert crossed(world, lead, at("14:24"), at("14:24")) == []
    assert state_of(world, lead).owner.id == "M3"
    rows = world.until(at("14:29"))
    moves = [(row.kind, row.at) for row in rows if row.kind is DecisionKind.REASSIGNED]
    assert moves == [(DecisionKind.REASSIGNED, at("14:28:59"))]


def test_a_move_by_hand_that_comes_after_2x_wins() -> None:
    world = World()
    lead = world.arrives(HOT).lead_id
    world.until(at("14:24"))
    assert state_of(world, lead).owner.id == "M2"
    (moved,) = world.does(ActivityKind.REASSIGNED, lead, None, at("14:24:01"), to="M3", by="MM", reason="knows them")
    assert (moved.owner.id, moved.epoch) == ("M3", 3)
    world.until(at("14:40"))
    assert state_of(world, lead).owner.id == "M3"


def test_a_decline_that_crosses_2x_moves_the_lead_once() -> None:
    world = World()
    lead = world.arrives(HOT).lead_id
    world.until(at("14:23"))
    (declined,) = world.does(ActivityKind.DECLINED, lead, "M1", at("14:23:59"))
    assert declined.owner.id == "M2"
    assert crossed(world, lead, at("14:24"), at("14:24")) == []
    assert state_of(world, lead).owner.id == "M2"


def test_the_end_of_a_lead_and_its_fire_do_not_wake_the_lead_again() -> None:
    world = World()
    lead = world.arrives(HOT).lead_id
    world.until(at("14:23"))
    world.does(ActivityKind.WON, lead, "M1", at("14:23:59"))
    assert crossed(world, lead, at("14:24"), at("14:24")) == []
    assert world.until(at("18:00")) == []


# Contact against 2x: EX-24 in test_ex09_to_ex25.py has a) and b)


@pytest.mark.parametrize("learned", ["14:23:59", "14:24:00"], ids=["before the fire", "in the fire's very instant"])
def test_a_contact_that_the_log_has_before_2x_keeps_the_owner(learned: str) -> None:
    world = World()
    lead = world.arrives(HOT).lead_id
    world.until(at("14:23"))
    wake = world.wakes.pop(f"lead/{lead}")
    world.does(ActivityKind.CALLED, lead, "M1", at("14:23:58"), learned=at(learned))
    assert world.fire(wake.key, at("14:24"), dict(wake.data), due_at=wake.due_at) == []
    assert state_of(world, lead).owner.id == "M1"


# Policy activation between arming and firing


def test_a_policy_with_longer_windows_puts_the_armed_steps_off() -> None:
    world = World()
    lead = world.arrives(HOT).lead_id
    world.until(at("14:18"))
    file = yaml.safe_load(DEFAULT)
    changed_policy(world, tiers=file["tiers"] | {"T1": file["tiers"]["T1"] | {"contact_within": "20m"}})
    assert due_of(world, lead) > at("14:19")
    assert crossed(world, lead, at("14:19"), at("14:19")) == [], "a fire on its way finds nothing due"
    assert due_of(world, lead) > at("14:19")
    alerts = [row.at for row in world.until(at("14:35")) if "manager" in {notice.audience for notice in row.notices}]
    assert alerts == [at("14:34")]


def shorter(world: World) -> None:
    file = yaml.safe_load(DEFAULT)
    changed_policy(world, tiers=file["tiers"] | {"T1": file["tiers"]["T1"] | {"contact_within": "1m"}})


def test_a_policy_with_shorter_windows_acts_at_its_activation_each_step_once() -> None:
    world = World()
    lead = world.arrives(HOT).lead_id
    world.until(at("14:17:10"))
    shorter(world)
    rows = world.until(at("14:17:10"))
    assert {row.at for row in rows} == {at("14:17:10")}, "what the new policy has overdue is done at once"
    steps = [row.name for row in state_of(world, lead).done]
    assert len(steps) == len(set(steps))
    assert any(told(row, "leadership") == {"SL"} for row in rows)


def test_a_policy_with_shorter_windows_that_meets_a_fire_acts_on_each_step_once() -> None:
    """The fire was under way; then the wake-up that the activation armed comes too."""
    world = World()
    lead = world.arrives(HOT).lead_id
    world.until(at("14:18"))
    shorter(world)
    rearmed = world.wakes[f"lead/{lead}"]
    first = crossed(world, lead, at("14:19"), at("14:19"))
    again = world.fire(rearmed.key, at("14:19"), dict(rearmed.data), due_at=rearmed.due_at)
    assert first != [] and again == []


def test_an_activation_arms_every_open_lead_anew_and_looks_at_a_bounded_number_at_once() -> None:
    world = World()
    leads = [world.arrives(WARM.but(who=f"{n * 7919 % 65_536:04x}" + "b" * 28)).lead_id for n in range(900)]
    closed = leads[::9]
    for lead in closed:
        world.does(ActivityKind.WON, lead, "M1", world.now)
    kept = {lead: world.wakes[f"lead/{lead}"] for lead in closed}
    file = yaml.safe_load(DEFAULT)
    before = len(world.handled)
    changed_policy(world, tiers=file["tiers"] | {"T2": file["tiers"]["T2"] | {"contact_within": "30m"}})
    world.until(world.now)
    walk = world.handled[before:]
    armed = [[e for e in row.effects if isinstance(e, Wake) and e.key.startswith("lead/")] for row in walk]
    assert max(len(rows) for rows in armed) <= 2 * LOOKED_AT_ONCE
    assert len(walk) > 2, "it took more than one event"
    rearmed = Counter(wake.key for rows in armed for wake in rows)
    assert set(rearmed) >= {f"lead/{lead}" for lead in leads if lead not in kept}
    assert {lead: world.wakes[f"lead/{lead}"] for lead in closed} == kept, "the end of a closed lead stays armed"
    assert not any(key.startswith("rearm/") for key in world.wakes)


def test_an_activation_reaches_leads_whose_persons_begin_alike() -> None:
    """Leads are walked by the first digits of their person, further digits where many share them."""
    world = World()
    crowded = [f"1{n * 7919 % 4_096:03x}" for n in range(LOOKED_AT_ONCE + 120)]
    leads = [world.arrives(WARM.but(who=head + "b" * 28)).lead_id for head in (*crowded, "2f00", "5000", "ffff")]
    file = yaml.safe_load(DEFAULT)
    changed_policy(world, tiers=file["tiers"] | {"T2": file["tiers"]["T2"] | {"contact_within": "30m"}})
    world.until(world.now)
    assert {world.wakes[f"lead/{lead}"].due_at for lead in leads} == {at("14:29")}  # half of the new window


def test_a_policy_that_drops_a_step_lets_its_fire_do_nothing() -> None:
    world = World()
    lead = world.arrives(HOT).lead_id
    world.until(at("14:20"))
    changed_policy(world, ladder=ladder(("0.5x", "remind_owner"), ("1x", "alert_manager"), ("3x", "alert_leadership")))
    assert world.until(at("14:24")) == []
    assert state_of(world, lead).owner.id == "M1"
    assert due_of(world, lead) == at("14:29")
