"""Business time: openings, spans and due instants, over changes of clocks and holidays."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from routing.calendar.business_time import (
    Calendar,
    add_open,
    calendar_of,
    changes_at,
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


def test_what_is_said_of_a_closed_calendar_runs_to_its_next_opening() -> None:
    calendar, zone = office(), "America/New_York"
    evening, morning = local(zone, 2026, 3, 10, 20), local(zone, 2026, 3, 11, 9)
    assert next_opening(calendar, evening) == changes_at(calendar, evening) == morning
    assert changes_at(calendar, morning) == local(zone, 2026, 3, 11, 18)
    assert next_opening(calendar, morning + timedelta(minutes=1)) == morning + timedelta(minutes=1)
    six = local(zone, 2026, 3, 10, 18)
    assert next_opening(calendar, six) == morning


def test_time_over_a_break_at_noon_counts_what_is_open_alone() -> None:
    halves = calendar_of(Hours(timezone="UTC", week={"tue": (("13:00", "17:00"), ("08:30", "12:00"))}))
    assert halves.week[1] == ((510, 720), (780, 1020))
    start, noon = datetime(2026, 3, 10, 11, 30, tzinfo=UTC), datetime(2026, 3, 10, 12, tzinfo=UTC)
    assert add_open(halves, start, 1800) == noon
    assert add_open(halves, start, 1801) == noon + timedelta(hours=1, seconds=1)
    assert add_open(halves, start, 0) == start
    assert add_open(halves, noon, 0) == noon + timedelta(hours=1)
    assert open_seconds(halves, start, noon + timedelta(hours=2)) == 1800 + 3600
    assert open_seconds(halves, start, start) == 0
    assert open_seconds(halves, noon, start) == 0
    assert open_seconds(halves, start, start + timedelta(seconds=1)) == 1
    assert (closes_at(halves, start), closes_at(halves, noon)) == (noon, None)


def test_a_calendar_that_opens_in_two_years_is_found_and_later_not() -> None:
    """A day off is a date; a calendar that has one day a week, closed for so long, opens after it."""
    first = datetime(2026, 3, 10, tzinfo=UTC)
    off = {first.date() + timedelta(weeks=week) for week in range(114)}
    late = calendar_of(Hours(timezone="UTC", week={"tue": (("00:00", "24:00"),)}, closed_on=tuple(sorted(off))))
    assert next_opening(late, first) == first + timedelta(weeks=114)
    never = tuple(sorted(off | {first.date() + timedelta(weeks=114)}))
    later = calendar_of(Hours(timezone="UTC", week={"tue": (("00:00", "24:00"),)}, closed_on=never))
    assert next_opening(later, first) is None


def test_calendars_of_the_same_hours_are_one_and_others_are_not() -> None:
    assert office() == office() and hash(office()) == hash(office())
    assert len({office(), office("UTC"), office(holidays=("US",)), working_days(office()), office()}) == 4
    assert working_days(office()).week == (((0, 1440),),) * 5 + ((),) * 2
    assert office(holidays=("US-TX", "CA")).holidays == ("CA", "US-TX")


def test_a_shift_to_midnight_ends_where_the_next_day_begins() -> None:
    night = calendar_of(Hours(timezone="UTC", week={"mon": (("22:00", "24:00"),), "tue": (("00:00", "06:30"),)}))
    monday = datetime(2026, 3, 9, 23, tzinfo=UTC)
    assert closes_at(night, monday) == datetime(2026, 3, 10, tzinfo=UTC)
    assert add_open(night, monday, 2 * 3600) == datetime(2026, 3, 10, 1, tzinfo=UTC)
    assert closes_at(night, datetime(2026, 3, 10, tzinfo=UTC)) == datetime(2026, 3, 10, 6, 30, tzinfo=UTC)


@pytest.mark.parametrize("end", ["03:15", "03:30"])
def test_a_shift_that_the_change_of_clocks_swallows_is_no_opening(end: str) -> None:
    """Clocks go from 02:00 to 03:00: half past two is half past three, after or at the end."""
    short = calendar_of(Hours(timezone="America/New_York", week={"sun": (("02:30", end),)}))
    saturday = local("America/New_York", 2026, 3, 7, 12)
    assert next_opening(short, saturday) == local("America/New_York", 2026, 3, 15, 2, 30)


def test_a_calendar_without_an_hour_never_opens_closes_or_changes() -> None:
    never = calendar_of(Hours(timezone="America/New_York", week={}))
    noon = local("America/New_York", 2026, 3, 10, 12)
    assert (next_opening(never, noon), closes_at(never, noon), changes_at(never, noon)) == (None, None, None)


def test_an_hour_that_two_shifts_share_counts_once() -> None:
    mondays = {"timezone": "Asia/Kolkata", "week": {"mon": [("09:30", "18:30"), ("12:00", "19:00")]}}
    calendar = calendar_of(Hours.model_validate(mondays))
    start = local("Asia/Kolkata", 2026, 3, 9, 9, 30)
    assert open_seconds(calendar, start, start + timedelta(days=1)) == 9.5 * 3_600
