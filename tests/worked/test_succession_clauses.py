"""AVL, CAPA and RUL-4, clause by clause: who has a lead that nobody of its pool, or not its owner, can have."""

from datetime import UTC, datetime
from typing import Any

import pytest
import yaml

from schemas.decision import Decision, DecisionKind, OwnerKind
from schemas.lead import MailKind
from schemas.rep import Absence, Hours, Rep
from tests.worked.world import (
    ACME,
    ALWAYS,
    BETA,
    CHICAGO,
    DEFAULT,
    NIGHTS,
    ROSTER,
    WEEK,
    Arrival,
    World,
    at,
    on_leave,
    person,
    told,
)

HOT = Arrival("lone.example", 450, action="demo")
WARM = HOT.but(action="webinar")
PERSONAL = Arrival("gmail.com", None, None, mail=MailKind.PERSONAL)
FULL = {"M1": 40.0, "M2": 40.0, "M3": 20.0}
NIGHT = at("02:00", 11)


def but(rep: str, **changes: Any) -> dict[str, Rep]:
    return {rep: ROSTER[rep][0].model_copy(update=changes)}


def away(*reps: str) -> dict[str, Rep]:
    return {rep: on_leave(rep, 9, 14).model_copy(update={"backups": ()}) for rep in reps}


def pools(**changes: dict[str, Any]) -> str:
    """The default policy with these pools changed; underscores stand for hyphens."""
    file = yaml.safe_load(DEFAULT)
    for name, change in changes.items():
        file["pools"][name.replace("_", "-")] |= change
    return yaml.safe_dump(file, sort_keys=False)


# AVL-3: after hours, T1 to the after-hours team


@pytest.mark.parametrize(
    ("policy", "loads"),
    [
        pytest.param(DEFAULT, {"M1": 40.0}, id="one is full"),
        pytest.param(DEFAULT, FULL, id="all are full"),
        pytest.param(pools(mm_southwest={"caps": {"day": 0}}), {}, id="the pool's cap is used up"),
    ],
)
def test_a_hot_lead_at_night_is_for_the_after_hours_team_whatever_room_the_pool_has(
    policy: str, loads: dict[str, float]
) -> None:
    lead = World(policy, loads=loads).arrives(HOT.but(when=NIGHT))
    assert (lead.owner.id, lead.owner.pool, lead.owner.kind) == ("H1", "after-hours", OwnerKind.REP)
    assert lead.reason.endswith("Nobody in the pool is on shift; it went to the after-hours team.")


def test_where_the_after_hours_team_is_full_its_team_lead_has_the_hot_lead() -> None:
    full = {"H1": 40.0, "H2": 40.0}
    lead = World(loads=full).arrives(HOT.but(when=NIGHT))
    assert (lead.owner.kind, lead.owner.id) == (OwnerKind.TEAM_LEAD, "HM")
    warm = World(loads=full).arrives(WARM.but(when=NIGHT))
    assert warm.owner.id == "M1"


@pytest.mark.parametrize(
    ("account", "changes"),
    [
        pytest.param(ACME.model_copy(update={"backup": None}), away("E1"), id="on leave"),
        pytest.param(BETA, {}, id="deactivated"),
    ],
)
@pytest.mark.parametrize("employees", [5000, 300], ids=["the rules know a pool", "the rules know the catch-all only"])
def test_at_night_the_after_hours_team_covers_an_absent_owner_ahead_of_the_team_lead(
    account: Any, changes: dict[str, Rep], employees: int
) -> None:
    arrival = Arrival(account.domain, employees, state="NY", account=account, when=NIGHT)
    lead = World(changed=changes | but("EM", hours=ALWAYS)).arrives(arrival)
    assert (lead.tier, lead.owner.id, lead.owner.pool) == ("T1", "H1", "after-hours")


def test_a_rep_without_hours_of_their_own_keeps_those_of_their_pool_as_an_owner_too() -> None:
    """17:30 in Chicago is 18:30 at the office in New York: the pool of the Southwest is open, the office is not."""
    lead = HOT.but(account=ACME.model_copy(update={"owner": "M2", "backup": None}), when=at("17:30"))
    decision = World(changed=but("M2", hours=None)).arrives(lead)
    assert decision.owner.id == "M2"


# AVL-3: on-shift members come first, among those who answer for a pool or a queue too

CITY_NIGHTS = Hours(timezone="America/Chicago", week=dict.fromkeys(WEEK, (("18:00", "24:00"),)))


@pytest.mark.parametrize(
    "second",
    [
        pytest.param({"hours": NIGHTS}, id="off shift"),
        pytest.param({"absences": (Absence(start=at("14:16"), until=at("18:00")),)}, id="on leave in two minutes"),
        pytest.param({"active": False}, id="deactivated"),
        pytest.param({"vacant": True}, id="vacant"),
    ],
)
def test_of_two_team_leads_the_one_who_is_there_gets_the_lead_of_a_full_pool(second: dict[str, Any]) -> None:
    world = World(loads=FULL)
    world.roster(person("MB", "mm-southwest", "manager", **second))
    for number in range(6):  # a tie of two would be drawn anew for each
        lead = world.arrives(HOT.but(who=f"{number:032x}"))
        assert (lead.owner.kind, lead.owner.id) == (OwnerKind.TEAM_LEAD, "MM")


def test_of_two_owners_of_a_queue_the_one_on_shift_gets_the_lead() -> None:
    world = World()
    world.roster(person("RB", "manual-review", "reviewer", hours=CITY_NIGHTS))
    assert {world.arrives(PERSONAL.but(who=f"{number:032x}")).owner.id for number in range(6)} == {"RV"}


# AVL-4, RUL-4: who is deactivated gets nothing more and keeps nothing

GONE = {"active": False}


@pytest.mark.parametrize(
    ("lost", "owner"),
    [(["RV"], "RM"), (["RV", "RM"], "SL")],
    ids=["its manager has it", "leadership has it"],
)
def test_a_queue_whose_owner_has_left_gives_them_no_lead(lost: list[str], owner: str | None) -> None:
    gone: dict[str, Rep] = {}
    for rep in lost:
        gone |= but(rep, **GONE)
    lead = World(changed=gone).arrives(PERSONAL)
    assert (lead.owner.queue, lead.owner.id) == ("manual-review", owner)


def test_a_queued_lead_of_who_is_deactivated_moves_at_once_and_both_are_told() -> None:
    world = World()
    lead = world.arrives(PERSONAL)
    (moved,) = world.roster(but("RV", **GONE)["RV"], at("14:15"))
    assert (moved.lead_id, moved.kind, moved.owner.queue, moved.owner.id, moved.at) == (
        lead.lead_id,
        DecisionKind.QUEUED,
        "manual-review",
        "RM",
        at("14:15"),
    )
    assert (told(moved, "queue"), told(moved, "previous_owner")) == ({"RM"}, {"RV"})
    assert (moved.epoch, moved.reason) == (2, "RV has left. RM takes it over (queue).")
    (alert,) = world.until(at("14:29"))
    assert told(alert, "manager") == {"SL"}  # meant for the present owner, it goes one level up
    assert world.roster(but("RV", **GONE)["RV"], at("14:30")) == []


def test_a_lead_that_a_step_gave_to_a_queues_manager_moves_on_when_they_leave() -> None:
    world = World()
    world.arrives(PERSONAL)
    world.until(at("14:44"))
    assert world.decisions[-1].owner.id == "RM"
    (moved,) = world.roster(but("RM", **GONE)["RM"], at("14:50"))
    assert (moved.owner.queue, moved.owner.id) == ("manual-review", "RV")


def test_for_a_held_lead_whose_team_lead_has_left_leadership_is_accountable_and_told() -> None:
    lead = World(changed=but("MM", **GONE), loads=FULL).arrives(WARM)
    assert (lead.kind, lead.owner.id, told(lead, "manager")) == (DecisionKind.HELD, "SL", {"SL"})


def test_a_manager_named_in_the_roster_who_has_left_leaves_their_reps_to_the_pools_team_lead() -> None:
    changes = away("E1") | but("E2", **GONE)
    changes["E1"] = changes["E1"].model_copy(update={"manager": "E2"})
    account = ACME.model_copy(update={"backup": None})
    lead = World(changed=changes).arrives(Arrival("acme.example", 5000, account=account))
    assert (lead.owner.kind, lead.owner.id) == (OwnerKind.TEAM_LEAD, "EM")


# CAPA-5: what the sentence says is why


def sentence(lead: Decision) -> str:
    return lead.reason.split(". ", 1)[1]


@pytest.mark.parametrize(
    ("world", "says"),
    [
        pytest.param({"loads": FULL}, "Nobody in the pool has room, so the team lead has it.", id="all full"),
        pytest.param(
            {"changed": away("M1", "M2", "M3")},
            "Nobody in the pool can take it now, so the team lead has it.",
            id="all on leave",
        ),
        pytest.param(
            {"changed": but("M1", weight=0.0) | but("M2", weight=0.0) | but("M3", weight=0.0)},
            "Nobody in the pool can take it now, so the team lead has it.",
            id="all with a weight of 0",
        ),
    ],
)
def test_why_the_team_lead_has_a_lead_is_said_as_it_is(world: dict[str, Any], says: str) -> None:
    lead = World(**world).arrives(HOT)
    assert (lead.owner.id, sentence(lead)) == ("MM", says)


def test_a_pool_that_goes_over_limits_goes_last_to_who_may_have_none() -> None:
    policy = pools(ent_amer={"when_full": {"else": ["over_limit"]}})
    lead = World(policy, changed=but("E1", limit=0.0), loads={"E1": 0, "E2": 40}).arrives(
        Arrival("bigco.example", 5000)
    )
    assert (lead.owner.id, sentence(lead)) == (
        "E2",
        "Nobody in the pool has room, so one of them takes it over the limit.",
    )


# AVL-2: the pool chain of a step, link by link; AVL-3: a holiday closes the pool and its nights alike

SECOND = {"M2": 40.0, "M3": 20.0}
OVERFLOW_FULL = SECOND | {"S1": 40.0, "S2": 40.0, "S3": 40.0}


@pytest.mark.parametrize(
    ("loads", "owner", "uses_turn"),
    [
        pytest.param({}, (OwnerKind.REP, "M2", "mm-southwest"), True, id="another member"),
        pytest.param(SECOND, (OwnerKind.REP, "S1", "smb-sdr"), True, id="the overflow pool"),
        pytest.param(OVERFLOW_FULL, (OwnerKind.TEAM_LEAD, "MM", "mm-southwest"), False, id="the team lead"),
    ],
)
def test_a_step_moves_a_lead_along_the_chain_of_its_pool(
    loads: dict[str, float], owner: tuple[OwnerKind, str, str], uses_turn: bool
) -> None:
    world = World(pools(mm_southwest={"overflow": "smb-sdr"}), loads=loads)
    assert world.arrives(HOT).owner.id == "M1"
    moved = world.until(at("14:24"))[-1]
    assert (moved.at, moved.owner.kind, moved.owner.id, moved.owner.pool) == (at("14:24"), *owner)
    assert (moved.uses_turn, world.load("M1"), world.load(owner[1])) == (uses_turn, 20, moved_load(loads, owner[1]))


def moved_load(loads: dict[str, float], rep: str) -> float:
    return loads.get(rep, ROSTER[rep][1]) + 0.5


HOLIDAYS = Hours(timezone="America/Chicago", week=WEEK, holidays=("US",))


def independence_day(day: int, hour: int, minute: int = 0) -> datetime:
    """3 July 2026 is the Friday on which it is observed."""
    return datetime(2026, 7, day, hour, minute, tzinfo=CHICAGO)


def test_on_a_holiday_a_hot_lead_is_for_whoever_is_there_and_a_warm_one_waits_for_the_next_working_day() -> None:
    changed: dict[str, Rep] = {}
    for rep in ("M1", "M2", "M3", "MM"):
        changed |= but(rep, hours=HOLIDAYS)
    world = World(changed=changed, begins=datetime(2026, 7, 1, 12, tzinfo=UTC))
    last_hour = world.arrives(WARM.but(when=independence_day(2, 17, 30)))
    assert last_hour.sla is not None and last_hour.sla.contact_due_at == independence_day(6, 9, 30)
    noon = world.arrives(HOT.but(when=independence_day(3, 12)))  # the nights' team works nights, its lead always
    assert (noon.owner.kind, noon.owner.id) == (OwnerKind.TEAM_LEAD, "HM")
    warm = world.arrives(WARM.but(when=independence_day(3, 12)))
    (notice,) = [row for row in warm.notices if row.audience == "owner"]
    assert notice.release_at == {"slack": independence_day(6, 9)}
