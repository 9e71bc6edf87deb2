"""A lead reaches its division: whom it is bound to, until when they must be there, and the sentence that says why."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from routing.arriving import Routing, bind, opened, restarted
from routing.facts import LeadFacts
from routing.lead_state import Chain, OwnerRef, Phase, StepDone, changed
from routing.placement import Passed, Placement, Via
from routing.reason import said
from routing.rules import first_match
from schemas.activity import ActivityKind
from schemas.decision import DecisionKind, OwnerKind
from schemas.lead import Disqualified, MailKind, OpenDuplicate
from schemas.rep import Absence, Rep
from tests.unit.routing.policies import NOW, lead, scored, shipped
from tests.worked.world import ACME, ALWAYS, BETA, DEFAULT, ROSTER, Arrival, World, at, on_leave

WARM = Arrival("lone.example", 450, action="webinar")
HOT = Arrival("lone.example", 450)
OURS = Arrival("acme.example", 5000, account=ACME)
FULL: dict[str, float] = {"M1": 40, "M2": 40, "M3": 20}
OWNER_AWAY = Passed("owner", "E1", "on leave")
ENDED = {"lead_id": "main.p1.0", "at": datetime(2026, 2, 20, tzinfo=UTC)}


def away(rep: str, start: datetime) -> dict[str, Rep]:
    """The rep on leave from `start` on."""
    return {rep: ROSTER[rep][0].model_copy(update={"absences": (Absence(start=start, until=at("00:00", 20)),)})}


@pytest.mark.parametrize(
    ("via", "passed", "more", "says"),
    [
        pytest.param(Via.POOL, [], {}, "", id="a member"),
        pytest.param(Via.OWNER, [], {}, "", id="the owner"),
        pytest.param(Via.BACKUP, [OWNER_AWAY], {}, " E1 is on leave; the backup covers.", id="a backup"),
        pytest.param(Via.TEAM_LEAD, [OWNER_AWAY], {}, " E1 is on leave; the team lead covers.", id="the owner's lead"),
        pytest.param(
            Via.AFTER_HOURS, [OWNER_AWAY], {}, " E1 is on leave; the after-hours team covers.", id="the owner's night"
        ),
        pytest.param(
            Via.TEAM_LEAD,
            [Passed("pool", "p", "3 at the limit")],
            {},
            " Nobody in the pool can take it now, so the team lead has it.",
            id="a pool's lead",
        ),
        pytest.param(
            Via.PREFERENCE, [], {}, " It waits a moment for a rep whom the pool prefers for it.", id="a preferred rep"
        ),
        pytest.param(
            Via.HOLD,
            [],
            {},
            " Nobody in the pool has room yet; it is held, nobody is accountable.",
            id="held",
        ),
        pytest.param(
            Via.AFTER_HOURS,
            [Passed("pool", "p", "x")],
            {},
            " Nobody in the pool is on shift; it went to the after-hours team.",
            id="a pool's night",
        ),
        pytest.param(
            Via.OVERFLOW,
            [],
            {},
            " Nobody in the pool can take it now; it went to the overflow pool.",
            id="the overflow",
        ),
        pytest.param(
            Via.CATCH_ALL,
            [OWNER_AWAY],
            {},
            " E1 is on leave. Nobody who should have it can take it now; it went to the catch-all.",
            id="the catch-all",
        ),
        pytest.param(
            Via.OVER_LIMIT,
            [],
            {},
            " Nobody in the pool has room, so one of them takes it over the limit.",
            id="over the limit",
        ),
        pytest.param(
            Via.BACKUP,
            [Passed("owner", "E1", "leave before the contact deadline")],
            {},
            " E1 goes on leave before the contact deadline; the backup covers.",
            id="leave ahead",
        ),
        pytest.param(
            Via.BACKUP,
            [Passed("owner", "E1", "cap reached: 5 a day")],
            {},
            " E1 has reached the cap: 5 a day; the backup covers.",
            id="a cap",
        ),
        pytest.param(
            Via.POOL, [OWNER_AWAY], {}, " E1 is on leave. Pool ent-amer has it instead.", id="an owner's pool"
        ),
        pytest.param(
            Via.POOL,
            [],
            {"disqualified": Disqualified(rep="M1", reason="no budget", **ENDED)},
            " Disqualified on 2026-02-20 while with M1: no budget.",
            id="disqualified",
        ),
        pytest.param(
            Via.POOL,
            [],
            {"disqualified": Disqualified(**ENDED)},
            " Disqualified on 2026-02-20: no reason given.",
            id="disqualified by nobody known",
        ),
        pytest.param(
            Via.POOL,
            [],
            {"lead": lead().model_copy(update={"account_hint": "Acme"})},
            " It may belong to Acme: a person should look.",
            id="perhaps of an account",
        ),
        pytest.param(
            Via.OWNER,
            [],
            {"lead": lead().model_copy(update={"account_hint": "Acme", "account": ACME})},
            "",
            id="of an account for sure",
        ),
    ],
)
def test_a_sentence_says_why_this_owner(via: Via, passed: list[Passed], more: dict[str, Any], says: str) -> None:
    policy = shipped()
    of = scored(lead(), policy, **more)
    rule = policy.rules[-1].rule
    placed = Placement(OwnerRef(pool="ent-amer"), Phase.OWNED, via, passed=passed)
    assert said(rule, placed, of) == f"{rule.say}{says}"


def test_a_lead_of_an_account_is_bound_to_its_owner_takes_no_turn_and_is_answered_once() -> None:
    world = World()
    decision = world.arrives(OURS)
    state = world.lead(decision.lead_id)
    assert (state.chain, state.bound_to, state.pool) == (Chain.OWNER, "E1", "ent-amer")
    assert (decision.owner.id, decision.uses_turn, world.arrives(WARM).uses_turn) == ("E1", False, True)
    assert len([notice for notice in decision.notices if notice.audience == "lead"]) == 1


def test_a_held_lead_is_told_of_but_not_answered_yet() -> None:
    held = World(loads=FULL).arrives(WARM)
    assert held.kind is DecisionKind.HELD
    assert held.notices
    assert "lead" not in {notice.audience for notice in held.notices}


RECYCLED = Disqualified(rep="M1", reason="no budget", lead_id="main.p.0", at=at("09:00", 9))
FIRST_RULE = ("lead.open_duplicate\n    to: owner\n", "has(account.owner)\n    to: account_owner\n")


@pytest.mark.parametrize(
    ("text", "arrival", "pool"),
    [
        pytest.param(
            DEFAULT.replace("    to: recycled_rep", "    to: {pool: general-qual}"),
            OURS.but(disqualified=RECYCLED),
            "general-qual",
            id="the very next",
        ),
        pytest.param(DEFAULT, OURS.but(disqualified=RECYCLED), "ent-amer", id="not one to somebody else they know"),
        pytest.param(DEFAULT, OURS.but(employees=450), "mm-southwest", id="not one that does not hold"),
        pytest.param(DEFAULT, OURS.but(country="BR", state=None, employees=450), None, id="one to a queue"),
        pytest.param(DEFAULT.replace(*FIRST_RULE), OURS, "ent-amer", id="after the first of all"),
    ],
)
def test_the_pool_of_an_owners_lead_is_that_of_the_next_rule_that_holds_and_leads_to_people(
    text: str, arrival: Arrival, pool: str | None
) -> None:
    world = World(text)
    decision = world.arrives(arrival)
    assert (decision.owner.id, world.lead(decision.lead_id).pool) == ("E1", pool)


@pytest.mark.parametrize(("opportunity_owner", "owner"), [("M1", "M1"), (None, "E1")], ids=["has one", "has none"])
def test_a_lead_goes_to_the_owner_of_the_open_opportunity_else_of_the_account(
    opportunity_owner: str | None, owner: str
) -> None:
    world = World(DEFAULT.replace("to: account_owner", "to: opportunity_owner"))
    account = ACME.model_copy(update={"opportunity_owner": opportunity_owner})
    assert world.arrives(OURS.but(account=account)).owner.id == owner


@pytest.mark.parametrize(("backup", "owner"), [(None, "E1"), ("M2", "M2")], ids=["the owner", "a named backup first"])
def test_who_has_the_account_stands_in_for_who_has_its_opportunity(backup: str | None, owner: str) -> None:
    world = World(DEFAULT.replace("to: account_owner", "to: opportunity_owner"))
    deal = ACME.model_copy(update={"owner": "E1", "opportunity_owner": "X9", "backup": backup})
    lead = world.arrives(OURS.but(account=deal))
    assert (lead.owner.id, lead.trace["via"]) == (owner, "backup")
    assert "X9 is inactive; the backup covers." in lead.reason


def test_the_backup_of_an_account_does_not_stand_in_for_a_rep_who_knows_the_lead_otherwise() -> None:
    account = ACME.model_copy(update={"owner": None, "backup": "S1"})
    lead_again = WARM.but(account=account, disqualified=RECYCLED)
    assert World().arrives(lead_again).owner.id == "M1"
    assert World(changed={"M1": on_leave("M1", 9, 14)}).arrives(lead_again).owner.id == "MM"


@pytest.mark.parametrize(
    ("dates", "owner"),
    [({"backup_from": at("14:14")}, "M2"), ({"backup_until": at("14:14")}, "E2")],
    ids=["begins now", "ends now"],
)
def test_a_backup_stands_in_from_its_first_instant_and_no_more_at_its_end(
    dates: dict[str, datetime], owner: str
) -> None:
    world = World(changed={"E1": on_leave("E1", 9, 14)})
    assert world.arrives(OURS.but(account=ACME.model_copy(update={"backup": "M2", **dates}))).owner.id == owner


@pytest.mark.parametrize(
    ("arrival", "leaves", "owner"),
    [
        pytest.param(HOT, at("14:17"), "M2", id="hot: leaves within five minutes"),
        pytest.param(HOT.but(when=at("17:58")), at("08:00", 11), "M1", id="hot: plain time, not working hours"),
        pytest.param(WARM.but(when=at("17:30")), at("09:00", 11), "M2", id="warm: the hour goes on in the morning"),
        pytest.param(WARM.but(delay_seconds=1800), at("15:30"), "M2", id="warm: an hour from when it came here"),
        pytest.param(WARM.but(action="x"), at("09:00", 12), "M1", id="standard: a working day is a day"),
        pytest.param(WARM.but(action="x"), at("09:00", 11), "M2", id="standard: leaves within a working day"),
    ],
)
def test_who_leaves_before_the_contact_deadline_is_passed_over(arrival: Arrival, leaves: datetime, owner: str) -> None:
    assert World(changed=away("M1", leaves)).arrives(arrival).owner.id == owner


@pytest.mark.parametrize(("arrival", "owner"), [(HOT, "H1"), (WARM, "M1")], ids=["hot", "warm"])
def test_only_a_hot_lead_goes_to_the_after_hours_team(arrival: Arrival, owner: str) -> None:
    assert World().arrives(arrival.but(when=at("20:00"))).owner.id == owner


def test_a_test_lead_finds_room_in_a_full_pool_and_no_other_lead_does() -> None:
    world = World(loads=FULL)
    assert world.arrives(WARM.but(is_test=True)).owner.id == "M1"
    assert world.arrives(WARM).kind is DecisionKind.HELD


def test_a_lead_of_a_late_stage_asks_for_the_room_that_the_stage_takes() -> None:
    world = World(loads={"M2": 39})
    first = world.arrives(WARM)
    world.does(ActivityKind.STAGE_CHANGED, first.lead_id, "M1", at("14:15"), stage="late")
    (moved,) = world.does(ActivityKind.DECLINED, first.lead_id, "M1", at("14:16"))
    assert (first.owner.id, moved.owner.id) == ("M1", "M3")


def test_only_an_owner_who_has_left_is_flagged() -> None:
    gone = World().arrives(Arrival("beta.example", 5000, account=BETA))
    unknown = World().arrives(OURS.but(account=ACME.model_copy(update={"owner": "nobody"})))
    on_leave_too = World(changed={"E2": on_leave("E2", 9, 14)}).arrives(
        Arrival("beta.example", 5000, account=BETA.model_copy(update={"backup": "E2"}))
    )
    here = {"E1": on_leave("E1", 9, 14)}
    present = World(changed=here).arrives(OURS)
    gone_backup = World(changed=here).arrives(OURS.but(account=ACME.model_copy(update={"backup": "X9"})))
    flags = [
        [notice.note for notice in decision.notices if notice.template == "inactive_owner"]
        for decision in (gone, on_leave_too, unknown, present, gone_backup)
    ]
    gone_owner = {"X9 has left."}
    assert [set(notes) for notes in flags] == [gone_owner, gone_owner, {"nobody has left."}, set(), set()]


def test_a_lead_that_is_set_aside_begins_an_epoch_and_drops_the_wake_up_of_its_earlier_life() -> None:
    world = World()
    first = world.arrives(WARM.but(who="a" * 32))
    world.does(ActivityKind.LOST, first.lead_id, "M1", at("14:20"))
    epoch = world.lead(first.lead_id).epoch
    assert f"lead/{first.lead_id}" in world.wakes
    world.arrives(WARM.but(who="a" * 32, mail=MailKind.DISPOSABLE, when=at("14:30")))
    state = world.lead(first.lead_id)
    assert (state.phase, state.epoch) == (Phase.QUARANTINED, epoch + 1)
    assert f"lead/{first.lead_id}" not in world.wakes


def test_a_lead_of_a_tier_that_the_policy_no_longer_has_gets_the_last_tier() -> None:
    world = World()
    of = WARM.scored(world, world.policy).model_copy(update={"tier": "gone"})
    (decision,) = world.send("lead.scored", of, WARM.seen_at)
    assert world.lead(decision.lead_id).tier == "T3"


def test_where_a_policy_has_no_queue_a_lead_that_nobody_can_have_waits_in_its_own_pool() -> None:
    text = """
division: main
timezone: America/Chicago
tiers: {all: {route_within: 1h, contact_within: 1h}}
pools:
  first: {members: {team: smb-sdr}, lead: {role: manager, team: smb-sdr}}
  second: {members: {team: nobody}, lead: {role: manager, team: nobody}}
rules:
  - name: all
    to: {pool: second}
    because: it is the only rule
    say: Everything goes to the second pool.
    owner: ops
"""
    world = World(text)
    decision = world.arrives(WARM)
    assert (decision.kind, decision.owner.pool) == (DecisionKind.HELD, "second")


@pytest.mark.parametrize(
    ("kind", "chain", "bound_to"),
    [(OwnerKind.REP, Chain.OWNER, "M1"), (OwnerKind.TEAM_LEAD, Chain.POOL, None)],
    ids=["a rep", "a team lead"],
)
def test_an_open_duplicate_is_bound_to_an_owner_who_is_a_rep(
    kind: OwnerKind, chain: Chain, bound_to: str | None
) -> None:
    policy = shipped()
    of = scored(lead(), policy, touch=2, duplicate=OpenDuplicate(lead_id="main.p1.1", tier="T1", opened_at=NOW))
    facts = LeadFacts(of, NOW, policy)
    match = first_match(policy, facts)
    assert match.rule.name == "open duplicate"
    bound = bind(opened(of, owner=OwnerRef(kind, "M1")), of, Routing(match, facts, "smb-sdr"))
    assert (bound.chain, bound.bound_to, bound.pool) == (chain, bound_to, "smb-sdr")


def test_a_new_cycle_knows_nothing_of_the_one_before() -> None:
    fresh = opened(scored(lead(), shipped()))
    step = StepDone("1x:alert_manager", "alert_manager", NOW, NOW)
    spent = {"done": (step,), "excluded": ("M1",), "moves": 3, "breach": "not_contacted", "charged_to": "M1"}
    instants = dict.fromkeys(("told_at", "notified_at", "failed_at", "contacted_at", "booked_at"), NOW)
    before = replace(fresh, clock_at=at("09:00"), is_unverified=True, **spent, **instants)  # type: ignore[arg-type]
    assert restarted(before, NOW, at("09:30")) == replace(fresh, cycle=2, clock_at=NOW, renewed_at=at("09:30"))


def test_a_field_that_no_lead_has_cannot_be_set_on_one() -> None:
    with pytest.raises(TypeError, match="a lead has no onwer"):
        changed(opened(scored(lead(), shipped())), onwer=None)


@pytest.mark.parametrize(
    ("more", "load", "owner"),
    [
        ("options: {owner_at_limit: pass_on}", 39.5, "E1"),
        ("options: {owner_at_limit: pass_on}", 40, "E2"),
        ("capacity: {owner_bound_over_limit: false}", 40, "E2"),
        ("", 40, "E1"),
    ],
    ids=["room for one", "at the limit, passed on", "at the limit, never over it", "at the limit, as shipped"],
)
def test_the_policy_says_whether_an_owner_at_their_limit_keeps_their_leads(more: str, load: float, owner: str) -> None:
    assert World(f"{DEFAULT}\n{more}\n", loads={"E1": load}).arrives(OURS).owner.id == owner


def test_a_hot_lead_of_who_is_off_shift_goes_to_their_team_lead_where_no_pool_has_a_team_of_the_night() -> None:
    text = DEFAULT.replace("    after_hours: after-hours\n", "")
    world = World(text, changed={"EM": ROSTER["EM"][0].model_copy(update={"hours": ALWAYS})})
    night = world.arrives(OURS.but(when=at("20:00")))
    assert (night.owner.id, night.trace["via"]) == ("EM", "team lead")
