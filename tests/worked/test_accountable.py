"""Somebody is accountable for each open lead: also when whoever it was has left, and only for what they could do."""

import pytest

from routing.explain import story
from schemas.activity import ActivityKind
from schemas.decision import Decision, DecisionKind, OwnerKind
from schemas.lead import MailKind
from tests.worked.world import DEFAULT, ROSTER, Arrival, World, at, of_kind, person, told

FULL = {"M1": 40.0, "M2": 40.0, "M3": 20.0}
REVIEWED = Arrival("gmail.com", None, mail=MailKind.PERSONAL)
WARM = Arrival("silent.example", 450, action="webinar", when=at("13:50"), who="a" * 32)
HOT_AGAIN = WARM.but(touch=2, action="demo", when=at("14:14"))


def leaves(world: World, rep: str, when: str) -> list[Decision]:
    return world.roster(ROSTER[rep][0].model_copy(update={"active": False}), at(when))


# Who is accountable leaves (AVL-4)


def test_a_queued_lead_whose_reviewer_leaves_is_the_next_reviewers_at_once_and_both_are_told() -> None:
    world = World()
    lead = world.arrives(REVIEWED).lead_id
    world.roster(person("RX", "manual-review", "reviewer"), at("14:15"))
    (moved,) = leaves(world, "RV", "14:16")
    assert (moved.kind, moved.owner.kind, moved.owner.queue) == (DecisionKind.QUEUED, OwnerKind.QUEUE, "manual-review")
    assert (told(moved, "queue"), told(moved, "previous_owner")) == ({"RX"}, {"RV"})
    assert moved.reason == "RV has left. RX takes it over (queue)."
    steps = [(row.at, told(row, "manager") | told(row, "queue")) for row in world.until(at("14:44"))]
    assert steps == [(at("14:29"), {"RM"}), (at("14:44"), {"RM"})], "the queue's own times go on"
    assert world.lead(lead).owner.id == "RM"


def test_a_queue_that_nobody_works_any_more_is_its_managers_then_leaderships() -> None:
    world = World()
    world.arrives(REVIEWED)
    (first,) = leaves(world, "RV", "14:16")
    (second,) = leaves(world, "RM", "14:17")
    assert [row.owner.id for row in (first, second)] == ["RM", "SL"]
    assert world.arrives(REVIEWED.but(when=at("14:18"))).owner.id == "SL", "who has left gets nothing more"


def test_a_held_lead_whose_team_lead_leaves_keeps_its_place_and_is_leaderships() -> None:
    world = World(loads=FULL)
    lead = world.arrives(Arrival("x.example", 450, action="webinar"))
    place = world.lead(lead.lead_id).held_in
    (moved,) = leaves(world, "MM", "14:16")
    assert (moved.kind, moved.owner.id) == (DecisionKind.HELD, "SL")
    assert (told(moved, "owner"), told(moved, "previous_owner")) == ({"SL"}, {"MM"})
    assert world.lead(lead.lead_id).held_in == place
    deal = next(key.rsplit("/", 1)[1] for key, row in world.state.scan("opportunity/") if row.rep == "M2")
    given = world.opportunity("M2", deal, "closed", at("14:20"))
    assert [(row.kind, row.owner.id) for row in given] == [(DecisionKind.ASSIGNED, "M2")]


def test_a_lead_that_comes_to_a_full_pool_without_a_team_lead_is_held_and_leadership_is_told() -> None:
    held = World(loads=FULL, without=("MM",)).arrives(Arrival("x.example", 450, action="webinar"))
    assert (held.kind, held.owner.id, told(held, "manager")) == (DecisionKind.HELD, "SL", {"SL"})
    assert held.reason.endswith("Nobody in the pool has room yet; it is held, SL is accountable.")


def test_alerts_go_to_nobody_who_has_left() -> None:
    world = World()
    world.roster(person("SL2", "board", "leadership"), at("14:10"))
    world.arrives(Arrival("silent.example", 450))
    leaves(world, "SL", "14:15")
    leaves(world, "MM", "14:15")
    rows = of_kind(world.until(at("14:29")), DecisionKind.ESCALATED)
    assert [told(row, "manager") | told(row, "leadership") for row in rows] == [set(), {"SL2"}, {"SL2"}]


@pytest.mark.parametrize("rep", ["RV", "RM"])
def test_a_claimed_lead_stays_with_its_rep_whoever_leaves_the_queue(rep: str) -> None:
    world = World()
    lead = world.arrives(REVIEWED).lead_id
    world.does(ActivityKind.CLAIMED, lead, "M1", at("14:15"))
    assert leaves(world, rep, "14:16") == []
    assert world.lead(lead).owner.id == "M1"


# A repeat that reaches its division late (SLA-5, MET-1)


def test_a_repeat_that_comes_after_its_own_deadline_is_charged_to_leadstream_not_to_the_owner() -> None:
    world = World()
    lead = world.arrives(WARM).lead_id
    world.arrives(HOT_AGAIN.but(delay_seconds=11 * 60))
    world.until(at("14:25"))
    assert (world.lead(lead).breach, world.lead(lead).charged_to) == ("leadstream_late", None)


def test_the_owner_of_a_late_repeat_has_a_full_window_before_losing_the_lead_and_no_reminder_that_is_over() -> None:
    world = World()
    world.arrives(WARM)
    world.arrives(HOT_AGAIN.but(delay_seconds=11 * 60))
    rows = world.until(at("14:30"))
    assert not any(told(row, "owner") for row in of_kind(rows, DecisionKind.ESCALATED))
    (moved,) = of_kind(rows, DecisionKind.REASSIGNED)
    assert (moved.at, moved.previous_owner.id if moved.previous_owner else None) == (at("14:30"), "M1")
    alerts = [row.at for row in rows if told(row, "manager") == {"MM"}]
    assert alerts[0] == at("14:25"), "alerts are not delayed"


def test_a_repeat_that_comes_in_time_is_its_owners_to_answer() -> None:
    world = World()
    lead = world.arrives(WARM).lead_id
    world.arrives(HOT_AGAIN.but(delay_seconds=3))
    rows = world.until(at("14:24"))
    assert [row.at for row in of_kind(rows, DecisionKind.REASSIGNED)] == [at("14:24")]
    assert (world.lead(lead).breach, world.lead(lead).charged_to) == ("not_contacted", "M1")


def test_a_nurtured_lead_whose_demo_comes_late_is_charged_to_leadstream() -> None:
    world = World()
    paper = Arrival("tiny.example", 20, industry="retail", action="whitepaper", who="b" * 32)
    lead = world.arrives(paper).lead_id
    demo = paper.but(touch=2, action="demo", when=at("14:20"), delay_seconds=3 * 3_600)
    world.arrives(demo)
    world.until(at("17:30"))
    assert (world.lead(lead).breach, world.lead(lead).charged_to) == ("leadstream_late", None)


# What an alert says is so


def test_reminders_after_the_last_step_say_how_long_the_lead_has_waited() -> None:
    world = World()
    world.arrives(Arrival("silent.example", 450))
    reasons = [row.reason for row in world.until(at("14:39")) if row.trace.get("step") == "repeat"]
    assert reasons == [
        "Still no contact, 20 min after the clock started; MM is alerted again.",
        "Still no contact, 25 min after the clock started; MM is alerted again.",
    ]


def test_leadership_that_nobody_is_in_is_not_said_to_be_alerted() -> None:
    world = World(without=("SL",))
    world.arrives(Arrival("silent.example", 450))
    last = next(row for row in world.until(at("14:29")) if row.trace.get("step") == "3x:alert_leadership")
    assert last.reason == "No contact 3x after the clock started; nobody is alerted."


def test_a_repeat_of_a_higher_tier_says_that_the_clock_runs_anew_only_where_it_does() -> None:
    dues_stand = World(f"{DEFAULT}\ndedupe: {{restart_on_higher_tier: false}}\n")
    dues_stand.arrives(WARM)
    again = dues_stand.arrives(HOT_AGAIN)
    assert (again.tier, [notice.note for notice in again.notices if notice.audience == "owner"]) == (
        "T2",
        ["The same person has come back."],
    )


def test_the_end_of_a_lead_tells_by_whom_and_why() -> None:
    for rep, by, reason, said in (
        ("M1", None, "no budget", "Closed: disqualified by M1, no budget."),
        (None, "crm", None, "Closed: disqualified by crm."),
        (None, None, None, "Closed: disqualified."),
    ):
        world = World()
        lead = world.arrives(Arrival("silent.example", 450)).lead_id
        (closed,) = world.does(ActivityKind.DISQUALIFIED, lead, rep, at("14:15"), by=by, reason=reason)
        assert closed.reason == said


def test_the_story_says_of_who_lost_the_lead_that_they_had_it_already() -> None:
    world = World()
    world.arrives(Arrival("silent.example", 450))
    moved = next(row for row in world.until(at("14:24")) if row.kind is DecisionKind.REASSIGNED)
    assert "  M1: had it already since the clock started." in story([moved])
