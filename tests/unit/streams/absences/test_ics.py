"""Calendars as people have them: whole days, zones, series with exceptions, meetings, garbage."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from schemas.rep import Absence, Hours, Rep
from streams.absences.ics import CalendarUnreadable, absences_in
from streams.absences.reading import is_news, not_read, read_into
from tests.worked.world import ROSTER, Arrival, World, at

BERLIN = ZoneInfo("Europe/Berlin")
START = datetime(2026, 3, 9, 8, tzinfo=UTC)
UNTIL = START + timedelta(days=30)


def ics(*events: str) -> bytes:
    body = "".join(
        f"BEGIN:VEVENT\r\nUID:{n}@x\r\nDTSTAMP:20260301T000000Z\r\n{e}\r\nEND:VEVENT\r\n" for n, e in enumerate(events)
    )
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y//EN\r\n{body}END:VCALENDAR\r\n".encode()


def spans(*events: str, zone: str = "Europe/Berlin") -> list[tuple[str, str]]:
    found = absences_in(ics(*events), START, UNTIL, zone)
    shown = [(one.start.astimezone(BERLIN), one.until.astimezone(BERLIN)) for one in found]
    return [(f"{a:%m-%d %H:%M}", f"{b:%m-%d %H:%M}") for a, b in shown]


def test_whole_days_are_days_of_the_persons_zone() -> None:
    vacation = "SUMMARY:Vacation\r\nDTSTART;VALUE=DATE:20260310\r\nDTEND;VALUE=DATE:20260314"
    assert spans(vacation) == [("03-10 00:00", "03-14 00:00")]
    assert spans(vacation, zone="America/New_York") == [("03-10 05:00", "03-14 05:00")]


def test_a_series_is_laid_out_with_its_exceptions_and_moved_days_over_the_change_of_clocks() -> None:
    series = (
        "SUMMARY:Day off\r\nDTSTART;TZID=Europe/Berlin:20260306T090000\r\nDTEND;TZID=Europe/Berlin:20260306T180000\r\n"
        "RRULE:FREQ=WEEKLY;BYDAY=FR\r\nEXDATE;TZID=Europe/Berlin:20260320T090000"
    )
    moved = (
        "UID:0@x\r\nSUMMARY:Day off\r\nRECURRENCE-ID;TZID=Europe/Berlin:20260327T090000\r\n"
        "DTSTART;TZID=Europe/Berlin:20260326T090000\r\nDTEND;TZID=Europe/Berlin:20260326T180000"
    )
    text = ics(series, moved).replace(b"UID:1@x\r\n", b"")
    found = absences_in(text, START, UNTIL, "UTC")
    days = [f"{one.start.astimezone(BERLIN):%m-%d %H:%M}" for one in found]
    assert days == ["03-13 09:00", "03-26 09:00", "04-03 09:00"]
    assert [one.start.hour for one in found] == [8, 8, 7]  # summer time from 29 March on


@pytest.mark.parametrize(
    "event",
    [
        pytest.param("SUMMARY:Pipeline review", id="a meeting"),
        pytest.param("SUMMARY:Vacation\r\nSTATUS:CANCELLED", id="cancelled"),
        pytest.param("SUMMARY:Vacation of the team\r\nTRANSP:TRANSPARENT", id="shown as free"),
        pytest.param("SUMMARY:Vacation\r\nRRULE:FREQ=SECONDLY", id="every second"),
        pytest.param("SUMMARY:Canceled: Vacation", id="called off, as Outlook leaves it"),
        pytest.param("SUMMARY:Looking at soooo many offers", id="letters within a word"),
    ],
)
def test_what_is_no_absence_is_left_out(event: str) -> None:
    assert spans(f"{event}\r\nDTSTART:20260310T090000Z\r\nDTEND:20260310T100000Z") == []


@pytest.mark.parametrize(
    "event",
    [
        pytest.param("SUMMARY:Private\r\nX-MICROSOFT-CDO-BUSYSTATUS:OOF", id="marked by Outlook"),
        pytest.param("SUMMARY:x\r\nTRANSP:TRANSPARENT\r\nX-MICROSOFT-CDO-BUSYSTATUS:OOF", id="marked and free"),
        pytest.param("SUMMARY:Out of office", id="named by Google"),
        pytest.param("SUMMARY:x\r\nCATEGORIES:Urlaub,Privat", id="a category in German"),
        pytest.param("SUMMARY:Congés payés", id="French"),
    ],
)
def test_out_of_office_is_told_by_mark_or_name(event: str) -> None:
    assert spans(f"{event}\r\nDTSTART:20260310T090000Z\r\nDTEND:20260310T100000Z") == [("03-10 10:00", "03-10 11:00")]


def test_absences_that_touch_are_one_and_what_is_over_or_far_ahead_is_none() -> None:
    events = [
        f"SUMMARY:PTO\r\nDTSTART;VALUE=DATE:2026{a}\r\nDTEND;VALUE=DATE:2026{b}"
        for a, b in (("0312", "0313"), ("0310", "0312"), ("0301", "0305"), ("0601", "0602"), ("0308", "0310"))
    ]
    assert spans(*events) == [("03-08 00:00", "03-13 00:00")]


def test_no_title_is_kept() -> None:
    (one,) = absences_in(
        ics("SUMMARY:Sick leave: knee\r\nDTSTART:20260310T090000Z\r\nDTEND:20260310T100000Z"), START, UNTIL, "UTC"
    )
    assert (one.reason, one.source) == ("out of office", "calendar")


@pytest.mark.parametrize(
    "body", [b"", b"hello", b"\x00\xff" * 50, b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT", b"<html>login</html>"]
)
def test_what_is_no_calendar_is_said_and_nothing_of_it_quoted(body: bytes) -> None:
    with pytest.raises(CalendarUnreadable) as error:
        absences_in(body, START, UNTIL, "UTC")
    assert "login" not in str(error.value)


def test_an_endless_daily_series_is_bounded_by_the_horizon() -> None:
    daily = "SUMMARY:PTO\r\nDTSTART:20200101T090000Z\r\nDTEND:20200101T100000Z\r\nRRULE:FREQ=DAILY"
    assert len(spans(daily)) == 30


REP = Rep(
    id="r",
    name="R",
    hours=Hours(timezone="Europe/Berlin"),
    absences=(Absence(start=START, until=START + timedelta(hours=1), reason="training"),),
)
VACATION = ics("SUMMARY:Vacation\r\nDTSTART;VALUE=DATE:20260310\r\nDTEND;VALUE=DATE:20260314")


def test_a_reading_replaces_the_one_before_and_keeps_what_the_roster_says() -> None:
    first = read_into(REP, VACATION, START)
    assert [one.source for one in first.absences] == ["roster", "calendar"]
    again = read_into(first, ics(), START + timedelta(hours=1))
    assert again.absences == REP.absences


def test_a_calendar_that_cannot_be_read_is_stale_and_what_it_said_stands() -> None:
    known = read_into(REP, VACATION, START)
    stale = not_read(known, START + timedelta(hours=1))
    assert stale.absences == known.absences
    assert stale.calendar is not None and stale.calendar.stale_since == START + timedelta(hours=1)
    assert not_read(stale, START + timedelta(hours=2)) is stale
    fresh = read_into(stale, VACATION, START + timedelta(hours=3))
    assert fresh.calendar is not None and fresh.calendar.stale_since is None


def test_only_news_is_written() -> None:
    known = read_into(REP, VACATION, START)
    assert is_news(REP, known)
    assert not is_news(known, read_into(known, VACATION, START + timedelta(hours=1)))
    assert is_news(known, read_into(known, VACATION, START + timedelta(hours=13)))
    assert is_news(known, not_read(known, START + timedelta(hours=1)))


def test_a_rep_who_is_out_of_office_by_their_calendar_is_skipped_from_the_contact_deadline_on() -> None:
    leave = ics(
        "SUMMARY:OOO\r\nDTSTART;TZID=America/Chicago:20260310T150000\r\nDTEND;TZID=America/Chicago:20260310T160000"
    )
    away = read_into(ROSTER["M1"][0], leave, at("08:00"))
    world = World(changed={"M1": away})
    warm = Arrival("lone.example", 450, action="webinar")
    assert world.arrives(warm).owner.id == "M2"  # due 15:14, away from 15:00
    assert world.arrives(warm.but(when=at("16:00"))).owner.id == "M1"


OUTLOOK_ZONE = (
    "BEGIN:VTIMEZONE\r\nTZID:W. Europe Standard Time\r\nBEGIN:STANDARD\r\nDTSTART:16010101T030000\r\n"
    "TZOFFSETFROM:+0200\r\nTZOFFSETTO:+0100\r\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10\r\nEND:STANDARD\r\n"
    "BEGIN:DAYLIGHT\r\nDTSTART:16010101T020000\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200\r\n"
    "RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3\r\nEND:DAYLIGHT\r\nEND:VTIMEZONE\r\n"
)
TUESDAYS = (
    "SUMMARY:{title}\r\nDTSTART;TZID=W. Europe Standard Time:20260310T150000\r\n"
    "DTEND;TZID=W. Europe Standard Time:20260310T170000\r\nRRULE:FREQ=WEEKLY;COUNT=3"
)
ON_THE_17TH = (
    "UID:0@x\r\nSUMMARY:{title}\r\nRECURRENCE-ID;TZID=W. Europe Standard Time:20260317T150000\r\n"
    "DTSTART;TZID=W. Europe Standard Time:20260317T150000\r\nDTEND;TZID=W. Europe Standard Time:20260317T170000"
)


@pytest.mark.parametrize(
    ("series", "changed", "days"),
    [
        pytest.param("OOO", "OOO\r\nSTATUS:CANCELLED", ["03-10", "03-24"], id="one occurrence cancelled"),
        pytest.param("OOO", "Canceled: OOO", ["03-10", "03-24"], id="one occurrence called off in its title"),
        pytest.param("OOO", "Team meeting", ["03-10", "03-24"], id="one occurrence is a meeting now"),
        pytest.param("Standup", "OOO", ["03-17"], id="one occurrence of a meeting is an absence"),
        pytest.param("OOO", "OOO", ["03-10", "03-17", "03-24"], id="one occurrence written anew"),
    ],
)
def test_an_occurrence_is_what_its_own_entry_says(series: str, changed: str, days: list[str]) -> None:
    text = ics(TUESDAYS.format(title=series), ON_THE_17TH.format(title=changed)).replace(b"UID:1@x\r\n", b"")
    text = text.replace(b"BEGIN:VEVENT", OUTLOOK_ZONE.encode() + b"BEGIN:VEVENT", 1)
    found = absences_in(text, START, UNTIL, "Asia/Kolkata")
    assert [f"{one.start.astimezone(BERLIN):%m-%d}" for one in found] == days
    assert {one.start.astimezone(BERLIN).hour for one in found} == {15}


@pytest.mark.parametrize("title", ["Betriebsurlaub", "krankgeschrieben", "Abwesenheit", "Congés", "Absent du bureau"])
def test_german_and_french_words_are_known_in_their_compounds(title: str) -> None:
    assert spans(f"SUMMARY:{title}\r\nDTSTART;VALUE=DATE:20260310\r\nDTEND;VALUE=DATE:20260311")


def test_two_calendars_in_one_file_are_read_as_one() -> None:
    day = "SUMMARY:PTO\r\nDTSTART;VALUE=DATE:202603{}"
    found = absences_in(ics(day.format(10)) + ics(day.format(12)).replace(b"UID:0@x", b"UID:1@x"), START, UNTIL, "UTC")
    assert [one.start.day for one in found] == [10, 12]
