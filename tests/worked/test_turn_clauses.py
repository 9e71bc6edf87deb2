"""SEG-3, MOD and CAPA, clause by clause: who can take a lead, whose turn it is, and what it costs them."""

from datetime import date, datetime, timedelta
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml

from routing.explain import story
from routing.lint import lint_text
from schemas.activity import ActivityKind
from schemas.decision import Decision, DecisionKind, OwnerKind
from schemas.rep import Ramp, Rep
from tests.worked.world import DEFAULT, ROSTER, SUBMITTED, Arrival, World, at, person, told

HOT = Arrival("lone.example", 450, action="demo")
WARM = HOT.but(action="webinar")
FULL = {"M1": 40.0, "M2": 40.0, "M3": 20.0}


def but(rep: str, **changes: Any) -> dict[str, Rep]:
    return {rep: ROSTER[rep][0].model_copy(update=changes)}


def pools(**changes: dict[str, Any]) -> str:
    """The default policy with these pools changed; underscores stand for hyphens."""
    file = yaml.safe_load(DEFAULT)
    for name, change in changes.items():
        file["pools"][name.replace("_", "-")] |= change
    return yaml.safe_dump(file, sort_keys=False)


# MOD-4: required skills filter, preferred ones are dropped after a wait; a strong channel is a skill

CHATS = pools(mm_southwest={"prefer": [{"rep": "skills", "fact": "lead.channel"}]})


def by_chat(world: World) -> Decision:
    scored = WARM.scored(world, world.policy)
    lead = scored.lead.model_copy(update={"channel": "chat"})
    return world.send("lead.scored", scored.model_copy(update={"lead": lead}), SUBMITTED)[0]


def test_a_chat_goes_to_who_is_strong_in_chat_and_anything_else_by_turns() -> None:
    changed = but("M3", skills=("chat",))
    assert by_chat(World(CHATS, changed=changed)).owner.id == "M3"
    assert World(CHATS, changed=changed).arrives(WARM).owner.id == "M1"


@pytest.mark.parametrize(("after", "owner"), [(9, None), (10, "M1")], ids=["a second before", "after ten seconds"])
def test_a_preference_is_dropped_after_ten_seconds_to_the_second(after: int, owner: str | None) -> None:
    world = World(CHATS, changed=but("M3", skills=("chat",)), loads={"M3": 20})
    waits = by_chat(world)
    assert waits.kind is DecisionKind.HELD
    assert "It waits; team lead MM is accountable." in story([waits])  # not for room: M1 and M2 have some
    rows = world.until(SUBMITTED + timedelta(seconds=after))
    assert [row.owner.id for row in rows] == ([owner] if owner else [])


def test_who_lacks_a_required_skill_gets_nothing_though_nobody_else_is_there() -> None:
    world = World(pools(mm_southwest={"require": [{"rep": "skills", "any_of": ["gdpr"]}]}))
    lead = world.arrives(WARM)
    assert (lead.owner.kind, lead.owner.id) == (OwnerKind.TEAM_LEAD, "MM")
    assert {row["why"] for row in lead.trace["pools"][0]["candidates"]} == {"skill: skills gdpr"}


# MOD-6: the floor is said for what it is


def test_the_tenth_hot_lead_says_that_the_others_are_below_their_share() -> None:
    world = World()
    for _ in range(9):
        lead = world.arrives(HOT)
        assert lead.owner.id == "M1"
        world.does(ActivityKind.CALLED, lead.lead_id, "M1", at("14:14"))
    tenth = world.arrives(HOT)
    assert (tenth.owner.id, tenth.trace["pools"][0]["lane"]) == ("M2", "junior floor")
    assert "junior floor (the others are below their share of hot leads; turns by weight" in story([tenth])


# CAPA-1 and CAPA-5: to the unit, and to the minute of the route deadline


@pytest.mark.parametrize(("load", "kind"), [(39.5, DecisionKind.ASSIGNED), (40.0, DecisionKind.HELD)])
def test_a_rep_fits_when_load_and_half_a_point_reach_the_limit_and_no_further(load: float, kind: DecisionKind) -> None:
    assert World(loads=FULL | {"M1": load}).arrives(WARM).kind is kind


@pytest.mark.parametrize(("load", "kind"), [(19.5, DecisionKind.ASSIGNED), (20.0, DecisionKind.HELD)])
def test_a_ramping_rep_has_half_the_limit(load: float, kind: DecisionKind) -> None:
    world = World(changed=but("M3", limit=None), loads=FULL | {"M3": load})
    assert world.arrives(WARM).kind is kind


@pytest.mark.parametrize(("action", "last"), [("webinar", "14:28:59"), ("whitepaper", "15:13:59")], ids=["T2", "T3"])
def test_a_held_lead_goes_to_the_team_lead_at_its_route_deadline_not_before(action: str, last: str) -> None:
    world = World(loads=FULL)
    held = world.arrives(HOT.but(action=action))
    assert (held.kind, told(held, "manager")) == (DecisionKind.HELD, {"MM"})
    assert world.until(at(last)) == []
    (given,) = world.until(at(last) + timedelta(seconds=1))
    assert (given.owner.kind, given.owner.id) == (OwnerKind.TEAM_LEAD, "MM")


# CAPA-3: the load follows what becomes of the lead, at once


@pytest.mark.parametrize(
    "kind", [ActivityKind.WON, ActivityKind.LOST, ActivityKind.DELETED, ActivityKind.MERGED, ActivityKind.DISQUALIFIED]
)
def test_the_end_of_a_lead_frees_its_load(kind: ActivityKind) -> None:
    world = World()
    lead = world.arrives(WARM)
    assert world.load("M1") == 20.5
    world.does(kind, lead.lead_id, "M1", at("14:15"))
    assert world.load("M1") == 20


def test_a_closed_deal_adds_nothing_to_whom_it_is_moved() -> None:
    world = World()
    lead = world.arrives(WARM)
    for stage, load in (("early", 20.5), ("late", 21.5), ("closed", 20.0)):
        world.does(ActivityKind.STAGE_CHANGED, lead.lead_id, "M1", world.now, stage=stage)
        assert world.load("M1") == load
    world.does(ActivityKind.REASSIGNED, lead.lead_id, None, at("14:20"), to="S1", by="MM", reason="workload")
    assert (world.load("M1"), world.load("S1")) == (20, 10)


def test_a_late_deal_takes_its_load_along() -> None:
    world = World()
    lead = world.arrives(WARM)
    world.does(ActivityKind.STAGE_CHANGED, lead.lead_id, "M1", world.now, stage="late")
    world.does(ActivityKind.REASSIGNED, lead.lead_id, None, at("14:20"), to="S1", by="MM", reason="workload")
    assert (world.load("M1"), world.load("S1")) == (20, 11.5)


# CAPA-4: one load and one limit in several pools


def test_who_is_in_two_pools_has_one_load_and_one_limit() -> None:
    teams = {"role": ["rep", "ae", "sdr"], "team": ["smb-sdr", "mm-southwest"]}
    nobody_else = {rep: ROSTER[rep][0].model_copy(update={"limit": 0.0}) for rep in ("S1", "S2", "S3")}
    world = World(
        pools(smb_sdr={"members": teams}),
        changed=nobody_else,
        loads=FULL | {"M1": 39.5, "S1": 0, "S2": 0, "S3": 0},
    )
    first, second = world.arrives(WARM), world.arrives(WARM.but(employees=100))
    assert (first.owner.id, second.pool, second.kind) == ("M1", "smb-sdr", DecisionKind.HELD)
    assert world.load("M1") == 40


# SEG-3: the handoff from an SDR to an AE is a new decision


def test_a_qualified_lead_is_a_new_decision_both_are_told_and_the_history_stays() -> None:
    world = World(pools(smb_sdr={"hands_to": "ent-amer"}))
    lead = world.arrives(WARM.but(employees=100))
    contact, handed = world.does(ActivityKind.QUALIFIED, lead.lead_id, "S1", at("14:20"))
    assert (contact.kind, handed.kind, handed.owner.id) == (DecisionKind.CONTACTED, DecisionKind.REASSIGNED, "E2")
    assert (told(handed, "owner"), told(handed, "previous_owner")) == ({"E2"}, {"S1"})
    assert (handed.lead_id, handed.touch, handed.score, handed.uses_turn) == (lead.lead_id, 1, lead.score, True)
    assert handed.sla is not None and handed.sla.contact_due_at == at("15:20")
    assert (world.load("S1"), world.load("E2")) == (10, 12.5)


# MOD-8: the best fifth get a 30% larger share of the good leads, also in the policy that ships with it


def test_in_the_enterprise_policy_the_best_fifth_gets_a_larger_share_of_the_best_leads() -> None:
    """Five alike, all senior: 1.3 of 5.3 shares against 1 of 5.3, in 53 leads 13 and 10 each."""
    team = {
        f"A{n}": person(
            f"A{n}", "ae-amer", region="amer", seniority="senior", limit=1000, close_rate=n / 10, verticals=("saas",)
        )
        for n in range(1, 6)
    }
    world = World((files("routing.policies") / "enterprise.yaml").read_text())
    for rep in team.values():
        world.roster(rep)
    given = []
    for _ in range(53):
        lead = world.arrives(Arrival("bigco.example", 5000, action="demo", when=at("14:14")))
        assert (lead.tier, lead.score >= 80) == ("T1", True)
        given.append(lead.owner.id)
    assert {rep: given.count(rep) for rep in team} == {"A1": 10, "A2": 10, "A3": 10, "A4": 10, "A5": 13}


@pytest.mark.parametrize(
    ("pool", "is_warned"),
    [
        pytest.param({"strategy": "performance"}, True, id="the lane takes them all"),
        pytest.param({"strategy": "performance", "senior_lane": None}, False, id="without a lane"),
        pytest.param({"strategies": [{"when": 'tier == "T1"', "use": "performance"}]}, True, id="a hybrid"),
        pytest.param({"strategies": [{"when": 'tier == "T2"', "use": "performance"}]}, False, id="of other leads"),
    ],
)
def test_lint_warns_of_a_lane_that_leaves_the_best_no_larger_share(pool: dict[str, Any], is_warned: bool) -> None:
    findings = lint_text(pools(ent_amer=pool))
    assert [one.code for one in findings if one.code == "lane.first"] == ["lane.first"] * is_warned


# NEW-15, CAPA-1: a ramp steps up by the date where people are


@pytest.mark.parametrize(
    ("when", "kind"),
    [(datetime(2026, 3, 10, 23, 59), DecisionKind.ASSIGNED), (datetime(2026, 3, 11, 0, 0), DecisionKind.HELD)],
    ids=["the minute before midnight", "midnight"],
)
def test_a_ramp_begins_at_midnight_of_the_policys_zone(when: datetime, kind: DecisionKind) -> None:
    policy = yaml.safe_load(DEFAULT) | {"timezone": "Australia/Sydney"}
    ramping = but("M2", ramp=(Ramp(start=date(2026, 3, 11), share=0.5),))
    world = World(yaml.safe_dump(policy, sort_keys=False), changed=ramping, loads=FULL | {"M2": 20})
    lead = world.arrives(WARM.but(when=when.replace(tzinfo=ZoneInfo("Australia/Sydney"))))
    assert lead.kind is kind
