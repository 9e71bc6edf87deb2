"""Business time: openings, spans and due instants, over changes of clocks and holidays."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from routing.calendar.business_time import (
    Calendar,
    add_open,
    calendar_of,
    closes_at,
    is_open,
    next_opening,
    open_seconds,
    working_days,
)
from schemas.rep import Hours

DAYS = ("mon", "tue", "wed", "thu", "fri")


def office(zone: str = "America/New_York", **more: object) -> Calendar:
    return calendar_of(Hours(timezone=zone, week=dict.fromkeys(DAYS, (("09:00", "18:00"),)), **more))  # type: ignore[arg-type]


def local(zone: str, *parts: int) -> datetime:
    return datetime(*parts, tzinfo=ZoneInfo(zone)).astimezone(UTC)  # type: ignore[arg-type]


def test_a_shift_is_open_from_its_start_to_just_before_its_end() -> None:
    calendar = office()
    nine, six = local("America/New_York", 2026, 3, 10, 9), local("America/New_York", 2026, 3, 10, 18)
    assert is_open(calendar, nine) and not is_open(calendar, six)
    assert closes_at(calendar, nine) == six
    assert closes_at(calendar, six) is None


def test_time_runs_on_at_the_next_opening_after_a_weekend() -> None:
    friday, monday = local("America/New_York", 2026, 3, 13, 17, 30), local("America/New_York", 2026, 3, 16, 9, 30)
    assert add_open(office(), friday, 3600) == monday
    assert open_seconds(office(), friday, monday) == 3600


def test_a_public_holiday_is_closed_for_its_subdivision_only() -> None:
    independence = local("America/Chicago", 2026, 3, 2, 12)  # Texas Independence Day
    assert not is_open(office("America/Chicago", holidays=("US-TX",)), independence)
    assert is_open(office("America/Chicago", holidays=("US",)), independence)


def test_a_night_shift_over_the_change_of_clocks_has_the_hours_that_pass() -> None:
    whole = calendar_of(Hours(timezone="America/New_York", week={"sun": (("00:00", "24:00"),)}))
    spring, autumn = local("America/New_York", 2026, 3, 8), local("America/New_York", 2026, 11, 1)
    assert open_seconds(whole, spring, spring + timedelta(days=2)) == 23 * 3600
    assert open_seconds(whole, autumn, autumn + timedelta(days=2)) == 25 * 3600


@pytest.mark.parametrize("zone", ["Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Chatham"])
def test_zones_off_the_full_hour_open_at_their_wall_time(zone: str) -> None:
    opening = next_opening(office(zone), local(zone, 2026, 3, 10, 3))
    assert opening == local(zone, 2026, 3, 10, 9)


def test_a_leap_day_is_a_day() -> None:
    assert add_open(office(), local("America/New_York", 2028, 2, 28, 17), 2 * 3600) == local(
        "America/New_York", 2028, 2, 29, 10
    )


def test_working_days_count_in_full_and_weekends_not_at_all() -> None:
    friday = local("America/New_York", 2026, 3, 13, 15)
    assert add_open(working_days(office()), friday, 86_400) == local("America/New_York", 2026, 3, 16, 15)


def test_a_calendar_that_never_opens_has_no_due_instant() -> None:
    never = calendar_of(Hours(timezone="UTC"))
    assert next_opening(never, datetime(2026, 3, 10, tzinfo=UTC)) is None
    assert add_open(never, datetime(2026, 3, 10, tzinfo=UTC), 1) is None


def test_a_time_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="no time of day"):
        calendar_of(Hours(timezone="UTC", week={"mon": (("09:00", "25:00"),)}))
