"""Our business time against businesstimedelta, where that library knows the case (no holidays by subdivision)."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import businesstimedelta
import pytz
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.calendar.business_time import add_open, calendar_of, open_seconds
from schemas.rep import Hours

DAYS = ("mon", "tue", "wed", "thu", "fri")
ZONES = st.sampled_from(["America/New_York", "Europe/Berlin", "Asia/Kolkata", "Australia/Sydney"])
INSTANTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31)).map(
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
