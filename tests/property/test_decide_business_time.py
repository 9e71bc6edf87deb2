"""Our business time against businesstimedelta, where that library knows the case (no holidays by subdivision)."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import businesstimedelta
import holidays
import pytest
import pytz
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.calendar.business_time import add_open, calendar_of, open_seconds
from schemas.rep import Hours

DAYS = ("mon", "tue", "wed", "thu", "fri")
ZONES = st.sampled_from(
    [
        *("America/New_York", "Europe/Berlin", "Asia/Kolkata", "Australia/Sydney", "America/St_Johns"),
        *("Asia/Kathmandu", "Australia/Lord_Howe"),  # the last changes its clocks by half an hour
    ]
)
INSTANTS = st.datetimes(datetime(2026, 1, 1), datetime(2028, 12, 31)).map(
    lambda at: at.replace(microsecond=0, tzinfo=UTC)
)


def ours(zone: str, opens: int, closes: int) -> object:
    return calendar_of(Hours(timezone=zone, week=dict.fromkeys(DAYS, ((f"{opens:02}:00", f"{closes:02}:00"),))))


def theirs(zone: str, opens: int, closes: int) -> businesstimedelta.Rules:
    day = businesstimedelta.WorkDayRule(
        start_time=time(opens), end_time=time(closes), working_days=[0, 1, 2, 3, 4], tz=pytz.timezone(zone)
    )
    return businesstimedelta.Rules([day])


@settings(max_examples=80, deadline=None)
@given(zone=ZONES, opens=st.integers(6, 10), closes=st.integers(15, 22), start=INSTANTS, hours=st.integers(0, 200))
def test_open_time_between_two_instants_agrees(zone: str, opens: int, closes: int, start: datetime, hours: int) -> None:
    end = start + timedelta(hours=hours)
    known = theirs(zone, opens, closes).difference(start, end)
    assert open_seconds(ours(zone, opens, closes), start, end) == known.hours * 3600 + known.seconds  # type: ignore[arg-type]


@settings(max_examples=80, deadline=None)
@given(zone=ZONES, start=INSTANTS, minutes=st.integers(1, 3000))
def test_adding_open_time_and_measuring_it_are_inverse(zone: str, start: datetime, minutes: int) -> None:
    calendar = ours(zone, 9, 18)
    due = add_open(calendar, start, minutes * 60)  # type: ignore[arg-type]
    assert due is not None
    assert open_seconds(calendar, start, due) == minutes * 60  # type: ignore[arg-type]
    assert due.astimezone(ZoneInfo(zone)).weekday() < 5


WITH_HOLIDAYS = calendar_of(
    Hours(timezone="America/New_York", week=dict.fromkeys(DAYS, (("09:00", "18:00"),)), holidays=("US",))
)


@settings(max_examples=80, deadline=None)
@given(start=INSTANTS, hours=st.integers(0, 400))
def test_public_holidays_do_not_count(start: datetime, hours: int) -> None:
    end = start + timedelta(hours=hours)
    zone = pytz.timezone("America/New_York")
    off = businesstimedelta.HolidayRule(holidays.country_holidays("US", years=range(2025, 2031)), tz=zone)
    day = businesstimedelta.WorkDayRule(time(9), time(18), working_days=[0, 1, 2, 3, 4], tz=zone)
    known = businesstimedelta.Rules([day, off]).difference(start, end)
    assert open_seconds(WITH_HOLIDAYS, start, end) == known.hours * 3600 + known.seconds


@pytest.mark.parametrize(
    ("begins", "due"),
    [
        pytest.param(datetime(2028, 2, 28, 17, 30), datetime(2028, 2, 29, 9, 30), id="into the leap day"),
        pytest.param(datetime(2028, 2, 29, 17, 30), datetime(2028, 3, 1, 9, 30), id="out of the leap day"),
        pytest.param(datetime(2029, 2, 28, 17, 30), datetime(2029, 3, 1, 9, 30), id="a February of 28 days"),
        pytest.param(datetime(2026, 7, 2, 17, 30), datetime(2026, 7, 6, 9, 30), id="a holiday after the last hour"),
        pytest.param(datetime(2026, 12, 24, 17, 59), datetime(2026, 12, 28, 9, 59), id="the last minute before one"),
        pytest.param(datetime(2026, 7, 3, 17, 30), datetime(2026, 7, 6, 10), id="in a last hour that is a holiday's"),
    ],
)
def test_an_hour_that_begins_in_a_last_hour_ends_when_the_other_library_says(begins: datetime, due: datetime) -> None:
    zone = ZoneInfo("America/New_York")
    start, end = begins.replace(tzinfo=zone).astimezone(UTC), due.replace(tzinfo=zone).astimezone(UTC)
    assert add_open(WITH_HOLIDAYS, start, 3600) == end
    local = pytz.timezone("America/New_York")
    off = businesstimedelta.HolidayRule(holidays.country_holidays("US", years=range(2025, 2031)), tz=local)
    day = businesstimedelta.WorkDayRule(time(9), time(18), working_days=[0, 1, 2, 3, 4], tz=local)
    assert start + businesstimedelta.BusinessTimeDelta(businesstimedelta.Rules([day, off]), hours=1) == end
