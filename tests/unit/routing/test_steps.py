"""Steps of a ladder that a policy may ask for beyond the shipped ones: moves to a pool or queue, roles told besides."""

from datetime import datetime

import pytest

from schemas.activity import ActivityKind
from schemas.decision import DecisionKind, OwnerKind
from tests.worked.world import DEFAULT, ROSTER, Arrival, World, at, of_kind, on_leave, told

WARM = Arrival("lone.example", 450, action="webinar")  # T2: contact within one hour


def with_ladder(*steps: str) -> str:
    """The default policy with this ladder for all tiers."""
    return f"{DEFAULT}\nladder: [{', '.join(steps)}]\n"


def test_a_step_may_move_a_lead_to_a_pool() -> None:
    world = World(with_ladder('{at: 1x, do: move, to: "pool:smb-sdr"}'))
    lead = world.arrives(WARM)
    (moved,) = [row for row in world.until(at("15:14")) if row.lead_id == lead.lead_id]
    assert (moved.at, moved.owner.id, moved.pool) == (at("15:14"), "S1", "smb-sdr")
    assert moved.reason.startswith("Unclaimed 1x after the clock started.")
    assert (told(moved, "owner"), told(moved, "previous_owner")) == ({"S1"}, {"M1"})


def test_a_step_may_move_a_lead_to_a_queue() -> None:
    world = World(with_ladder('{at: 1x, do: move, to: "queue:manual-review"}'))
    world.arrives(WARM)
    moved = world.until(at("15:14"))[0]
    assert (moved.kind, moved.owner.kind, moved.owner.queue) == (DecisionKind.QUEUED, OwnerKind.QUEUE, "manual-review")


def test_a_step_may_move_a_lead_to_the_manager_then_one_level_up_and_no_further() -> None:
    world = World(with_ladder(*(f"{{at: {times}x, do: move, to: manager}}" for times in (1, 2, 3))))
    world.arrives(WARM)
    rows = of_kind(world.until(at("17:30")), DecisionKind.REASSIGNED)
    assert [(row.owner.kind, row.owner.id) for row in rows] == [
        (OwnerKind.TEAM_LEAD, "MM"),
        (OwnerKind.TEAM_LEAD, "SL"),
    ]


def test_a_pool_without_a_free_member_takes_a_moved_lead_by_its_own_chain_and_never_holds_it() -> None:
    full = dict.fromkeys(("S1", "S2", "S3"), 40.0)
    world = World(
        with_ladder('{at: 1x, do: move, to: "pool:smb-sdr"}') + "when_full: {else: [hold, catch_all]}\n", loads=full
    )
    world.arrives(WARM)
    moved = world.until(at("15:14"))[0]
    assert moved.kind is not DecisionKind.HELD
    assert (moved.owner.kind, moved.owner.queue) == (OwnerKind.QUEUE, "catch-all")


def test_a_step_may_tell_people_of_a_role_besides() -> None:
    world = World(with_ladder("{at: 1x, do: alert_manager, also: [leadership]}"))
    world.arrives(WARM)
    (alert,) = world.until(at("15:14"))
    assert told(alert, "manager") == {"MM", "SL"}
    world.roster(ROSTER["SL"][0].model_copy(update={"active": False}), at("15:20"))
    (repeat,) = world.until(at("16:14"))
    assert told(repeat, "manager") == {"MM"}


def test_a_role_that_no_ladder_names_any_longer_is_told_nothing() -> None:
    world = World(with_ladder("{at: 1x, do: alert_manager, also: [reviewer]}"))
    assert world.state.values["group/main/role:reviewer"].reps == ("CA", "RV")
    world.activate(world._published(with_ladder("{at: 1x, do: alert_manager}")))
    assert world.state.get("group/main/role:reviewer") is None


def test_who_changes_team_is_in_the_new_pool_and_no_more_in_the_old_one() -> None:
    world = World()
    world.roster(ROSTER["S1"][0].model_copy(update={"team": "general-qual"}), at("14:10"))
    assert world.state.values["group/main/pool:smb-sdr"].reps == ("S2", "S3")
    assert world.state.values["group/main/pool:general-qual"].reps == ("Q1", "Q2", "S1")


def test_a_reminder_of_who_is_away_goes_one_level_up_and_to_the_roles_besides() -> None:
    world = World(with_ladder("{at: 1x, do: remind_owner, also: [leadership]}"))
    world.arrives(WARM)
    world.roster(on_leave("M1", 10, 12), at("14:20"))
    (reminded,) = [row for row in world.until(at("15:14")) if row.kind is DecisionKind.ESCALATED]
    assert reminded.reason == "M1 is away; MM is reminded instead."
    assert told(reminded, "manager") == {"MM", "SL"}


def test_the_chosen_strategy_of_a_pool_is_the_first_whose_condition_holds() -> None:
    choices = "\n    strategies: [{when: 'tier == \"T2\"', use: least_loaded}]\n    strategy: weighted"
    world = World(DEFAULT.replace("\n    strategy: weighted", choices), loads={"M1": 30, "M2": 20, "M3": 15})
    assert world.arrives(WARM).owner.id == "M2"
    assert world.arrives(WARM.but(action="content")).trace["pools"][0]["strategy"] == "least_loaded"
    assert world.arrives(WARM.but(action="other")).trace["pools"][0]["strategy"] == "weighted"


def test_a_pool_may_take_leads_over_its_limits() -> None:
    world = World(DEFAULT + "\nwhen_full: {else: [over_limit]}\n", loads={"M1": 40, "M2": 40, "M3": 20})
    lead = world.arrives(WARM)
    assert (lead.kind, lead.owner.id, lead.uses_turn) == (DecisionKind.ASSIGNED, "M1", True)
    assert world.load("M1") == 40.5


def test_a_declined_lead_names_nobody_where_nobody_was() -> None:
    world = World()
    lead = world.arrives(WARM)
    (moved,) = world.does(ActivityKind.DECLINED, lead.lead_id, None, at("14:20"))
    assert (moved.owner.id, moved.reason[:33]) == ("M2", "M1 declined it: no reason given. ")


# What a queue does when it gets a lead that others have had


TO_REVIEW = '{at: 1x, do: move, to: "queue:manual-review"}'


def steps(world: World, lead_id: str) -> dict[str, datetime]:
    last = [row for row in world.decisions if row.lead_id == lead_id][-1]
    assert last.sla is not None
    return {step.name: step.due_at for step in last.sla.steps}


def test_a_queues_times_count_from_when_a_step_brings_it_the_lead_and_leaderships_from_the_leads_clock() -> None:
    world = World(with_ladder(TO_REVIEW))
    lead = world.arrives(WARM)
    (moved,) = world.until(at("15:14"))
    assert moved.trace["queue_clock_at"] == "2026-03-10T20:14:00Z"
    assert moved.reason.endswith(" RV takes it over (queue). The queue's own times count from now.")
    assert steps(world, lead.lead_id) == {
        "15m:alert_manager:manual-review": at("15:29"),
        "30m:move:manual-review": at("15:44"),
        "3x:alert_leadership": at("08:14", 11),  # in the queue's hours
    }
    rows = world.until(at("08:14", 11))
    assert [(row.at, row.owner.id, told(row, "manager")) for row in rows] == [
        (at("15:29"), "RV", {"RM"}),
        (at("15:44"), "RM", set()),
        (at("08:14", 11), "RM", set()),
    ]
    assert told(rows[-1], "leadership") == {"SL"}
    assert rows[0].reason == "No contact 15m after it came into queue manual-review; RM is alerted."
    assert rows[1].reason.startswith("Unclaimed 30m after it came into queue manual-review.")


@pytest.mark.parametrize(
    ("step", "due"),
    [
        ("{at: 1x, do: alert_manager}", at("16:14")),
        ("{at: 90m, do: alert_leadership}", at("16:44")),
        ("{at: 2x, do: alert_leadership}", at("16:14")),
    ],
    ids=["a multiple", "leadership at a time", "leadership at a multiple"],
)
def test_of_a_queues_ladder_only_leaderships_multiple_counts_from_the_leads_clock(step: str, due: datetime) -> None:
    """T2's window is an hour; the queue gets the lead at 15:14."""
    world = World(with_ladder(TO_REVIEW) + f"queue_ladder: [{step}]\n")
    lead = world.arrives(WARM)
    world.until(at("15:14"))
    assert list(steps(world, lead.lead_id).values()) == [due]


def test_a_queue_that_has_a_lead_first_counts_from_the_submission() -> None:
    world = World()
    lead = world.arrives(Arrival("rio.example", 300, country="BR", state=None, delay_seconds=600))
    assert "queue_clock_at" not in lead.trace
    assert steps(world, lead.lead_id)["15m:alert_manager"] == at("14:29")


def test_the_next_person_of_a_queue_has_no_new_time() -> None:
    world = World(with_ladder(TO_REVIEW))
    lead = world.arrives(WARM)
    world.until(at("15:44"))
    assert steps(world, lead.lead_id)["15m:alert_manager:manual-review"] == at("15:29")
    assert world.until(at("08:13", 11)) == []


def test_a_second_queue_has_its_own_time_and_the_first_none_again() -> None:
    world = World(
        with_ladder(TO_REVIEW)
        + 'queue_ladder: [{at: 15m, do: alert_manager}, {at: 30m, do: move, to: "queue:catch-all"}]\n'
    )
    lead = world.arrives(WARM)
    rows = world.until(at("16:14"))
    assert [(row.at, row.owner.queue, row.kind) for row in rows] == [
        (at("15:14"), "manual-review", DecisionKind.QUEUED),
        (at("15:29"), "manual-review", DecisionKind.ESCALATED),
        (at("15:44"), "catch-all", DecisionKind.QUEUED),
        (at("15:59"), "catch-all", DecisionKind.ESCALATED),
    ]
    assert steps(world, lead.lead_id)["15m:alert_manager:catch-all"] == at("15:59")


def test_a_lead_moved_to_a_queue_by_hand_gives_the_queue_its_time() -> None:
    world = World()
    lead = world.arrives(WARM)
    world.does(ActivityKind.REASSIGNED, lead.lead_id, None, at("15:00"), to="catch-all", by="MM", reason="unclear")
    assert steps(world, lead.lead_id)["15m:alert_manager:catch-all"] == at("15:15")


def test_a_held_lead_that_ends_in_the_catch_all_gives_its_queue_its_time() -> None:
    world = World(loads={"M1": 40.0, "M2": 40.0, "M3": 20.0}, without=("MM",))
    lead = world.arrives(WARM)
    assert lead.kind is DecisionKind.HELD
    (queued,) = world.until(at("14:29"))
    assert (queued.owner.queue, queued.trace["queue_clock_at"]) == ("catch-all", "2026-03-10T19:29:00Z")
    assert steps(world, lead.lead_id)["15m:alert_manager:catch-all"] == at("14:44")


def test_a_queued_lead_that_comes_again_more_urgently_counts_from_the_new_submission() -> None:
    world = World(with_ladder(TO_REVIEW))
    first = world.arrives(WARM.but(who="a" * 32))
    world.until(at("15:20"))
    hot = Arrival("lone.example", 450, who="a" * 32, touch=2, when=at("15:21"))
    world.arrives(hot)
    assert steps(world, first.lead_id)["15m:alert_manager"] == at("15:36")
