"""A person who comes back, and what is learned late: repeats, nurtured leads, suspects, leads that wait."""

from dataclasses import replace

import pytest

from routing.lead_state import Phase
from schemas.activity import ActivityKind
from schemas.decision import Decision, DecisionKind
from schemas.lead import MailKind
from tests.worked.world import DEFAULT, Arrival, World, at, told

WARM = Arrival("lone.example", 450, action="webinar", who="a" * 32)  # T2
READER = Arrival("tiny.example", 5, action="whitepaper", who="b" * 32)  # nurtured
READER_ID = f"main.{'b' * 32}.1"
WARM_ID = f"main.{'a' * 32}.1"


def late(world: World, arrival: Arrival) -> list[Decision]:
    """A provider answered after the lead was routed."""
    scored = arrival.scored(world, world.policy).model_copy(update={"is_late": True})
    return world.send("lead.scored", scored, at("14:20"))


def again(arrival: Arrival, wall: str, touch: int = 2, action: str | None = None) -> Arrival:
    when = at(wall)
    return arrival.but(touch=touch, when=when, action=action or arrival.action)


def test_a_nurtured_lead_that_reads_on_stays_nurtured_and_is_answered_once_a_day() -> None:
    world = World()
    world.arrives(READER)
    touched = world.arrives(again(READER, "15:00"))
    assert (touched.kind, touched.trace["touch"]) == (DecisionKind.TOUCHED, 2)
    assert touched.notices == ()  # the answer of 14:14 still counts
    other = world.arrives(again(READER, "15:30", touch=3, action="newsletter"))
    assert (other.kind, [notice.audience for notice in other.notices]) == (DecisionKind.TOUCHED, ["lead"])
    assert world.lead(READER_ID).phase is Phase.NURTURED


def test_a_nurtured_lead_that_asks_for_a_demo_is_routed_and_its_clocks_run_from_then() -> None:
    world = World()
    world.arrives(READER)
    routed = world.arrives(again(READER, "15:00", action="demo"))
    assert (routed.kind, routed.pool, routed.rule) == (DecisionKind.ASSIGNED, "general-qual", "self-serve assist")
    assert routed.sla is not None and routed.sla.clock_at == at("15:00")


def test_a_suspect_that_came_twice_is_routed_by_what_it_is_once_released() -> None:
    world = World()
    world.arrives(WARM.but(mail=MailKind.DISPOSABLE))
    world.arrives(again(WARM.but(mail=MailKind.DISPOSABLE), "15:00"))
    released = world.does(ActivityKind.RELEASED, WARM_ID, "RV", at("15:10"))[-1]
    assert (released.kind, released.rule) == (DecisionKind.QUEUED, "personal email")


def test_a_suspect_that_comes_back_stays_a_suspect_and_is_not_answered() -> None:
    world = World()
    suspect = WARM.but(mail=MailKind.DISPOSABLE)
    world.arrives(suspect)
    touched = world.arrives(again(WARM, "15:00", action="demo"))
    assert (touched.kind, touched.notices) == (DecisionKind.TOUCHED, ())
    assert world.lead(WARM_ID).phase is Phase.QUARANTINED


@pytest.mark.parametrize(
    ("options", "action", "cycle"),
    [
        pytest.param("", "webinar", 1, id="as urgent as before"),
        pytest.param("", "demo", 2, id="more urgent"),
        pytest.param("\ndedupe: {restart_on_higher_tier: false}\n", "demo", 1, id="more urgent, without a restart"),
    ],
)
def test_a_repeat_starts_a_new_clock_only_where_it_is_more_urgent(options: str, action: str, cycle: int) -> None:
    world = World(DEFAULT + options)
    first = world.arrives(WARM)
    touched = world.arrives(again(WARM, "14:20", action=action))
    assert (touched.kind, touched.owner, touched.uses_turn) == (DecisionKind.TOUCHED, first.owner, False)
    assert touched.sla is not None and first.sla is not None
    assert touched.sla.cycle == cycle
    assert touched.sla.clock_at == (at("14:20") if cycle == 2 else first.sla.clock_at)
    assert touched.trace["new_cycle"] is (cycle == 2)
    assert touched.trace["tier"] == ["T2", "T1" if cycle == 2 else "T2"]
    assert touched.epoch == first.epoch + (cycle == 2)


@pytest.mark.parametrize(
    ("options", "starts_anew"),
    [("", True), ("\ndedupe: {restart_after_contact: false}\n", False)],
    ids=["by default", "switched off"],
)
@pytest.mark.parametrize("kind", [ActivityKind.CALLED, ActivityKind.MEETING_BOOKED])
def test_a_repeat_after_contact_or_a_booked_meeting_starts_a_new_clock(
    options: str, starts_anew: bool, kind: ActivityKind
) -> None:
    world = World(DEFAULT + options)
    world.arrives(WARM)
    world.does(kind, WARM_ID, "M1", at("14:16"))
    touched = world.arrives(again(WARM, "14:20", action="content"))
    assert touched.sla is not None
    assert (touched.sla.cycle == 2) is starts_anew
    assert (f"lead/{WARM_ID}" in world.wakes) is starts_anew


def test_a_submission_handled_twice_is_no_second_touch() -> None:
    world = World()
    world.arrives(WARM)
    repeat = again(WARM, "14:20")
    assert world.arrives(repeat).kind is DecisionKind.TOUCHED
    assert world.send("lead.scored", repeat.scored(world, world.policy), at("14:21")) == []


def test_what_is_learned_late_is_noted_and_only_an_owner_is_told() -> None:
    world = World()
    owned = world.arrives(WARM)
    (noted,) = late(world, WARM.but(employees=600))
    assert (noted.kind, noted.owner, noted.lead.company.employees) == (DecisionKind.NOTED, owned.owner, 600)
    assert "owner" in {notice.audience for notice in noted.notices}
    world.arrives(READER)
    (noted,) = late(world, READER.but(employees=6))
    assert (noted.kind, noted.notices) == (DecisionKind.NOTED, ())


@pytest.mark.parametrize(
    ("touched", "kind"),
    [(False, DecisionKind.REASSIGNED), (True, DecisionKind.NOTED)],
    ids=["nobody has called", "somebody has called"],
)
def test_a_policy_may_route_anew_by_what_is_learned_late_unless_somebody_called(
    touched: bool, kind: DecisionKind
) -> None:
    world = World(DEFAULT + "\noptions: {late_enrichment: reroute_untouched}\n")
    world.arrives(WARM)
    if touched:
        world.does(ActivityKind.CALLED, WARM_ID, "M1", at("14:16"))
    (row,) = late(world, WARM.but(employees=120))
    assert row.kind is kind
    assert row.owner.id == ("S1" if not touched else "M1")


def test_what_is_learned_late_and_changes_nothing_of_the_route_moves_nobody() -> None:
    world = World(DEFAULT + "\noptions: {late_enrichment: reroute_untouched}\n")
    world.arrives(Arrival("somebody.example", mail=MailKind.PERSONAL, who="a" * 32))
    (noted,) = late(world, Arrival("somebody.example", 5000, mail=MailKind.PERSONAL, who="a" * 32))
    assert (noted.kind, told(noted, "queue")) == (DecisionKind.NOTED, {"RV"})
    known = world.lead(WARM_ID)
    assert known.scored.data["lead"]["company"]["employees"] == 5000


@pytest.mark.parametrize(
    ("first", "learned", "kind"),
    [
        (READER, READER.but(employees=6), DecisionKind.NOTED),
        (WARM.but(action="x"), WARM.but(action="x", employees=6), DecisionKind.NURTURED),
        (WARM.but(country="BR", action="x"), WARM.but(action="x", employees=6), DecisionKind.NURTURED),
    ],
    ids=["nurtured already", "of a rep", "in a queue"],
)
def test_by_option_a_lead_that_the_rules_nurture_by_what_is_learned_late_is_nurtured(
    first: Arrival, learned: Arrival, kind: DecisionKind
) -> None:
    world = World(DEFAULT + "\noptions: {late_enrichment: reroute_untouched}\n")
    lead = world.arrives(first).lead_id
    (row,) = late(world, learned)
    assert (row.kind, world.lead(lead).phase, world.lead(lead).owner.id) == (kind, Phase.NURTURED, None)


def test_late_data_of_a_lead_nobody_knows_makes_none() -> None:
    world = World()
    assert late(world, WARM) == []
    assert world.state.get(f"lead/{WARM_ID}") is None


def test_leads_beyond_one_event_wait_for_the_division_to_wake_and_repeats_are_decided_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("routing.waiting.DECIDED_AT_ONCE", 2)
    world = World()
    known = world.state.values["division/main"]
    world.state.values["division/main"] = replace(known, policy_hash=None)
    names = [letter * 32 for letter in "abcd"]
    for minute, name in enumerate(names):
        world.arrives(WARM.but(who=name, when=at(f"14:{14 + minute}")))
    world.activate(world.policy, at("14:20"))
    at_once = [row.lead_id for row in world.decisions if row.kind is DecisionKind.ASSIGNED]
    assert at_once == [f"main.{name}.1" for name in names[:2]]
    decided = world.arrives(again(WARM.but(who=names[3]), "14:20"))
    assert (decided.kind, decided.lead_id) == (DecisionKind.ASSIGNED, f"main.{names[3]}.1")
    assert decided.rule == "mid-market Southwest"
    assert world.state.values[f"lead/main.{names[3]}.1"].touches == 2
    rows = world.until(at("14:21"))
    assert [(row.kind, row.lead_id) for row in rows] == [(DecisionKind.ASSIGNED, f"main.{names[2]}.1")]
    assert not list(world.state.scan("waiting/"))
    assert "division/main" not in world.wakes


COLD = WARM.but(action="other")  # T3
FULL = {"M1": 40.0, "M2": 40.0, "M3": 20.0}
REROUTES = DEFAULT + "\noptions: {late_enrichment: reroute_untouched}\n"


def test_a_held_lead_that_comes_back_more_urgently_moves_up_in_the_backlog_and_stands_there_once() -> None:
    world = World(loads=FULL)
    assert world.arrives(COLD).kind is DecisionKind.HELD
    (before,) = (key for key, _ in world.state.scan("held/"))
    world.arrives(again(COLD, "14:20", action="webinar"))
    ((after, lead_id),) = world.state.scan("held/")
    assert (before.split("/")[3], after.split("/")[3], lead_id) == ("02", "01", WARM_ID)
    assert world.lead(WARM_ID).held_in == after


def test_a_lead_that_comes_again_under_an_id_that_ended_goes_on_counting() -> None:
    world = World()
    first = world.arrives(WARM)
    world.does(ActivityKind.LOST, WARM_ID, "M1", at("14:20"))
    ended = world.lead(WARM_ID)
    second = world.arrives(WARM.but(when=at("14:30")))
    assert first.sla is not None and second.sla is not None
    assert (first.sla.cycle, second.sla.cycle) == (1, 2)
    assert (second.lead_id, second.epoch > ended.epoch) == (WARM_ID, True)


@pytest.mark.parametrize(("touches", "owner"), [(1, "E2"), (2, "M1")], ids=["once", "twice"])
def test_what_is_learned_late_routes_a_lead_anew_that_came_once(touches: int, owner: str) -> None:
    world = World(REROUTES)
    assert world.arrives(WARM).owner.id == "M1"
    if touches == 2:
        world.arrives(again(WARM, "14:15"))
    row = late(world, WARM.but(employees=5_000))[-1]
    assert row.owner.id == owner


def test_what_is_learned_late_is_said_to_be_and_the_rule_that_takes_the_lead_now_is_kept() -> None:
    rule = "name: large, when: company.employees > 500, to: {pool: mm-southwest}, because: abc, say: abc, owner: ops"
    text = REROUTES.replace("  - name: nurture\n", f"  - {{{rule}}}\n  - name: nurture\n")
    world = World(text, without=("M2", "M3"))
    assert world.arrives(WARM).rule == "mid-market Southwest"
    (noted,) = late(world, WARM.but(employees=600))
    assert (noted.kind, noted.owner.id, noted.rule) == (DecisionKind.NOTED, "M1", "large")
    assert noted.trace["late"] is True
    assert world.lead(WARM_ID).rule == "large"
