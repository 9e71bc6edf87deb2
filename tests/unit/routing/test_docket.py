"""What all steps of a decision look up: conditions, limits, weights, caps and hours, by roster and policy."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from routing.calendar.business_time import Calendar, calendar_of
from routing.capacity import Capping
from routing.docket import Docket, stage_points
from routing.draft import Draft
from routing.policy import Policy, compile_policy
from routing.rep_state import RampStep, RepState, RosterRow, rep_key, row_of
from routing.replay import Memory
from routing.seats import Seats
from schemas.rep import Rep
from tests.unit.routing.policies import edited
from tests.worked.world import DEFAULT, NIGHTS

NOW = datetime(2026, 3, 10, 18, 14, tzinfo=UTC)
ZONE = ("timezone: America/New_York\n\ncalendars:", "timezone: Europe/Paris\n\ncalendars:")
PLAIN = edited("default", ZONE)
HOURLESS = edited("default", ZONE, ("\nhours: office\n", "\n"))
CAPPED = compile_policy(
    DEFAULT.replace(*ZONE).replace("  mm-southwest:\n", "  mm-southwest:\n    caps: {day: 9}\n", 1)
    + "\nweights: {senior: 1.5}\ncapacity: {limit: 30.5, ramping_share: 0.6, caps: {day: 3, week: 9}}\n"
)
HALF = (RampStep(date(2026, 3, 1), 50),)


def docket(policy: Policy = CAPPED, *reps: RepState) -> Docket:
    memory = Memory()
    memory.values.update({rep_key("main", rep.id): rep for rep in reps})
    return Docket(Draft(memory, NOW), policy, "main", "e1", NOW, Seats())


def calendar(name: str) -> Calendar:
    return calendar_of(PLAIN.file.calendars[name])


def test_a_condition_is_asked_of_the_facts_it_is_given_not_of_those_before() -> None:
    asked = docket(PLAIN)
    fit: dict[str, Any] = {"company": {"employees": 600, "industry": "saas", "country": "US"}}
    small: dict[str, Any] = {"company": {"employees": 9, "industry": "saas", "country": "US"}}
    condition = str(PLAIN.file.icp)
    assert [asked.holds(condition, facts) for facts in (fit, small, fit)] == [True, False, True]
    assert not asked.holds("no condition of this policy", fit)


def test_tiers_are_urgent_in_the_order_of_the_policy_and_an_unknown_one_is_last() -> None:
    assert [docket().urgency(tier) for tier in ("T1", "T2", "T3", "gone")] == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("row", "limit"),
    [
        pytest.param(RosterRow(), 3050, id="the policy's"),
        pytest.param(RosterRow(seniority="new"), 1830, id="a newcomer's share of it"),
        pytest.param(RosterRow(seniority="new", limit=2000), 2000, id="the roster's"),
        pytest.param(RosterRow(limit=2000, ramp=HALF), 1000, id="the roster's on a ramp"),
        pytest.param(RosterRow(seniority="new", ramp=HALF), 1525, id="the policy's on a ramp"),
    ],
)
def test_a_limit_in_points_of_the_policy_is_counted_in_hundredths(row: RosterRow, limit: int) -> None:
    assert docket().limit(row) == limit


@pytest.mark.parametrize(
    ("row", "weight"),
    [
        pytest.param(RosterRow(seniority="senior"), 150, id="by seniority"),
        pytest.param(RosterRow(seniority="senior", weight=80), 80, id="the roster's"),
        pytest.param(RosterRow(weight=80, ramp=HALF), 40, id="the roster's on a ramp"),
        pytest.param(RosterRow(seniority="senior", ramp=HALF), 75, id="by seniority on a ramp"),
    ],
)
def test_a_weight_of_the_policy_is_counted_in_hundredths(row: RosterRow, weight: int) -> None:
    assert docket().weight(row) == weight


@pytest.mark.parametrize(
    ("policy", "row", "caps", "zone"),
    [
        pytest.param(CAPPED, None, {}, "Europe/Paris", id="nobody on the roster"),
        pytest.param(CAPPED, RosterRow(), {"day": 3, "week": 9}, "Europe/Paris", id="the policy's"),
        pytest.param(
            CAPPED, RosterRow(caps={"day": 5}, timezone="Asia/Tokyo"), {"day": 5, "week": 9}, "Asia/Tokyo", id="both"
        ),
        pytest.param(PLAIN, RosterRow(caps={"hour": 1}), {"hour": 1}, "Europe/Paris", id="the roster's alone"),
    ],
)
def test_a_reps_cap_of_a_window_comes_before_the_policys(
    policy: Policy, row: RosterRow | None, caps: dict[str, int], zone: str
) -> None:
    assert docket(policy).capping(row) == Capping(caps, zone)


def test_a_pools_caps_are_counted_in_the_zone_of_its_hours_else_of_the_policys_hours_else_of_the_policy() -> None:
    assert docket().pool_capping("mm-southwest") == Capping({"day": 9}, "America/Chicago")
    assert docket().pool_capping("smb-sdr") == Capping({}, "America/New_York")
    assert docket(HOURLESS).pool_capping("smb-sdr") == Capping({}, "Europe/Paris")
    assert docket().pool_capping("gone") == Capping({}, "Europe/Paris")


def test_hours_are_those_named_else_the_policys_else_always() -> None:
    assert docket().hours("nights") == calendar("nights")
    assert docket().hours(None) == calendar("office")
    assert docket(HOURLESS).hours("nights") == calendar("nights")
    assert docket(HOURLESS).hours(None) is None
    assert docket().hours("gone") is None


@pytest.mark.parametrize(
    ("pool", "name"),
    [("mm-southwest", "southwest"), ("smb-sdr", "office"), ("gone", "office"), (None, "office")],
)
def test_a_pool_works_by_its_own_hours_else_by_the_policys(pool: str | None, name: str) -> None:
    assert docket().pool_hours(pool) == calendar(name)


def test_a_rep_works_by_their_own_hours_else_by_the_pools() -> None:
    own = RepState("own", row_of(Rep(id="own", name="own", role="ae", hours=NIGHTS)))
    asked = docket(CAPPED, own, RepState("plain", RosterRow()), RepState("loaded"))
    assert asked.rep_hours("own", "mm-southwest") == calendar_of(NIGHTS)
    for rep in ("plain", "loaded", "unknown", None):
        assert asked.rep_hours(rep, "mm-southwest") == calendar("southwest")


def test_a_closed_opportunity_is_no_load_and_one_of_an_unknown_stage_is() -> None:
    stages = [stage_points(PLAIN.file.capacity, stage) for stage in ("closed", "late", "nobody knows", None)]
    assert stages == [0, 150, 100, 100]
