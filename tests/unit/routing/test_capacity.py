"""Limits, weights, ramps and windows of caps, number by number (CAPA-1 to CAPA-4)."""

from datetime import UTC, date, datetime

import pytest

from routing.capacity import (
    Capping,
    cap_reached,
    counted,
    limit_of,
    shortage,
    weight_of,
    window,
    with_lead,
    without_lead,
)
from routing.rep_state import RampStep, RepState, RosterRow, Used

NOW = datetime(2026, 3, 10, 18, 14, tzinfo=UTC)
TODAY = NOW.date()
CHICAGO = "America/Chicago"
RAMP = (RampStep(date(2026, 3, 1), 25), RampStep(date(2026, 3, 10), 50), RampStep(date(2026, 3, 11), 75))


@pytest.mark.parametrize(
    ("row", "limit"),
    [
        pytest.param(RosterRow(), 2400, id="the policy's default, a newcomer's share of it"),
        pytest.param(RosterRow(limit=3001), 3001, id="the roster's, whatever the share"),
        pytest.param(RosterRow(limit=3001, ramp=RAMP), 1500, id="the roster's on a ramp"),
        pytest.param(RosterRow(ramp=RAMP), 2000, id="the default on a ramp, which counts for the share"),
        pytest.param(RosterRow(ramp=RAMP[2:]), 4000, id="a ramp that has not begun"),
        pytest.param(RosterRow(limit=0), 0, id="no room at all"),
    ],
)
def test_a_limit_is_the_rosters_else_the_policys_by_ramp(row: RosterRow, limit: int) -> None:
    assert limit_of(row, 4000, 60, TODAY) == limit


@pytest.mark.parametrize(
    ("row", "weight"),
    [
        pytest.param(RosterRow(), 100, id="of a seniority without weight"),
        pytest.param(RosterRow(seniority="senior"), 150, id="by seniority"),
        pytest.param(RosterRow(seniority="senior", weight=75), 75, id="the roster's"),
        pytest.param(RosterRow(seniority="senior", ramp=RAMP), 75, id="by seniority on a ramp"),
        pytest.param(RosterRow(weight=0), 0, id="none"),
    ],
)
def test_a_weight_is_the_rosters_else_by_seniority_by_ramp(row: RosterRow, weight: int) -> None:
    assert weight_of(row, {"senior": 150}, TODAY) == weight


@pytest.mark.parametrize(
    ("cap", "name"),
    [("hour", "2026-03-10T13-0500"), ("day", "2026-03-10"), ("week", "2026-W11"), ("month", "2026-03")],
)
def test_a_window_is_named_by_the_wall_of_its_zone(cap: str, name: str) -> None:
    assert window(CHICAGO, cap, NOW) == name


def test_windows_begin_in_their_zone_and_the_hour_that_comes_twice_is_two() -> None:
    midnight = datetime(2026, 3, 11, 4, 59, tzinfo=UTC)
    assert (window(CHICAGO, "day", midnight), window("UTC", "day", midnight)) == ("2026-03-10", "2026-03-11")
    first, second = (datetime(2026, 11, 1, hour, 30, tzinfo=UTC) for hour in (6, 7))
    assert window(CHICAGO, "hour", first) != window(CHICAGO, "hour", second)
    assert window("UTC", "week", datetime(2027, 1, 3, tzinfo=UTC)) == "2026-W53"


CAPS = Capping({"day": 2, "month": 5}, CHICAGO)


@pytest.mark.parametrize(
    ("used", "why"),
    [
        pytest.param({}, None, id="unused"),
        pytest.param({"day": Used("2026-03-10", 1)}, None, id="room for one"),
        pytest.param({"day": Used("2026-03-10", 2)}, "cap reached: 2 a day", id="used up"),
        pytest.param({"day": Used("2026-03-10", 3)}, "cap reached: 2 a day", id="more than used up"),
        pytest.param({"day": Used("2026-03-09", 2)}, None, id="of yesterday"),
        pytest.param(
            {"day": Used("2026-03-09", 2), "month": Used("2026-03", 5)}, "cap reached: 5 a month", id="another"
        ),
    ],
)
def test_a_cap_is_reached_by_the_leads_of_its_running_window(used: dict[str, Used], why: str | None) -> None:
    assert cap_reached(CAPS, used, NOW) == why
    assert shortage(RepState("a", load=100, used=used), 200, 100, NOW, CAPS) == why


def test_a_cap_of_nothing_is_reached_from_the_start() -> None:
    assert cap_reached(Capping({"hour": 0}, CHICAGO), {}, NOW) == "cap reached: 0 an hour"


@pytest.mark.parametrize(("adds", "why"), [(100, None), (101, "full")])
def test_a_lead_fits_up_to_the_limit_exactly(adds: int, why: str | None) -> None:
    assert shortage(RepState("a", load=100), 200, adds, NOW, Capping({}, CHICAGO)) == why


def test_a_lead_is_counted_in_each_capped_window_and_a_new_window_begins_at_one() -> None:
    used = {"day": Used("2026-03-09", 2), "month": Used("2026-03", 3), "week": Used("2026-W11", 9)}
    now = {"day": Used("2026-03-10", 1), "month": Used("2026-03", 4)}
    assert counted(CAPS, used, NOW) == now
    before = RepState("a", RosterRow(), 300, 2, used, "emea", NOW)
    assert with_lead(before, 50, NOW, CAPS) == RepState("a", RosterRow(), 350, 3, now, "emea", NOW)
    assert with_lead(RepState("a"), 50, NOW, Capping({}, CHICAGO)) == RepState("a", None, 50, 1)
    assert with_lead(before, 50, NOW, Capping({}, CHICAGO)) == RepState("a", RosterRow(), 350, 3, used, "emea", NOW)


def test_a_lead_that_goes_frees_its_points_and_not_its_window() -> None:
    before = RepState("a", None, 300, 2, {"day": Used("2026-03-10", 1)})
    after = without_lead(before, 50)
    assert (after.load, after.leads, after.used) == (250, 1, before.used)
    assert without_lead(RepState("a"), 0).leads == 0
    assert without_lead(RepState("a", leads=1), 0).leads == 0
