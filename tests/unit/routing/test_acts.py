"""What people and CRMs report: ends, room that appears, late stages, engagements, the edges of each."""

from datetime import timedelta

import pytest

from routing.lead_state import Phase
from schemas.activity import ActivityBound, ActivityKind
from schemas.decision import DecisionKind
from tests.unit.routing.policies import ONE_POOL
from tests.worked.world import DEFAULT, ROSTER, Arrival, World, at

WARM = Arrival("lone.example", 450, action="webinar")
SMALL = Arrival("small.example", 120, action="webinar")
READER = Arrival("tiny.example", 5, action="whitepaper")
FULL = {"M1": 40.0, "M2": 40.0, "M3": 20.0}


def full_but_held() -> tuple[World, str]:
    """A lead held for a full pool, and its id."""
    world = World(loads=FULL)
    held = world.arrives(WARM)
    assert held.kind is DecisionKind.HELD
    return world, held.lead_id


def given(world: World, since: int) -> list[tuple[str, str | None]]:
    rows = [row for row in world.decisions[since:] if row.kind is DecisionKind.ASSIGNED]
    return [(row.lead_id, row.owner.id) for row in rows]


def test_an_opportunity_that_ends_gives_its_room_to_a_held_lead() -> None:
    world, held = full_but_held()
    deal = next(key for key in world.state.values if key.startswith("opportunity/main/M1-"))
    world.opportunity("M1", deal.rsplit("/", 1)[1], "closed", at("14:20"))
    assert given(world, 1) == [(held, "M1")]


@pytest.mark.parametrize("more", [{"opportunity_id": "deal"}, {"rep": "M1"}], ids=["of nobody", "no opportunity"])
def test_activity_that_concerns_no_lead_and_no_load_changes_nothing(more: dict[str, str]) -> None:
    world = World()
    before = dict(world.state.values)
    bound = ActivityBound(
        kind=ActivityKind.OPPORTUNITY_CHANGED,
        at=at("14:20"),
        learned_at=at("14:20"),
        division="main",
        stage="late",
        **more,  # type: ignore[arg-type]
    )
    assert world.send("activity.bound", bound, at("14:20")) == []
    changed = {key for key, value in world.state.values.items() if before.get(key) != value}
    assert {key.partition("/")[0] for key in changed} <= {"division"}


def test_a_lead_that_ends_gives_its_room_to_a_held_one_and_is_woken_to_be_forgotten() -> None:
    world = World(loads={"M1": 39.5, "M2": 40.0, "M3": 20.0})
    first = world.arrives(WARM)
    held = world.arrives(WARM)
    assert (first.owner.id, held.kind) == ("M1", DecisionKind.HELD)
    world.does(ActivityKind.LOST, first.lead_id, "M1", at("14:20"))
    assert given(world, 2) == [(held.lead_id, "M1")]
    assert world.wakes[f"lead/{first.lead_id}"].due_at == at("14:20") + timedelta(days=30)
    for kind in (ActivityKind.CALLED, ActivityKind.CLAIMED, ActivityKind.WON):
        assert world.does(kind, first.lead_id, "S1", at("14:30")) == []


def test_a_lead_of_a_queue_ends_without_an_owner_to_give_room() -> None:
    world = World(without=("CA", "CM", "SL"))
    lead = world.arrives(WARM.but(country="BR", state=None))
    assert (lead.owner.queue, lead.owner.id) == ("catch-all", None)
    (closed,) = world.does(ActivityKind.DISQUALIFIED, lead.lead_id, None, at("14:20"))
    assert closed.kind is DecisionKind.CLOSED


@pytest.mark.parametrize(("stage", "is_given"), [("early", True), ("late", False)])
def test_a_stage_that_weighs_less_gives_its_room_to_a_held_lead(stage: str, is_given: bool) -> None:
    world = World(loads={"M1": 38.5, "M2": 40.0, "M3": 20.0})
    first = world.arrives(WARM)
    world.does(ActivityKind.STAGE_CHANGED, first.lead_id, "M1", at("14:15"), stage="late")
    held = world.arrives(WARM.but(when=at("14:16")))
    assert held.kind is DecisionKind.HELD
    since = len(world.decisions)
    world.does(ActivityKind.STAGE_CHANGED, first.lead_id, "M1", at("14:20"), stage=stage)
    assert given(world, since) == ([(held.lead_id, "M1")] if is_given else [])


def test_of_two_stages_of_one_instant_the_later_word_counts() -> None:
    world = World()
    lead = world.arrives(WARM)
    world.does(ActivityKind.STAGE_CHANGED, lead.lead_id, "M1", at("15:00"), stage="late")
    world.does(ActivityKind.STAGE_CHANGED, lead.lead_id, "M1", at("15:00"), stage="mid", learned=at("15:01"))
    assert world.load("M1") == 21.0


def test_a_stage_of_a_lead_that_nobody_owns_is_kept_and_moves_no_load() -> None:
    world = World(without=("CA", "CM", "SL"))
    lead = world.arrives(WARM.but(country="BR", state=None))
    assert world.does(ActivityKind.STAGE_CHANGED, lead.lead_id, None, at("15:00"), stage="late") == []
    assert world.lead(lead.lead_id).stage == "late"


@pytest.mark.parametrize(
    ("times", "is_queued"),
    [
        pytest.param((0, 1, 7 * 24 - 1), True, id="within seven days"),
        pytest.param((0, 1, 7 * 24), False, id="seven days exactly"),
        pytest.param((0, 7 * 24, 7 * 24 + 1, 7 * 24 + 2), True, id="the last three"),
    ],
)
def test_engagements_add_up_within_less_than_seven_days(times: tuple[int, ...], is_queued: bool) -> None:
    world = World()
    lead = world.arrives(READER)
    for hours in times:
        world.does(ActivityKind.ENGAGED, lead.lead_id, None, at("10:00", 11) + timedelta(hours=hours))
    kinds = [row.kind for row in world.decisions if row.lead_id == lead.lead_id]
    assert kinds == [DecisionKind.NURTURED, *([DecisionKind.QUEUED] if is_queued else [])]


@pytest.mark.parametrize(("threshold", "words"), [(1, "1 engagement"), (2, "2 engagements")])
def test_the_engagements_that_brought_a_lead_to_people_are_counted_in_words(threshold: int, words: str) -> None:
    world = World(DEFAULT.replace("nurture: {threshold: 3", f"nurture: {{threshold: {threshold}"))
    lead = world.arrives(READER)
    for hour in range(threshold):
        world.does(ActivityKind.ENGAGED, lead.lead_id, None, at("10:00", 11) + timedelta(hours=hour))
    assert world.decisions[-1].reason.startswith(f"{words} while nurtured. RV takes it over (queue).")


def test_of_engagements_twice_the_threshold_are_kept() -> None:
    world = World()
    lead = world.arrives(READER)
    for day in range(0, 64, 8):
        world.does(ActivityKind.ENGAGED, lead.lead_id, None, at("10:00", 11) + timedelta(days=day))
    kept = world.lead(lead.lead_id).engagements
    assert kept == tuple(at("10:00", 11) + timedelta(days=day) for day in range(16, 64, 8))


def test_who_declines_when_nobody_else_is_free_keeps_the_lead_and_it_is_noted() -> None:
    lonely = ("M2", "M3", "MM", "CA", "CM")
    text = DEFAULT.replace(
        "- name: everything else\n    to: {queue: catch-all}", "- name: everything else\n    to: {pool: mm-southwest}"
    )
    world = World(text + "\nwhen_empty: {else: [team_lead]}\nwhen_full: {else: [team_lead]}\n", without=lonely)
    lead = world.arrives(WARM)
    assert lead.owner.id == "M1"
    rows = world.does(ActivityKind.DECLINED, lead.lead_id, "M1", at("14:20"))
    assert [(row.kind, row.reason) for row in rows] == [(DecisionKind.NOTED, "M1 declined it; nobody else is free.")]


def test_a_declined_lead_waits_for_no_room_where_all_others_are_full() -> None:
    world = World(loads={"M1": 39.5, "M2": 40.0, "M3": 20.0})
    lead = world.arrives(WARM)
    (moved,) = world.does(ActivityKind.DECLINED, lead.lead_id, "M1", at("14:15"))
    assert (lead.owner.id, moved.kind, moved.owner.id) == ("M1", DecisionKind.REASSIGNED, "MM")


def test_who_claims_a_lead_of_a_rep_takes_it_over_as_an_owned_one() -> None:
    world = World()
    lead = world.arrives(WARM)
    (claimed,) = world.does(ActivityKind.CLAIMED, lead.lead_id, "S1", at("14:20"))
    assert (claimed.kind, claimed.owner.id, claimed.trace["move"]) == (DecisionKind.REASSIGNED, "S1", "claimed")
    assert world.lead(lead.lead_id).phase is Phase.OWNED


@pytest.mark.parametrize(("minutes", "is_early"), [(-1, True), (0, False)])
def test_a_move_by_hand_at_the_windows_end_is_no_wrong_first_owner(minutes: int, is_early: bool) -> None:
    world = World()
    lead = world.arrives(WARM)
    world.does(ActivityKind.CALLED, lead.lead_id, "M1", at("14:15"))
    window = world.policy.file.options.manual_reassign_window
    when = at("14:14") + window + timedelta(minutes=minutes)
    (moved,) = world.does(ActivityKind.REASSIGNED, lead.lead_id, None, when, to="S1", by="MM")
    assert moved.trace["override"]["is_wrong_first_owner"] is is_early


def test_a_lead_that_nobody_owned_yet_has_no_wrong_first_owner() -> None:
    world, held = full_but_held()
    (moved,) = world.does(ActivityKind.REASSIGNED, held, None, at("14:15"), to="S1", by="MM")
    assert (moved.owner.id, moved.trace["override"]["is_wrong_first_owner"]) == ("S1", False)


def test_a_held_lead_is_woken_at_its_route_deadline() -> None:
    world, held = full_but_held()
    assert world.wakes[f"lead/{held}"].due_at == at("14:29")


def test_the_contact_deadline_wakes_a_lead_though_no_step_falls_due_then() -> None:
    world = World(f"{DEFAULT}\nladder: [{{at: 3x, do: alert_manager}}]\n")
    lead = world.arrives(WARM)
    assert world.wakes[f"lead/{lead.lead_id}"].due_at == at("15:14")
    assert world.until(at("15:14")) == []
    assert world.lead(lead.lead_id).breach == "not_contacted"
    assert world.wakes[f"lead/{lead.lead_id}"].due_at == at("17:14")


def test_a_booked_meeting_is_noted_once_and_cancels_the_wake_up() -> None:
    world = World()
    lead = world.arrives(WARM)
    world.does(ActivityKind.MEETING_BOOKED, lead.lead_id, None, at("14:15"))
    assert f"lead/{lead.lead_id}" not in world.wakes
    assert world.does(ActivityKind.MEETING_BOOKED, lead.lead_id, None, at("14:16")) == []


def test_nobody_full_takes_a_lead_by_hand_where_the_policy_keeps_people_to_limits() -> None:
    world = World(DEFAULT + "\ncapacity: {manual_over_limit: false}\n", loads={"S1": 39.5, "S2": 39.75})
    lead = world.arrives(WARM)
    world.does(ActivityKind.STAGE_CHANGED, lead.lead_id, "M1", at("14:15"), stage="mid")  # weighs 1 now
    (kept,) = world.does(ActivityKind.REASSIGNED, lead.lead_id, None, at("14:20"), to="S1", by="MM")
    assert (kept.kind, kept.trace["refused"]) == (DecisionKind.NOTED, "full")
    assert ROSTER["S1"][0].limit == 40


def test_a_lead_without_an_owner_stays_with_nobody_where_it_cannot_be_moved() -> None:
    world = World()
    lead = world.arrives(READER)
    (noted,) = world.does(ActivityKind.REASSIGNED, lead.lead_id, None, at("14:20"), to="X9", by="MM")
    assert "It stays with nobody: X9 cannot have it (inactive)." in noted.reason


def test_a_decline_that_names_nobody_of_a_lead_that_nobody_has_changes_nothing() -> None:
    world = World(without=("CA", "CM", "SL"))
    lead = world.arrives(Arrival("rio.example", 300, country="BR", state=None))
    assert (lead.owner.queue, lead.owner.id) == ("catch-all", None)
    assert world.does(ActivityKind.DECLINED, lead.lead_id, None, at("14:20")) == []
    assert world.lead(lead.lead_id).excluded == ()


def test_without_a_queue_the_lead_of_who_left_last_waits_for_whoever_comes() -> None:
    world = World(ONE_POOL, without=("M2", "M3", "SL"))
    lead = world.arrives(WARM).lead_id
    (held,) = world.roster(ROSTER["M1"][0].model_copy(update={"active": False}), at("14:20"))
    assert (held.kind, held.owner.id, held.owner.pool) == (DecisionKind.HELD, None, "only")
    (given,) = world.roster(ROSTER["M2"][0], at("14:30"))
    assert (given.lead_id, given.owner.id) == (lead, "M2")
