"""EX-9 to EX-25 of the requirements, row by row, from the form to the last step, through all stages' `handle`.

EX-23 is a what-if, which leadstream does not have yet.
"""

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest
import time_machine

from routing.policy import compile_policy
from routing.replay import replay
from schemas.account import Account
from schemas.activity import ActivityKind
from schemas.decision import DecisionKind, JournalEntry, OwnerKind
from schemas.delivery import Outcome
from tests.worked.pipeline import Pipeline, Submission, bare_form, form
from tests.worked.world import CHICAGO, DEFAULT, ROSTER, SUBMITTED, at, channels, of_kind, on_leave, told

UNLIMITED = {rep: ROSTER[rep][0].model_copy(update={"limit": 1000.0}) for rep in ("M1", "M2", "M3", "S1", "S2", "S3")}


HOT = form("coo@lone.example", 450, "saas", "TX", "demo")
AGAIN = form("dev@again.example", 450, "saas", "TX", "content")
DELIVERED, FAILED = Outcome.DELIVERED, Outcome.FAILED


def disqualified_before(when: datetime, **setup: Any) -> Pipeline:
    """A world in which M2 has disqualified an earlier lead of the same person, who came to them without a turn."""
    world = Pipeline(begins=when - timedelta(hours=2), **setup)
    world.accounts["again.example"] = Account(domain="again.example", owner="M2")
    first = world.arrives(AGAIN.but(at=when - timedelta(hours=1)))
    assert (first.owner.id, first.uses_turn) == ("M2", False)
    del world.accounts["again.example"]
    world.does(ActivityKind.DISQUALIFIED, first.lead_id, "M2", when, reason="no budget")
    return world


def test_ex09_the_named_backup_covers_an_owner_on_leave() -> None:
    world = Pipeline(changed={"E1": on_leave("E1", 9, 14)})
    lead = world.arrives(form("cfo@acme.example", 5000, "saas", "TX", "demo"))
    assert (lead.tier, lead.owner.id) == ("T1", "E2")
    assert any("overing E1" in notice.note for notice in lead.notices if notice.audience == "owner")
    assert lead.lead.account is not None and lead.lead.account.owner == "E1"
    (alert,) = [row for row in world.until(at("14:23")) if row.at == at("14:19")]
    assert told(alert, "manager") == {"EM"}
    (moved,) = world.until(at("14:24"))
    assert (moved.owner.kind, moved.owner.id) == (OwnerKind.TEAM_LEAD, "EM")
    (leadership,) = world.until(at("14:29"))
    assert told(leadership, "leadership") == {"SL"}


def test_ex10_a_deactivated_owner_receives_nothing_and_the_team_lead_covers() -> None:
    world = Pipeline()
    lead = world.arrives(form("cio@beta.example", 2000, "fintech", "NY", "demo"))
    assert (lead.tier, lead.owner.kind, lead.owner.id) == ("T1", OwnerKind.TEAM_LEAD, "EM")
    assert "inactive_owner" in {notice.template for notice in lead.notices}
    (alert,) = [row for row in world.until(at("14:23")) if row.at == at("14:19")]
    assert told(alert, "manager") == {"SL"}
    (moved,) = world.until(at("14:24"))
    assert (moved.owner.id, moved.pool) == ("E2", "ent-amer")
    (leadership,) = world.until(at("14:29"))
    assert told(leadership, "leadership") == {"SL"}
    assert not any("X9" in notice.recipients for row in world.decisions for notice in row.notices)


SILENT = form("cmo@silent.example", 450, "saas", "TX", "demo", after_seconds=3)


def test_ex11_a_silent_rep_loses_the_lead_at_2x_and_the_breach_is_theirs() -> None:
    world = Pipeline()
    lead = world.arrives(SILENT)
    assert lead.owner.id == "M1"
    reminder, alert = world.until(at("14:19"))
    assert (reminder.at, told(reminder, "owner")) == (at("14:16:30"), {"M1"})
    assert (alert.at, told(alert, "manager")) == (at("14:19"), {"MM"})
    (moved,) = world.until(at("14:24"))
    assert (moved.at, moved.owner.id, moved.epoch) == (at("14:24"), "M2", lead.epoch + 1)
    assert told(moved, "owner") == {"M2"}
    assert told(moved, "previous_owner") == {"M1"}
    assert (world.load("M1"), world.load("M2")) == (20, 20.5)
    assert not [notice for notice in moved.notices if notice.audience == "lead"]
    (leadership,) = world.until(at("14:29"))
    assert told(leadership, "leadership") == {"SL"}

    (contact,) = world.does(ActivityKind.CALLED, lead.lead_id, "M2", at("14:31:10"))
    assert contact.sla is not None and contact.sla.contacted_at is not None and contact.sla.owned_at is not None
    assert (contact.sla.contacted_at - contact.sla.clock_at).total_seconds() == 17 * 60 + 10
    assert (contact.sla.contacted_at - contact.sla.owned_at).total_seconds() == 7 * 60 + 10
    assert (contact.sla.breach, contact.sla.breach_charged_to) == ("not_contacted", "M1")
    assert world.fire(f"lead/{lead.lead_id}", at("14:32"), {"epoch": 1}) == []


@pytest.mark.parametrize(
    "day",
    [datetime(2026, 1, 20, 18, tzinfo=UTC), datetime(2025, 12, 11, 18, tzinfo=UTC)],
    ids=["49 days", "89 days"],
)
def test_ex12_a_recycled_lead_goes_to_the_rep_who_knew_it(day: datetime) -> None:
    world = disqualified_before(day)
    lead = world.arrives(AGAIN)
    assert (lead.tier, lead.owner.id, lead.rule, lead.uses_turn) == ("T2", "M2", "recycled", False)
    assert world.turns("mm-southwest") == {}
    assert day.date().isoformat() in lead.reason and "no budget" in lead.reason
    rows = [row for row in world.until(at("17:14")) if row.trace.get("step") != "0.5x:remind_owner"]
    assert [row.at for row in rows] == [at("15:14"), at("16:14"), at("17:14")]
    assert told(rows[0], "manager") == {"MM"}
    assert (rows[1].owner.id, rows[1].owner.kind) == ("MM", OwnerKind.TEAM_LEAD)
    assert told(rows[2], "leadership") == {"SL"}


def test_ex12_the_team_lead_gets_a_recycled_lead_whose_rep_is_absent() -> None:
    world = disqualified_before(datetime(2026, 1, 20, 18, tzinfo=UTC), changed={"M2": on_leave("M2", 9, 14)})
    lead = world.arrives(AGAIN)
    assert (lead.owner.id, lead.owner.kind, lead.at) == ("MM", OwnerKind.TEAM_LEAD, at("14:14"))
    assert "2026-01-20" in lead.reason
    rows = [row for row in world.until(at("17:14")) if row.trace.get("step") != "0.5x:remind_owner"]
    assert told(rows[0], "manager") == {"SL"}  # meant for the owner, it goes one level up
    assert (rows[-1].at, told(rows[-1], "leadership")) == (at("17:14"), {"SL"})


def test_ex13_after_90_days_it_is_a_new_lead() -> None:
    world = disqualified_before(datetime(2025, 12, 10, 18, tzinfo=UTC))
    earlier = world.decisions[0].lead_id
    lead = world.arrives(AGAIN)
    assert lead.lead_id != earlier
    assert (lead.owner.id, lead.rule, lead.uses_turn) == ("M1", "mid-market Southwest", True)
    assert world.turns("mm-southwest") == {"M1": 1}
    assert "Disqualified on 2025-12-10 while with M2: no budget." in lead.reason


def spread(world: Pipeline, leads: int, when: datetime = SUBMITTED) -> list[str]:
    """Let so many warm leads come, each of another person; return who got them."""
    given = []
    for _ in range(leads):
        came = form(f"w{world.records}@warm.example", 450, "saas", "TX", "webinar", at=when)
        owner = world.arrives(came).owner.id
        assert owner is not None
        given.append(owner)
    return given


def test_ex14_thirty_leads_are_shared_by_weight_and_nobody_is_ever_a_lead_away() -> None:
    world = Pipeline(changed=UNLIMITED)
    shares = {"M1": Fraction(3, 6), "M2": Fraction(2, 6), "M3": Fraction(1, 6)}
    given: list[str] = []
    for n in range(1, 31):
        given += spread(world, 1)
        if n % 5 == 0:  # account and manual assignments in between change nothing
            world.arrives(form("cfo@acme.example", 5000, "saas", "TX", "demo"))
            other = world.arrives(form(f"small{n}@small.example", 120, "saas", "TX", "webinar"))
            world.does(ActivityKind.REASSIGNED, other.lead_id, None, world.now, to="M3", by="MM", reason="language")
        for rep, share in shares.items():
            assert abs(given.count(rep) - share * n) < 1
        if n % 6 == 0:
            assert [given[-6:].count(rep) for rep in shares] == [3, 2, 1]
    assert [given.count(rep) for rep in shares] == [15, 10, 5]
    assert given[:2] == ["M1", "M2"]


def test_ex14_when_one_leaves_the_others_share_by_their_weights() -> None:
    world = Pipeline(changed=UNLIMITED)
    first = spread(world, 12)
    assert [first.count(rep) for rep in ("M1", "M2", "M3")] == [6, 4, 2]
    world.roster(ROSTER["M3"][0].model_copy(update={"active": False}))
    rest = spread(world, 18)
    assert abs(rest.count("M1") - Fraction(54, 5)) < 1
    assert abs(rest.count("M2") - Fraction(36, 5)) < 1
    assert "M3" not in rest


@pytest.mark.parametrize("every", [144, 72], ids=["in two hours", "in one clock hour"])
def test_ex15_five_hundred_leads_fill_ten_reps_evenly(every: int) -> None:
    ten = {f"S{n}": ROSTER["S1"][0].model_copy(update={"id": f"S{n}"}) for n in range(1, 11)}
    world = Pipeline(loads={"S1": 15, "S2": 15, "S3": 15})
    for name, rep in ten.items():
        if name not in ROSTER:
            world.roster(rep)
            world._loaded(name, 15)
    actions = ("demo", "demo", *("webinar",) * 4, *("newsletter",) * 4)
    owners, ids, waits = [], set(), []
    for group in range(50):
        when = at("13:00") + group * timedelta(seconds=every)
        for number, action in enumerate(actions):
            lead = world.arrives(small(f"l{group}-{number}", action, when))
            world.does(ActivityKind.CALLED, lead.lead_id, lead.owner.id, when)
            owners.append(lead.owner.id)
            ids.add(lead.lead_id)
            waits.append(lead.at - lead.lead.submitted_at)
    assert {owner: owners.count(owner) for owner in ten} == dict.fromkeys(ten, 50)
    assert (len(ids), max(waits) < timedelta(seconds=60)) == (500, True)
    assert {world.load(rep) for rep in ten} == {40.0}
    held = world.arrives(small("next", "webinar", at("15:00")))
    hot = world.arrives(small("hot", "demo", at("15:00")))
    assert (held.tier, held.kind) == ("T2", DecisionKind.HELD)
    assert (hot.tier, hot.owner.id, hot.owner.kind) == ("T1", "SM", OwnerKind.TEAM_LEAD)


def small(name: str, action: str, when: datetime) -> Submission:
    """Return a lead whose form carries size, industry and country, as over quota they must do."""
    said = {"employees": "120", "industry": "SaaS", "country": "United States"}
    return bare_form(f"{name}@small.example", action, said=said, at=when)


TWICE = form("one@twice.example", 450, "saas", "TX", "demo")


def test_ex16_one_address_twice_is_one_lead_with_one_turn_and_one_reply() -> None:
    world = Pipeline()
    first = world.arrives(TWICE)
    second = world.arrives(TWICE.but(at=at("14:14") + timedelta(milliseconds=40)))
    assert (first.lead_id, first.owner.id) == (second.lead_id, "M1")
    assert (second.owner.id, second.touch, second.kind) == ("M1", 2, DecisionKind.TOUCHED)
    assert sum(world.turns("mm-southwest").values()) == 1
    replies = [notice for row in (first, second) for notice in row.notices if notice.audience == "lead"]
    assert len(replies) == 1


def test_ex17_a_country_nobody_covers_goes_to_the_catch_all() -> None:
    world = Pipeline()
    lead = world.arrives(form("sales@rio.example", 300, "saas", "BR", "demo"))
    assert (lead.tier, lead.owner.queue, lead.owner.id) == ("T2", "catch-all", "CA")
    assert (lead.rule, lead.uses_turn) == ("everything else", False)  # what the fallback rate counts
    (alert,) = world.until(at("14:29"))
    assert (alert.at, told(alert, "manager")) == (at("14:29"), {"CM"})
    (moved,) = world.until(at("14:44"))
    assert (moved.at, moved.owner.id) == (at("14:44"), "CM")


def test_ex18_a_nurtured_lead_that_engages_three_times_goes_to_review() -> None:
    world = Pipeline()
    lead = world.arrives(form("me@tiny.example", 20, "retail", "US", "whitepaper"))
    assert (lead.tier, lead.segment, lead.kind, lead.owner.id) == ("T3", "self_serve", DecisionKind.NURTURED, None)
    assert [(one.template, one.channels) for one in lead.notices] == [("auto_reply.content", ("email",))]
    assert world.wakes == {}
    for day in (11, 12):
        assert world.does(ActivityKind.ENGAGED, lead.lead_id, None, at("10:00", day)) == []
    (queued,) = world.does(ActivityKind.ENGAGED, lead.lead_id, None, at("10:00", 13))
    assert (queued.owner.queue, queued.owner.id) == ("manual-review", "RV")
    assert queued.sla is not None and queued.sla.clock_at == at("10:00", 13)
    (alert,) = world.until(at("10:15", 13))
    assert told(alert, "manager") == {"RM"}
    (moved,) = world.until(at("10:30", 13))
    assert moved.owner.id == "RM"


def test_ex18_engagements_more_than_seven_days_apart_do_not_add_up() -> None:
    world = Pipeline()
    lead = world.arrives(form("me@tiny.example", 20, "retail", "US", "whitepaper"))
    for day in (11, 19, 20):
        assert world.does(ActivityKind.ENGAGED, lead.lead_id, None, at("10:00", day)) == []


def test_ex19_who_returns_from_leave_catches_nothing_up() -> None:
    away = on_leave("M2", 5, 10).model_copy(update={"limit": 1000.0})
    world = Pipeline(changed=UNLIMITED | {"M2": away}, begins=at("10:00", 5))
    before = spread(world, 40, at("10:00", 5))
    assert [before.count(rep) for rep in ("M1", "M2", "M3")] == [30, 0, 10]
    for lead in list(world.decisions):
        if lead.kind is DecisionKind.ASSIGNED:  # so that no step moves one, which would use a turn
            world.does(ActivityKind.CALLED, lead.lead_id, lead.owner.id, at("10:01", 5))
    after = spread(world, 30)
    assert [after.count(rep) for rep in ("M1", "M2", "M3")] == [15, 10, 5]


def test_ex20_a_notice_that_one_channel_took_counts_as_told() -> None:
    world = Pipeline()
    lead = world.arrives(HOT)
    assert (lead.tier, lead.owner.id) == ("T1", "M1")
    outcomes = {"slack": FAILED, "email": FAILED, "push": FAILED, "sms": DELIVERED}
    assert set(outcomes) == channels(lead, "owner")
    assert world.delivered(lead, outcomes, at("14:14:06")) == []
    assert world.lead(lead.lead_id).notified_at == at("14:14:06")
    alert = of_kind(world.until(at("14:19")), DecisionKind.ESCALATED)[-1]
    assert alert.sla is not None
    assert (alert.sla.breach, alert.sla.breach_charged_to) == ("not_contacted", "M1")


def test_ex20_a_breach_after_failed_notices_is_put_down_to_the_notification() -> None:
    world = Pipeline()
    lead = world.arrives(HOT)
    (notice,) = [row for row in lead.notices if row.audience == "owner"]
    assert notice.acknowledge_within_seconds == 30
    (alarm,) = world.delivered(lead, dict.fromkeys(notice.channels, FAILED), at("14:14:30"))
    assert told(alarm, "manager") == {"MM"}
    alert = of_kind(world.until(at("14:19")), DecisionKind.ESCALATED)[-1]
    assert alert.sla is not None
    assert (alert.sla.breach, alert.sla.breach_charged_to) == ("notification_failed", None)


def test_ex21_the_same_log_gives_the_same_bytes() -> None:
    world = Pipeline()
    lead = world.arrives(HOT)
    world.seal()
    world.until(at("14:25"))
    world.does(ActivityKind.CALLED, lead.lead_id, "M2", at("14:26"))
    assert world.replays()


def test_ex21_a_replay_a_month_later_gives_the_same_record() -> None:
    world = Pipeline()
    lead = world.arrives(HOT)
    world.does(ActivityKind.CALLED, lead.lead_id, lead.owner.id, at("14:16"))
    world.seal()
    kept = [row.model_dump_json() for record in world.journal for row in record.entries]
    with time_machine.travel(at("14:14") + timedelta(days=31), tick=False):
        read = [JournalEntry.model_validate_json(row) for row in kept]
        assert replay(read, {world.policy.hash: compile_policy(DEFAULT)}.get) == []


def test_ex22_a_slow_crm_changes_neither_owner_nor_ladder() -> None:
    world = Pipeline()
    lead = world.arrives(HOT)
    world.until(at("14:16:30"))
    assert world.in_crm(lead, at("14:18")) == []
    (alert,) = world.until(at("14:19"))
    assert (alert.at, alert.owner.id) == (at("14:19"), "M1")


def test_ex22_the_ladder_runs_from_the_submission_while_the_crm_rejects_writes() -> None:
    world = Pipeline()
    lead = world.arrives(HOT)
    rows = [row for row in world.until(at("14:29")) if row.trace.get("step") != "0.5x:remind_owner"]
    assert [row.at for row in rows] == [at("14:19"), at("14:24"), at("14:29")]
    writes = [notice.audience for row in (lead, *rows) for notice in row.notices if notice.audience == "crm"]
    assert len(writes) == 2  # the first owner and the second: one record, written under one id
    (noted,) = world.in_crm(lead, at("14:34"))
    assert noted.sla is not None and noted.sla.breach == "crm_late"


def test_ex24_a_call_known_before_2x_cancels_it() -> None:
    world = Pipeline()
    lead = world.arrives(SILENT)
    called = at("14:23:58")
    rows = world.does(ActivityKind.CALLED, lead.lead_id, "M1", called, learned=at("14:23:59"))
    assert [row.at for row in world.decisions if told(row, "manager")] == [at("14:19")]  # 1x has fired
    assert rows[-1].kind is DecisionKind.CONTACTED
    assert rows[-1].sla is not None and rows[-1].sla.contacted_at is not None
    assert (rows[-1].sla.contacted_at - rows[-1].sla.clock_at).total_seconds() == 9 * 60 + 58
    assert world.until(at("15:00")) == []


def test_ex24_a_call_before_2x_that_is_learned_after_it_gives_the_lead_back() -> None:
    world = Pipeline()
    lead = world.arrives(SILENT)
    rows = world.does(ActivityKind.CALLED, lead.lead_id, "M1", at("14:23:58"), learned=at("14:24:05"))
    assert [row.owner.id for row in world.decisions if row.kind is DecisionKind.REASSIGNED] == ["M2", "M1"]
    back = rows[-1]
    assert (back.owner.id, back.epoch) == ("M1", 3)
    assert (back.trace["move"], "override" in back.trace) == ("returned", False)  # no manual reassignment
    assert told(back, "owner") | told(back, "previous_owner") == {"M1", "M2"}
    assert back.sla is not None and back.sla.contacted_at is not None
    assert (back.sla.contacted_at - back.sla.clock_at).total_seconds() == 9 * 60 + 58
    assert world.until(at("15:00")) == []


def test_ex24_the_new_owner_keeps_the_lead_when_they_have_acted_too() -> None:
    world = Pipeline()
    lead = world.arrives(SILENT)
    world.does(ActivityKind.CALLED, lead.lead_id, "M2", at("14:24:03"))
    world.does(ActivityKind.CALLED, lead.lead_id, "M1", at("14:23:58"), learned=at("14:24:05"))
    assert world.lead(lead.lead_id).owner.id == "M2"
    assert world.lead(lead.lead_id).contacted_at == at("14:23:58")


@pytest.mark.parametrize(
    ("count", "rep"), [("weighted", "E1"), ("plain", "E2")], ids=["weighted by stage", "plain count"]
)
def test_ex25_the_load_is_weighted_by_stage(count: str, rep: str) -> None:
    world = Pipeline(DEFAULT + f"\ncapacity: {{count: {count}}}\n", loads={"E1": 0, "E2": 0})
    for n in range(45):
        world.opportunity("E1", f"early-{n}", "early")
    for n in range(22):
        world.opportunity("E2", f"late-{n}", "late")
    if count == "weighted":
        assert (world.load("E1"), world.load("E2")) == (22.5, 33.0)
    lead = world.arrives(form("it@big.example", 1200, "saas", "US", "webinar"))
    assert (lead.tier, lead.owner.id) == ("T2", rep)


def test_the_setup_is_a_tuesday_afternoon() -> None:
    assert at("14:14").astimezone(CHICAGO).strftime("%A %H:%M") == "Tuesday 14:14"
