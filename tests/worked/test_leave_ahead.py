"""Leave that starts before the contact deadline (AVL-1): the deadline against businesstimedelta, the leave, from an
iCalendar of recurring events, against dateutil. Over changes of clocks, a leap day, zones off the full hour, holidays.
"""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import businesstimedelta
import holidays
import orjson
import pytest
import pytz
from dateutil import tz
from dateutil.rrule import rrulestr

from schemas.decision import Decision, OwnerKind
from schemas.rep import Hours, Rep
from streams.absences.ics import absences_in
from tests.worked.world import DEFAULT, WEEK, Arrival, World, person

MINUTE = timedelta(minutes=1)


def business(zone: str, *countries: str) -> businesstimedelta.Rules:
    local = pytz.timezone(zone)
    day = businesstimedelta.WorkDayRule(time(9), time(18), working_days=[0, 1, 2, 3, 4], tz=local)
    off = [
        businesstimedelta.HolidayRule(holidays.country_holidays(c, years=range(2025, 2031)), tz=local)
        for c in countries
    ]
    return businesstimedelta.Rules([day, *off])


def away(zone: str, first: datetime, rule: str, length: timedelta) -> bytes:
    """A calendar with one recurring absence, at the same time on the wall of its zone."""
    ends = first + length
    return "\r\n".join(
        (
            "BEGIN:VCALENDAR",
            "VERSION:2.0",
            "PRODID:-//test//EN",
            "BEGIN:VEVENT",
            "UID:leave",
            "SUMMARY:Out of office",
            f"DTSTART;TZID={zone}:{first:%Y%m%dT%H%M%S}",
            f"DTEND;TZID={zone}:{ends:%Y%m%dT%H%M%S}",
            f"RRULE:{rule}",
            "END:VEVENT",
            "END:VCALENDAR",
            "",
        )
    ).encode()


def starts(zone: str, first: datetime, rule: str, after: datetime) -> datetime:
    """Return the next start after an instant, as dateutil counts it."""
    found = rrulestr(rule, dtstart=first.replace(tzinfo=tz.gettz(zone))).after(after.astimezone(tz.gettz(zone)))
    assert found is not None
    return found.astimezone(UTC)


def assigned(zone: str, submitted: datetime, reps: dict[str, bytes], *countries: str) -> Decision:
    """Decide a warm lead (an hour of the owner's working time) in a pool of one rep with this calendar."""
    hours = Hours(timezone=zone, week=WEEK, holidays=countries)
    changed: dict[str, Rep] = {}
    for rep, ics in reps.items():
        leave = absences_in(ics, submitted.astimezone(UTC), submitted.astimezone(UTC) + timedelta(days=30), zone)
        changed[rep] = person(rep, "ent-amer", hours=hours, absences=leave, manager="EM")
    changed["E2"] = person("E2", "ent-amer", hours=hours)
    text = _in_zone(zone, countries)
    world = World(policy_text=text, changed=changed, loads={"E1": 0, "E2": 39})
    return world.arrives(Arrival("bigco.example", 5000, action="webinar", state="NY", when=submitted))


def _in_zone(zone: str, countries: tuple[str, ...]) -> str:
    head, _, rest = DEFAULT.partition("  ent-amer:\n")
    days = '{mon: [["09:00", "18:00"]], tue: [["09:00", "18:00"]], wed: [["09:00", "18:00"]], '
    days += 'thu: [["09:00", "18:00"]], fri: [["09:00", "18:00"]]}'
    calendar = f"  there: {{timezone: {zone}, week: {days}, holidays: [{', '.join(countries)}]}}\n"
    text = f"{head}  ent-amer:\n    hours: there\n{rest}".replace("calendars:\n", f"calendars:\n{calendar}", 1)
    assert calendar in text
    return text


CASES = [
    pytest.param("America/New_York", datetime(2027, 3, 12, 17, 30), (), id="clocks go forward over the weekend"),
    pytest.param("America/New_York", datetime(2026, 10, 30, 17, 30), (), id="clocks go back over the weekend"),
    pytest.param("America/New_York", datetime(2028, 2, 28, 17, 30), (), id="into the leap day"),
    pytest.param("Asia/Kolkata", datetime(2026, 3, 13, 17, 30), (), id="a zone at half an hour"),
    pytest.param("Australia/Lord_Howe", datetime(2026, 4, 3, 17, 30), (), id="clocks change by half an hour"),
    pytest.param("America/New_York", datetime(2026, 7, 2, 17, 30), ("US",), id="a holiday after the last hour"),
    pytest.param("America/New_York", datetime(2026, 3, 10, 10, 0), (), id="within one shift"),
]


@pytest.mark.parametrize(("zone", "wall", "countries"), CASES)
@pytest.mark.parametrize(
    ("before", "has_it"), [(MINUTE, False), (timedelta(0), True)], ids=["a minute early", "just on it"]
)
def test_who_leaves_before_the_contact_deadline_does_not_get_the_lead(
    zone: str, wall: datetime, countries: tuple[str, ...], before: timedelta, has_it: bool
) -> None:
    submitted = wall.replace(tzinfo=ZoneInfo(zone))
    due = submitted.astimezone(UTC) + businesstimedelta.BusinessTimeDelta(business(zone, *countries), hours=1)
    leaves = due.astimezone(ZoneInfo(zone)).replace(tzinfo=None) - before
    first, rule = leaves - timedelta(weeks=4), "FREQ=WEEKLY;INTERVAL=4"
    assert starts(zone, first, rule, submitted) == due - before
    lead = assigned(zone, submitted, {"E1": away(zone, first, rule, timedelta(hours=2))}, *countries)
    assert (lead.tier, lead.owner.kind) == ("T2", OwnerKind.REP)
    assert lead.owner.id == ("E1" if has_it else "E2")
    if has_it:
        assert lead.sla is not None and lead.sla.contact_due_at == due
    else:
        assert "leave before the contact deadline" in orjson.dumps(lead.trace).decode()
