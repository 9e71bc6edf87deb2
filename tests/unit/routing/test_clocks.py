"""Clocks and steps of one lead to the second: whose hours, which ladder, repeats, late owners, lag (SLA-1 to SLA-7)."""

from datetime import timedelta

import pytest

from routing.lead_state import Phase
from schemas.activity import ActivityKind
from schemas.decision import Decision, DecisionKind, SlaStanding
from schemas.lead import MailKind
from schemas.rep import Hours
from tests.worked.world import ACME, DEFAULT, ROSTER, Arrival, World, at, of_kind, told

HOT = Arrival("lone.example", 450)  # T1: 5 min around the clock
WARM = Arrival("lone.example", 450, action="webinar")  # T2: 1 h of the owner's hours
COLD = Arrival("lone.example", 450, action="other")  # T3: 24 h of working days
NO_REPEAT = "\nsla: {repeat: null}\n"


def sla(decision: Decision) -> SlaStanding:
    assert decision.sla is not None
    return decision.sla


def ladder(*steps: str, more: str = NO_REPEAT) -> str:
    return f"{DEFAULT}\nladder: [{', '.join(steps)}]\n{more}"


def without_hours(rep: str) -> dict[str, object]:
    return {rep: ROSTER[rep][0].model_copy(update={"hours": None})}


@pytest.mark.parametrize(
    ("arrival", "due", "paused"),
    [
        pytest.param(HOT.but(when=at("17:58")), at("18:03"), 0, id="hot: around the clock"),
        pytest.param(WARM, at("15:14"), 0, id="warm, in hours"),
        pytest.param(WARM.but(when=at("17:30")), at("09:30", 11), 15 * 3600, id="warm, over the night"),
        pytest.param(COLD, at("14:14", 11), 0, id="cold: a working day"),
        pytest.param(COLD.but(when=at("14:14", 13)), at("14:14", 16), 48 * 3600, id="cold, over a weekend"),
    ],
)
def test_contact_is_due_by_the_clock_of_the_tier(arrival: Arrival, due: object, paused: int) -> None:
    found = sla(World().arrives(arrival))
    assert (found.contact_due_at, found.paused_seconds) == (due, paused)
    route = {"demo": 5, "webinar": 15, "other": 60}[arrival.action]
    assert found.route_due_at == arrival.seen_at + timedelta(minutes=route)
    assert (found.contacted_at, found.breach, found.cycle) == (None, None, 1)


def test_a_queues_clock_runs_in_its_own_hours() -> None:
    text = DEFAULT.replace("  manual-review:\n", "  manual-review:\n    hours: nights\n")
    lead = World(text).arrives(Arrival("gmail.com", None, mail=MailKind.PERSONAL))
    assert sla(lead).contact_due_at == at("18:00")  # an hour from 19:00 in New York


def test_who_has_no_hours_works_those_of_the_pool_that_the_rules_chose() -> None:
    """17:30 in Chicago: the Southwest's office is open, New York's closed at 17:00."""
    owned = WARM.but(when=at("17:15"), account=ACME)
    world = World(changed=without_hours("E1"))  # type: ignore[arg-type]
    assert sla(world.arrives(owned)).contact_due_at == at("09:15", 11)
    pooled = World(changed=without_hours("M1"))  # type: ignore[arg-type]
    lead = pooled.arrives(WARM.but(when=at("17:15")))
    assert (lead.owner.id, sla(lead).contact_due_at) == ("M1", at("09:15", 11))


def test_while_a_lead_waits_for_room_its_clock_runs_in_the_hours_of_the_pool() -> None:
    """The team lead answers for it meanwhile, who works in the mornings alone."""
    mornings = Hours(timezone="America/Chicago", week={"wed": (("09:00", "12:00"),)})
    manager = ROSTER["MM"][0].model_copy(update={"hours": mornings})
    lead = World(loads={"M1": 40, "M2": 40, "M3": 20}, changed={"MM": manager}).arrives(WARM)
    assert (lead.kind, lead.owner.id) == (DecisionKind.HELD, "MM")
    assert sla(lead).contact_due_at == at("15:14")


def test_hours_that_never_open_count_plain_time() -> None:
    nobody = ROSTER["M1"][0].model_copy(update={"hours": Hours(timezone="UTC")})
    world = World(DEFAULT, changed={"M1": nobody}, without=("M2", "M3"))
    assert sla(world.arrives(WARM)).contact_due_at == at("15:14")


def steps(decision: Decision) -> list[tuple[str, object]]:
    return [(step.name, step.due_at) for step in sla(decision).steps]


@pytest.mark.parametrize(
    ("where", "name"),
    [
        pytest.param("  mm-southwest:\n", "4x:reassign", id="the pool's"),
        pytest.param("    label: warm\n", "4x:reassign", id="the tier's"),
        pytest.param("  catch-all:\n", "0.5x:remind_owner", id="a queue's is no pool's"),
    ],
)
def test_the_nearest_ladder_counts(where: str, name: str) -> None:
    world = World(DEFAULT.replace(where, where + "    ladder: [{at: 4x, do: reassign}]\n"))
    assert steps(world.arrives(WARM))[0][0] == name


def test_a_pools_ladder_of_a_tier_comes_before_its_own_and_its_own_before_the_tiers() -> None:
    both = "    ladder: [{at: 4x, do: reassign}]\n    ladders: {T1: [{at: 5x, do: reassign}]}\n"
    text = DEFAULT.replace("  mm-southwest:\n", "  mm-southwest:\n" + both)
    world = World(text.replace("    label: hot\n", "    label: hot\n    ladder: [{at: 6x, do: reassign}]\n"))
    assert [name for name, _ in steps(world.arrives(HOT))] == ["5x:reassign"]
    assert [name for name, _ in steps(world.arrives(WARM))] == ["4x:reassign"]
    owned = world.arrives(HOT.but(account=ACME))
    assert [name for name, _ in steps(owned)] == ["5x:reassign"]  # of the pool that the rules chose


def test_a_queue_has_its_own_ladder_else_that_of_queues() -> None:
    mail = Arrival("gmail.com", None, mail=MailKind.PERSONAL)
    own = "  manual-review:\n    ladder: [{at: 1x, do: alert_manager}]\n"
    world = World(DEFAULT.replace("  manual-review:\n", own))
    assert steps(world.arrives(mail)) == [("1x:alert_manager", at("15:14"))]
    assert [name for name, _ in steps(World().arrives(mail))][:2] == ["15m:alert_manager", "30m:move"]


def test_steps_are_told_in_the_order_of_time_and_done_ones_with_theirs() -> None:
    """Who got the lead late keeps it for a full window: the step that takes it stands after the alert."""
    world = World(ladder("{at: 1x, do: reassign}", "{at: 1.5x, do: alert_manager}"))
    lead = world.arrives(HOT.but(delay_seconds=240))
    alert, reassign = (f"{times}:{do}" for times, do in (("1.5x", "alert_manager"), ("1x", "reassign")))
    assert steps(lead) == [(alert, at("14:21:30")), (reassign, at("14:23"))]
    said = world.until(at("14:22"))[0]
    assert [(step.name, step.done_at) for step in sla(said).steps] == [(alert, at("14:21:30")), (reassign, None)]
    taken = of_kind(world.until(at("14:23")), DecisionKind.REASSIGNED)
    assert [row.at for row in taken] == [at("14:23")]


def test_a_policy_may_take_a_lead_from_a_late_owner_at_its_time() -> None:
    world = World(ladder("{at: 1x, do: reassign}", more="\nsla: {repeat: null, late_window: false}\n"))
    assert steps(world.arrives(HOT.but(delay_seconds=240))) == [("1x:reassign", at("14:19"))]


def test_the_manager_is_told_each_window_after_the_last_step() -> None:
    world = World(ladder("{at: 1x, do: alert_manager}", more=""))
    lead = world.arrives(HOT)
    first = world.until(at("14:30"))
    assert [row.at for row in first] == [at("14:19"), at("14:24"), at("14:29")]
    assert {tuple(told(row, "manager")) for row in first} == {("MM",)}
    known = world.lead(lead.lead_id)
    assert [row.name for row in known.done] == ["1x:alert_manager", "repeat"]


@pytest.mark.parametrize("wall", ["14:44", "14:47"], ids=["at the instant of one", "between two"])
def test_repeats_that_an_outage_swallowed_come_once_as_the_latest_of_them(wall: str) -> None:
    world = World(ladder("{at: 1x, do: alert_manager}", more=""))
    lead = world.arrives(HOT)
    world.until(at("14:24"))
    (late,) = world.fire(f"lead/{lead.lead_id}", at(wall), {})
    assert late.trace["due_at"] == "2026-03-10T19:44:00Z"
    assert world.wakes[f"lead/{lead.lead_id}"].due_at == at("14:49")


def test_nothing_is_repeated_while_the_last_step_waits_for_activity() -> None:
    world = World(ladder("{at: 1x, do: reassign}", more=""))
    world.arrives(HOT)
    assert world.until(at("14:25"), 31.0) == []


def test_who_gets_a_lead_by_a_step_has_a_window_of_their_own_before_the_manager_is_told_again() -> None:
    world = World(ladder("{at: 1x, do: alert_manager}", "{at: 2x, do: reassign}", more=""))
    world.arrives(HOT)
    rows = world.until(at("14:40"))
    assert [(row.at, row.kind) for row in rows] == [
        (at("14:19"), DecisionKind.ESCALATED),
        (at("14:24"), DecisionKind.REASSIGNED),  # their window ends at 14:29
        (at("14:34"), DecisionKind.ESCALATED),
        (at("14:39"), DecisionKind.ESCALATED),
    ]


def test_a_repeat_due_this_instant_is_told() -> None:
    world = World(ladder("{at: 1x, do: alert_manager}", more="\nsla: {repeat: {every: 7m}}\n"))
    world.arrives(HOT)
    assert [row.at for row in world.until(at("14:33"))] == [at("14:19"), at("14:26"), at("14:33")]


def test_a_deadline_without_a_step_is_looked_at_so_that_a_miss_is_charged_at_its_time() -> None:
    world = World(ladder("{at: 2x, do: alert_manager}"))
    lead = world.arrives(HOT).lead_id
    assert world.wakes[f"lead/{lead}"].due_at == at("14:19")
    assert world.until(at("14:19:30")) == []
    assert (world.lead(lead).breach, world.wakes[f"lead/{lead}"].due_at) == ("not_contacted", at("14:24"))


def test_without_a_repeat_the_ladder_ends_with_its_last_step() -> None:
    world = World(ladder("{at: 1x, do: alert_manager}"))
    lead = world.arrives(HOT)
    assert [row.at for row in world.until(at("18:00"))] == [at("14:19")]
    assert f"lead/{lead.lead_id}" not in world.wakes


@pytest.mark.parametrize(
    ("lag", "moved_at"),
    [(None, "14:24"), (30.0, "14:24"), (30.5, None)],
    ids=["no lag known", "at the limit", "beyond it"],
)
def test_a_step_that_takes_a_lead_waits_while_activity_is_behind(lag: float | None, moved_at: str | None) -> None:
    world = World(ladder("{at: 1x, do: alert_manager}", "{at: 2x, do: reassign}", "{at: 2x, do: alert_leadership}"))
    lead = world.arrives(HOT)
    rows = world.until(at("14:24"), lag)
    alert, *rest = rows
    is_behind = lag == 30.5
    assert sla(alert).is_unverified is is_behind
    notes = {notice.note for notice in alert.notices if notice.audience == "manager"}
    assert any("somebody may have made contact" in note for note in notes) is is_behind
    moves = of_kind(rest, DecisionKind.REASSIGNED)
    assert [row.at for row in moves] == ([at(moved_at)] if moved_at else [])
    leaders = [row for row in rest if told(row, "leadership")]
    assert len(leaders) == 1  # what tells people is not held
    if is_behind:
        assert world.wakes[f"lead/{lead.lead_id}"].due_at == at("14:24:30")
        assert [row.owner.id for row in of_kind(world.until(at("14:24:30")), DecisionKind.REASSIGNED)] == ["M2"]


def test_a_move_waits_too_while_activity_is_behind() -> None:
    world = World(ladder("{at: 1x, do: move, to: manager}"))
    world.arrives(HOT)
    assert of_kind(world.until(at("14:19"), 31.0), DecisionKind.REASSIGNED) == []


@pytest.mark.parametrize(("limit", "moves"), [(0, 0), (1, 1), (2, 2), (3, 2)])
def test_a_lead_changes_hands_by_itself_as_often_as_the_policy_lets_it(limit: int, moves: int) -> None:
    taking = (f"{{at: {times}x, do: reassign}}" for times in (2, 4, 6, 8))
    world = World(ladder(*taking, more=f"\nsla: {{repeat: null, reassignments: {limit}}}\n"))
    lead = world.arrives(HOT)
    rows = of_kind(world.until(at("15:14")), DecisionKind.REASSIGNED)
    assert len([row for row in rows if row.owner.kind == "rep"]) == moves
    assert world.lead(lead.lead_id).moves == min(limit, len(rows))


def test_a_reminder_of_who_got_the_lead_after_its_time_is_left_out() -> None:
    world = World(ladder("{at: 0.5x, do: remind_owner}", "{at: 2x, do: reassign}"))
    lead = world.arrives(HOT.but(delay_seconds=150))  # assigned at 14:16:30, when the reminder falls due
    assert world.until(at("14:20")) == []
    assert world.lead(lead.lead_id).done[0].name == "0.5x:remind_owner"
    sooner = World(ladder("{at: 0.5x, do: remind_owner}", "{at: 2x, do: reassign}"))
    sooner.arrives(HOT.but(delay_seconds=149))
    (reminder,) = sooner.until(at("14:20"))
    assert (reminder.reason, told(reminder, "owner")) == ("The owner is reminded.", {"M1"})


def test_words_of_alerts_name_who_is_told() -> None:
    world = World(ladder("{at: 1x, do: alert_manager}", "{at: 2x, do: alert_leadership}"))
    world.arrives(HOT)
    assert [row.reason for row in world.until(at("14:24"))] == [
        "No contact 1x after the clock started; MM is alerted.",
        "No contact 2x after the clock started; leadership is alerted.",
    ]
    alone = World(ladder("{at: 1x, do: alert_manager}"), without=("MM", "SL"))
    alone.arrives(HOT)
    assert [row.reason for row in alone.until(at("14:24"))] == [
        "No contact 1x after the clock started; nobody is alerted."
    ]


@pytest.mark.parametrize("kind", [ActivityKind.CALLED, ActivityKind.MEETING_BOOKED])
def test_contact_or_a_booked_meeting_stops_the_ladder(kind: ActivityKind) -> None:
    world = World()
    lead = world.arrives(HOT)
    world.does(kind, lead.lead_id, "M1", at("14:15"))
    assert world.until(at("18:00")) == []
    assert world.fire(f"lead/{lead.lead_id}", at("18:00"), {}) == []


def test_a_wake_up_of_a_rep_who_is_there_moves_nothing() -> None:
    world = World()
    world.arrives(WARM)
    assert world.fire("rep/main/M1", at("14:20"), {}) == []
    assert world.fire("rep/main/nobody", at("14:20"), {}) == []


def test_a_held_lead_that_nobody_at_all_can_have_at_its_deadline_is_looked_at_each_minute() -> None:
    world = World(loads={"M1": 40, "M2": 40, "M3": 20}, without=("MM", "CA", "CM", "SL"))
    held = world.arrives(WARM)
    key = f"lead/{held.lead_id}"
    assert (held.kind, world.wakes[key].due_at) == (DecisionKind.HELD, at("14:29"))
    world.until(at("14:29"))
    assert (world.lead(held.lead_id).phase, world.wakes[key].due_at) == (Phase.HELD, at("14:30"))
    world.until(at("14:30:30"))
    assert world.wakes[key].due_at == at("14:31")


def test_a_lead_of_a_queue_that_the_policy_has_no_more_goes_on_in_the_policys_hours() -> None:
    queue = "queues:\n  extra: {owner: {role: reviewer}, manager: {role: manager, team: manual-review}}\n"
    rule = "  - {name: extra, when: 'icp || !icp', to: {queue: extra}, because: abc, say: abc, owner: xy}\n"
    text = DEFAULT.replace("  - name: nurture\n", f"{rule}  - name: nurture\n").replace("queues:\n", queue)
    world = World(text)
    lead = world.arrives(Arrival("tiny.example", 5, action="webinar", industry="retail"))
    assert (lead.kind, lead.owner.queue) == (DecisionKind.QUEUED, "extra")
    world.activate(world._published(DEFAULT), at("14:20"))
    (alert,) = world.until(at("14:29"))
    assert (alert.kind, sla(alert).contact_due_at) == (DecisionKind.ESCALATED, at("14:14", 11))  # a working day


def test_a_held_lead_goes_to_the_team_lead_at_the_route_deadline_itself() -> None:
    world = World(loads={"M1": 40, "M2": 40, "M3": 20})
    held = world.arrives(WARM)
    assert held.kind is DecisionKind.HELD
    assert of_kind(world.until(at("14:28:59")), DecisionKind.ASSIGNED) == []
    (given,) = of_kind(world.until(at("14:29")), DecisionKind.ASSIGNED)
    assert (given.at, given.owner.kind, given.owner.id) == (at("14:29"), "team_lead", "MM")
