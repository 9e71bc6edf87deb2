"""A change of the roster or of the policy takes hold at once: groups, open leads, held leads, timers (AVL-4)."""

from datetime import datetime
from typing import Any

import pytest

from schemas.decision import Decision, DecisionKind
from schemas.rep import Rep, RepChanged
from tests.worked.world import DEFAULT, ROSTER, Arrival, World, at

WARM = Arrival("lone.example", 450, action="webinar")
FULL: dict[str, float] = {"M1": 40, "M2": 40, "M3": 20}


def changes(world: World, rep: Rep | None, said_at: datetime, **more: Any) -> list[Decision]:
    """A change of M1 that was made at `said_at` comes in at 14:20."""
    change = RepChanged(rep_id="M1", division="main", rep=rep, at=said_at, **more)
    return world.send("rep.changed", change, at("14:20"))


def with_m1(**more: Any) -> Rep:
    return ROSTER["M1"][0].model_copy(update=more)


@pytest.mark.parametrize(
    ("said_at", "limit"), [("14:15", 50.0), ("14:16", 60.0), ("14:17", 60.0)], ids=["older", "of one instant", "newer"]
)
def test_a_change_that_is_older_than_what_is_known_changes_nothing(said_at: str, limit: float) -> None:
    world = World()
    changes(world, with_m1(limit=50.0), at("14:16"))
    changes(world, with_m1(limit=60.0), at(said_at))
    assert world.state.values["rep/main/M1"].row.limit == limit * 100


@pytest.mark.parametrize(
    ("rep", "moved_to", "has_left"),
    [
        (with_m1(active=False), None, True),
        (None, None, True),
        (None, "emea", True),
        (with_m1(vacant=True), None, False),
        (with_m1(status="sick"), None, False),
        (with_m1(limit=50.0), None, False),
    ],
    ids=["deactivated", "off the roster", "in another division", "vacant", "sick", "with another limit"],
)
def test_the_leads_of_who_has_left_for_good_move_and_others_stay(
    rep: Rep | None, moved_to: str | None, has_left: bool
) -> None:
    world = World()
    lead = world.arrives(WARM)
    rows = changes(world, rep, at("14:20"), moved_to=moved_to)
    assert [(row.lead_id, row.owner.id, row.trace["because"]) for row in rows] == (
        [(lead.lead_id, "M2", "M1 has left.")] if has_left else []
    )


@pytest.mark.parametrize(
    ("leads", "moved"), [(2, [2]), (3, [2, 1]), (5, [2, 2, 1])], ids=["as many as at once", "one more", "many"]
)
def test_an_event_moves_so_many_leads_of_who_has_left_and_a_wake_up_goes_on(
    leads: int, moved: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("routing.rostering.MOVED_AT_ONCE", 2)
    world = World(without=("M2", "M3"), changed={"M1": with_m1(limit=999.0)})
    for _ in range(leads):
        assert world.arrives(WARM).owner.id == "M1"
    counts = [len(changes(world, with_m1(active=False), at("14:20")))]
    while (wake := world.wakes.pop("rep/main/M1", None)) is not None:
        assert wake.due_at == at("14:20")
        counts.append(len(world.fire("rep/main/M1", at("14:20"), {})))
    assert counts == moved
    assert not list(world.state.scan("lead-by-owner/main/M1/"))


def test_by_a_new_policy_pools_have_their_new_members_at_once() -> None:
    world = World()
    team = "members: {role: [rep, ae, sdr], team: mm-southwest}"
    world.activate(world._published(DEFAULT.replace(team, "members: {role: [rep, ae, sdr], team: general-qual}")))
    assert world.arrives(WARM).owner.id in ("Q1", "Q2")


def test_held_leads_get_the_room_that_a_new_policy_gives() -> None:
    world = World(DEFAULT.replace("  mm-southwest:\n", "  mm-southwest:\n    caps: {day: 1}\n", 1))
    held = [world.arrives(WARM) for _ in range(2)][-1]
    assert held.kind is DecisionKind.HELD
    world.activate(world._published(DEFAULT), at("14:20"))
    given = world.decisions[-1]
    assert (given.lead_id, given.kind, given.at) == (held.lead_id, DecisionKind.ASSIGNED, at("14:20"))


def test_an_open_lead_is_escalated_by_the_new_policys_ladder() -> None:
    world = World()
    lead = world.arrives(WARM)
    assert world.wakes[f"lead/{lead.lead_id}"].due_at == at("14:44")
    world.activate(world._published(f"{DEFAULT}\nladder: [{{at: 10m, do: alert_manager}}]\n"), at("14:20"))
    (alert,) = world.until(at("14:43"))
    assert (alert.kind, alert.at) == (DecisionKind.ESCALATED, at("14:24"))
