"""What a division does with each kind of event, beyond the worked examples."""

from dataclasses import replace
from datetime import timedelta

import pytest

from routing.decide import division_in
from routing.lead_state import Phase
from routing.policy import compile_policy
from schemas.activity import ActivityBound, ActivityKind
from schemas.decision import DecisionKind, OwnerKind
from schemas.lead import MailKind
from schemas.poison import Poison
from tests.worked.world import ACME, DEFAULT, ROSTER, Arrival, World, at, on_leave, told

WARM = Arrival("lone.example", 450, action="webinar")


def test_a_lead_of_a_division_without_policy_waits_and_is_decided_at_the_activation() -> None:
    world = World()
    for key in list(world.state.values):
        if key.startswith(("division/", "group/")):
            del world.state.values[key]
    lead = world.arrives(WARM)
    assert (lead.kind, lead.owner.kind, lead.epoch) == (DecisionKind.HELD, OwnerKind.NONE, 0)
    assert (lead.score, lead.touch, lead.uses_turn) == (0, 1, False)
    assert "no active policy" in lead.reason
    world.activate(world.policy, at("14:20"))
    decided = world.decisions[-1]
    assert (decided.lead_id, decided.owner.id, decided.kind) == (lead.lead_id, "M1", DecisionKind.ASSIGNED)
    assert (decided.touch, decided.epoch) == (1, 1)
    assert decided.contact is not None


@pytest.mark.parametrize(
    ("kind", "decided"), [(ActivityKind.WON, 0), (ActivityKind.CALLED, 1)], ids=["ended meanwhile", "only called"]
)
def test_a_lead_that_waits_for_a_policy_is_decided_unless_it_has_ended(kind: ActivityKind, decided: int) -> None:
    world = World()
    divisions = {key: value for key, value in world.state.values.items() if key.startswith("division/")}
    for key, value in divisions.items():
        world.state.values[key] = replace(value, policy_hash=None)
    lead = world.arrives(WARM)
    assert lead.policy_hash == ""
    for key, value in divisions.items():
        world.state.values[key] = replace(value, policy_hash=world.policy.hash)
    ended = world.does(kind, lead.lead_id, "M1", at("14:15"))
    assert [row.kind for row in ended] == ([DecisionKind.CLOSED] if not decided else [])
    world.activate(world.policy, at("14:20"))
    later = [row for row in world.decisions if row.kind is DecisionKind.ASSIGNED]
    assert len(later) == decided


def test_an_empty_roster_sends_the_lead_to_the_catch_all_queue() -> None:
    world = World(without=tuple(ROSTER))
    lead = world.arrives(WARM)
    assert (lead.kind, lead.owner.queue, lead.owner.id) == (DecisionKind.QUEUED, "catch-all", None)


def test_who_declines_is_not_offered_the_lead_again() -> None:
    world = World()
    lead = world.arrives(WARM)
    (moved,) = world.does(ActivityKind.DECLINED, lead.lead_id, "M1", at("14:20"), reason="conflict")
    assert (moved.owner.id, moved.kind) == ("M2", DecisionKind.REASSIGNED)
    assert world.load("M1") == 20
    rows = [row for row in world.until(at("16:14")) if row.kind is DecisionKind.REASSIGNED]
    assert [row.owner.id for row in rows] == ["M3"]


def test_a_person_may_move_a_lead_over_the_limit_and_no_turn_is_used() -> None:
    world = World(loads={"S1": 40})
    lead = world.arrives(WARM)
    (moved,) = world.does(ActivityKind.REASSIGNED, lead.lead_id, None, at("14:20"), to="S1", by="MM", reason="knows")
    assert (moved.owner.id, moved.uses_turn) == ("S1", False)
    assert "MM" in moved.reason and "knows" in moved.reason
    assert told(moved, "previous_owner") == {"M1"}
    assert sum(world.turns("smb-sdr").values()) == 0


def test_a_lead_moved_to_its_own_owner_is_not_told_about_again() -> None:
    world = World()
    lead = world.arrives(WARM)
    assert world.does(ActivityKind.REASSIGNED, lead.lead_id, None, at("14:20"), to=lead.owner.id, by="crm") == []


def test_a_lead_moved_to_nobody_known_stays() -> None:
    world = World()
    lead = world.arrives(WARM)
    (noted,) = world.does(ActivityKind.REASSIGNED, lead.lead_id, None, at("14:20"), to="nobody", by="MM")
    assert (noted.kind, noted.owner.id) == (DecisionKind.NOTED, "M1")


def test_the_open_leads_of_a_rep_who_is_deactivated_move_at_once() -> None:
    world = World()
    lead = world.arrives(WARM)
    (moved,) = world.roster(ROSTER["M1"][0].model_copy(update={"active": False}), at("14:20"))
    assert (moved.lead_id, moved.owner.id) == (lead.lead_id, "M2")
    assert (told(moved, "owner"), told(moved, "previous_owner")) == ({"M2"}, {"M1"})
    assert world.load("M1") == 20


def test_more_leads_than_one_event_moves_are_moved_by_wake_ups(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("routing.rostering.MOVED_AT_ONCE", 2)
    world = World(changed={name: ROSTER[name][0].model_copy(update={"limit": 999.0}) for name in ("M1", "M2", "M3")})
    for _ in range(10):
        world.arrives(WARM)
    world.roster(ROSTER["M1"][0].model_copy(update={"active": False}), at("14:20"))
    world.until(at("14:21"))
    assert not list(world.state.scan("lead-by-owner/main/M1/"))
    assert world.load("M1") == 20


def test_reassigning_waits_while_activity_is_behind_and_alerts_say_so() -> None:
    world = World()
    lead = world.arrives(Arrival("silent.example", 450))
    rows = world.until(at("14:24"), lag=600.0)
    assert {row.owner.id for row in rows} == {"M1"}
    alert = next(row for row in rows if row.trace.get("step") == "1x:alert_manager")
    assert alert.sla is not None and alert.sla.is_unverified
    assert world.wakes[f"lead/{lead.lead_id}"].due_at > at("14:24")
    world.does(ActivityKind.CALLED, lead.lead_id, "M1", at("14:18"), learned=at("14:24:10"))
    assert world.until(at("15:00")) == []
    known = world.state.get(f"lead/{lead.lead_id}")
    assert (known.owner.id, known.breach) == ("M1", None)


def test_an_owner_assigned_late_gets_a_full_contact_window() -> None:
    world = World()
    lead = world.arrives(Arrival("late.example", 450, delay_seconds=9 * 60))  # 14:23, one minute before 2x
    moved = next(row for row in world.until(at("14:40")) if row.kind is DecisionKind.REASSIGNED)
    assert moved.at == at("14:28")
    assert lead.owner.id == "M1"


def test_a_test_lead_takes_the_path_without_turn_or_load() -> None:
    world = World()
    before = {key: value for key, value in world.state.values.items() if key.startswith(("rep/", "turn/", "pool/"))}
    lead = world.arrives(Arrival("lone.example", 450, is_test=True))
    assert (lead.owner.id, lead.uses_turn) == ("M1", False)
    world.until(at("14:30"))
    after = {key: value for key, value in world.state.values.items() if key.startswith(("rep/", "turn/", "pool/"))}
    assert {key: row.load for key, row in after.items() if key.startswith("rep/")} == {
        key: row.load for key, row in before.items() if key.startswith("rep/")
    }
    assert {key for key in after if key.startswith("turn/main/mm")} == set()


def test_a_meeting_booked_by_the_lead_stops_the_ladder_and_is_no_contact() -> None:
    world = World()
    lead = world.arrives(Arrival("lone.example", 450))
    (noted,) = world.does(ActivityKind.MEETING_BOOKED, lead.lead_id, None, at("14:15"))
    assert noted.sla is not None and noted.sla.contacted_at is None
    assert world.until(at("15:00")) == []


def test_the_end_of_a_lead_frees_its_load_and_its_contact() -> None:
    world = World()
    lead = world.arrives(WARM)
    assert world.state.get(f"contact/{lead.lead_id}") is not None
    (closed,) = world.does(ActivityKind.WON, lead.lead_id, "M1", at("14:30"))
    assert closed.kind is DecisionKind.CLOSED
    assert world.load("M1") == 20
    assert world.state.get(f"contact/{lead.lead_id}") is None
    assert world.state.get(f"lead/{lead.lead_id}").scored.data == {}
    world.until(at("14:30") + timedelta(days=31))
    assert world.state.get(f"lead/{lead.lead_id}") is None


def test_the_load_follows_the_stage_and_an_older_stage_does_nothing() -> None:
    world = World()
    lead = world.arrives(WARM)
    world.does(ActivityKind.STAGE_CHANGED, lead.lead_id, "M1", at("15:00"), stage="late")
    assert world.load("M1") == 21.5
    world.does(ActivityKind.STAGE_CHANGED, lead.lead_id, "M1", at("14:50"), stage="mid", learned=at("15:01"))
    assert world.load("M1") == 21.5


def test_a_suspect_waits_in_quarantine_until_it_is_released() -> None:
    world = World()
    arrival = Arrival("lone.example", 450, mail=MailKind.DISPOSABLE)
    lead = world.arrives(arrival)
    assert (lead.kind, lead.owner.kind, lead.notices) == (DecisionKind.QUARANTINED, OwnerKind.NONE, ())
    assert world.wakes == {}
    released = world.does(ActivityKind.RELEASED, lead.lead_id, "RV", at("14:30"))[-1]
    assert (released.kind, released.owner.queue) == (DecisionKind.QUEUED, "manual-review")
    assert released.lead.suspect == () and released.lead.mail.kind is MailKind.PERSONAL
    assert f"lead/{lead.lead_id}" in world.wakes


def test_a_released_lead_that_a_rule_would_set_aside_again_goes_to_the_queue_of_quarantine() -> None:
    rule = 'lead.is_suspect || mail.kind == "disposable"'
    world = World(DEFAULT.replace(rule, 'mail.domain == "lone.example"'))
    lead = world.arrives(Arrival("lone.example", 450))
    assert lead.kind is DecisionKind.QUARANTINED
    released = world.does(ActivityKind.RELEASED, lead.lead_id, "RV", at("14:30"))[-1]
    assert (released.kind, released.owner.queue) == (DecisionKind.QUEUED, "manual-review")


def test_a_blocked_suspect_is_closed_and_told_nobody() -> None:
    world = World()
    lead = world.arrives(Arrival("lone.example", 450, mail=MailKind.DISPOSABLE))
    blocked = world.does(ActivityKind.BLOCKED, lead.lead_id, "RV", at("14:30"))[-1]
    assert (blocked.kind, blocked.notices) == (DecisionKind.CLOSED, ())
    assert world.state.get(f"lead/{lead.lead_id}").phase is Phase.CLOSED
    assert world.does(ActivityKind.RELEASED, lead.lead_id, "RV", at("14:31")) == []


def test_leave_that_starts_before_the_contact_deadline_counts_already() -> None:
    away = ROSTER["M1"][0].model_copy(update={"absences": on_leave("M1", 11, 14).absences})
    starts = away.absences[0].model_copy(update={"start": at("14:50")})
    world = World(changed={"M1": away.model_copy(update={"absences": (starts,)})})
    assert world.arrives(WARM).owner.id == "M2"


def test_a_cap_of_leads_an_hour_passes_the_rep_over_until_the_next_hour() -> None:
    capped = ROSTER["M1"][0].model_copy(update={"caps": ROSTER["M1"][0].caps.model_copy(update={"hour": 1})})
    world = World(changed={"M1": capped})
    owners = [world.arrives(WARM).owner.id for _ in range(3)]
    assert owners.count("M1") == 1
    later = [world.arrives(WARM.but(when=at("15:01"))).owner.id for _ in range(2)]
    assert "M1" in later


def test_required_skills_filter_and_preferred_ones_are_dropped_after_a_wait() -> None:
    want = "\n    require:\n      - {rep: languages, fact: lead.language}\n    strategy: weighted"
    world = World(DEFAULT.replace("\n    strategy: weighted", want))
    world.roster(ROSTER["M3"][0].model_copy(update={"languages": ("de",)}))
    lead = world.arrives(WARM.but(language="de"))
    assert lead.owner.id == "M3"
    refused = {row["rep"]: row["why"] for row in lead.trace["pools"][0]["candidates"]}
    assert refused["M1"].startswith("skill")

    like = want.replace("require", "prefer")
    world = World(DEFAULT.replace("\n    strategy: weighted", like))
    held = world.arrives(WARM.but(language="de"))
    assert held.kind is DecisionKind.HELD
    (given,) = world.until(at("14:14:10"))
    assert (given.kind, given.owner.id) == (DecisionKind.ASSIGNED, "M1")


def test_a_repeated_submission_changes_nothing() -> None:
    world = World()
    world.arrives(Arrival("twice.example", 450, who="p"))
    with pytest.raises(IndexError):
        world.arrives(Arrival("twice.example", 450, who="p"))


def test_the_junior_floor_gives_a_fifth_of_the_hot_leads_to_others() -> None:
    world = World(changed={name: ROSTER[name][0].model_copy(update={"limit": 999.0}) for name in ("M1", "M2", "M3")})
    owners = [world.arrives(Arrival("hot.example", 450)).owner.id for _ in range(40)]
    assert owners[:9] == ["M1"] * 9
    assert sum(owner != "M1" for owner in owners) == 8


def test_a_lead_of_an_account_passes_over_nobody_but_the_absent() -> None:
    world = World(changed={"E1": on_leave("E1", 9, 14), "E2": on_leave("E2", 9, 14)})
    lead = world.arrives(Arrival("acme.example", 5000, account=ACME))
    assert (lead.owner.id, lead.owner.kind) == ("EM", OwnerKind.TEAM_LEAD)
    assert [(link["step"], link["who"]) for link in lead.trace["chain"]] == [("owner", "E1"), ("backup", "E2")]


def test_a_new_policy_decides_from_its_activation_on() -> None:
    world = World()
    assert world.arrives(Arrival("midco.example", 600, action="webinar")).pool == "mm-southwest"
    world.activate(compile_policy(DEFAULT.replace("enterprise, from: 1000", "enterprise, from: 501")))
    other = compile_policy(DEFAULT.replace("enterprise, from: 1000", "enterprise, from: 501"))
    assert world.arrives(Arrival("midco.example", 600, action="webinar"), other).pool == "ent-amer"


def test_held_leads_get_the_room_of_a_cap_that_begins_anew() -> None:
    def capped(name: str) -> object:
        rep = ROSTER[name][0]
        return rep.model_copy(update={"caps": rep.caps.model_copy(update={"hour": 1})})

    world = World(changed={name: capped(name) for name in ("M1", "M2", "M3")})  # type: ignore[misc]
    for _ in range(3):
        world.arrives(WARM.but(when=at("14:50")))
    held = world.arrives(WARM.but(when=at("14:50")))
    assert held.kind is DecisionKind.HELD
    given = [row for row in world.until(at("15:00")) if row.lead_id == held.lead_id]
    assert [(row.kind, row.at) for row in given] == [(DecisionKind.ASSIGNED, at("15:00"))]


def test_room_that_a_moved_lead_leaves_is_given_to_a_held_one() -> None:
    world = World(loads={"M1": 39.5, "M2": 40, "M3": 20})
    first = world.arrives(WARM)
    held = world.arrives(WARM)
    assert (first.owner.id, held.kind) == ("M1", DecisionKind.HELD)
    rows = world.does(ActivityKind.REASSIGNED, first.lead_id, None, at("14:20"), to="S1", by="MM")
    assert [(row.lead_id, row.owner.id) for row in rows] == [(first.lead_id, "S1"), (held.lead_id, "M1")]


def test_the_trace_shows_the_winner_as_the_pick_saw_them() -> None:
    lead = World().arrives(WARM)
    chosen = next(row for row in lead.trace["pools"][0]["candidates"] if row["why"] == "chosen")
    assert (chosen["rep"], chosen["load"], chosen["limit"], chosen.get("waited_since")) == ("M1", 2000, 4000, None)


def test_loads_follow_the_weights_of_a_new_policy() -> None:
    world = World(loads={"E1": 0})
    world.opportunity("E1", "deal", "late")
    assert world.load("E1") == 1.5
    world.activate(compile_policy(DEFAULT + "\ncapacity: {count: plain}\n"))
    assert world.load("E1") == 1.0


def test_roster_and_loads_that_come_before_any_policy_are_kept() -> None:
    world = World(without=tuple(ROSTER))
    for key in list(world.state.values):
        del world.state.values[key]
    world.roster(ROSTER["E1"][0])
    world.opportunity("E1", "deal", "late")
    world.activate(world.policy)
    assert world.load("E1") == 1.5
    assert world.arrives(Arrival("bigco.example", 5000)).owner.id == "E1"


def test_activity_on_a_lead_that_comes_before_any_policy_moves_no_load() -> None:
    world = World(without=tuple(ROSTER))
    for key in list(world.state.values):
        del world.state.values[key]
    world.roster(ROSTER["E1"][0])
    lead_id = f"main.{'a' * 32}.1"
    more = {"opportunity_id": "deal", "stage": "late"}
    assert world.does(ActivityKind.OPPORTUNITY_CHANGED, lead_id, "E1", at("14:20"), **more) == []
    assert world.load("E1") == 0


def test_an_event_that_names_no_division_is_no_divisions() -> None:
    nobodys = ActivityBound(kind=ActivityKind.WON, at=at("14:14"), learned_at=at("14:14"))
    with pytest.raises(Poison, match="names its division"):
        division_in(nobodys)


def test_without_a_policy_a_lead_that_comes_twice_waits_once() -> None:
    world = World()
    known = world.state.values["division/main"]
    world.state.values["division/main"] = replace(known, policy_hash=None)
    again = Arrival("lone.example", 450, who="a" * 32)
    assert world.arrives(again).owner.kind is OwnerKind.NONE
    assert world.send("lead.scored", again.but(action="webinar").scored(world, world.policy), at("14:15")) == []
