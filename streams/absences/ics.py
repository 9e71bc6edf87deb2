"""Out-of-office events of an iCalendar file as absences (AVL-1), recurring ones laid out one by one (RFC 5545)."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import takewhile
from typing import Any
from zoneinfo import ZoneInfo

import icalendar
import recurring_ical_events

from routing.calendar.intervals import joined
from schemas.rep import Absence

MOST_BYTES = 4_000_000
MOST_EVENTS = 1_000  # of one person within the horizon; more is no calendar of absences
_TOO_OFTEN = ("SECONDLY", "MINUTELY", "HOURLY")
_BUSY = ("X-MICROSOFT-CDO-BUSYSTATUS", "X-MICROSOFT-CDO-INTENDEDSTATUS")

# What people and calendars call it, as whole words: an event that is neither marked nor named so is a meeting.
_WORDS = re.compile(
    r"\b(out[ -]of[ -](the[ -])?office|ooo|o\.o\.o|oof|vacation|holidays?|annual leave|parental leave|maternity"
    r"|paternity|pto|sick( leave| day)?|day off|time off|on leave|\w*urlaub|krank\w*|abwesen\w*|elternzeit|congés?"
    r"|vacances|absente?|arrêt maladie|vacaciones|de baja|ferie|ferias|férias|vakantie|afwezig|semester)\b",
    re.IGNORECASE,
)


# Outlook leaves a meeting that was called off in the calendar, under this title.
_CALLED_OFF = re.compile(r"\s*(cancell?ed|abgesagt|annulée?|cancelad[oa])\s*:", re.IGNORECASE)


class CalendarUnreadable(ValueError):
    """The calendar cannot be used. The message says why, without a word of its events."""


def absences_in(ics: bytes, start: datetime, until: datetime, zone: str) -> tuple[Absence, ...]:
    """Return the absences that overlap [start, until), in order of their start, those that touch made one.

    start, until: aware. zone: of events without one (whole days, floating times). Titles are read and not kept.
    Raises CalendarUnreadable.
    """
    if len(ics) > MOST_BYTES:
        raise CalendarUnreadable(f"it is larger than {MOST_BYTES:,} bytes")
    spans = []
    for event in filter(is_absence, _events(_parsed(ics), start, until)):
        begins, ends = _instant(event.start, zone), _instant(event.end, zone)
        if begins < ends and begins < until and ends > start:
            spans.append((begins, ends))
    return tuple(Absence(start=a, until=b, reason="out of office", source="calendar") for a, b in joined(spans))


def _parsed(ics: bytes) -> icalendar.Calendar:
    """Return the calendar with the events of which one says absent: a series whole, with its changed occurrences."""
    try:
        calendars = icalendar.Calendar.from_ical(ics, multiple=True)
    except (ValueError, KeyError, IndexError, TypeError, RecursionError) as error:
        raise CalendarUnreadable("it is no iCalendar text") from error
    parts = [part for calendar in calendars for part in calendar.walk()]
    if not calendars or any(calendar.name != "VCALENDAR" for calendar in calendars):
        raise CalendarUnreadable("it is no iCalendar text")
    events = [part for part in parts if part.name == "VEVENT"]
    away = {str(event.get("UID", "")) for event in events if is_absence(event)}
    kept = icalendar.Calendar()
    for part in parts:
        if part.name == "VTIMEZONE" or (part.name == "VEVENT" and _is_told(part, away)):
            kept.add_component(part)
    return kept


def _is_told(event: Any, away: set[str]) -> bool:
    return str(event.get("UID", "")) in away and not _repeats_too_often(event)


def is_absence(event: Any) -> bool:
    """Tell whether an event says that its person is not there.

    Marked so by Outlook, else named so; not cancelled, and not shown as free unless marked as out of office.
    """
    title = str(event.get("SUMMARY", ""))
    is_off = str(event.get("STATUS", "")).upper() == "CANCELLED" or _CALLED_OFF.match(title) is not None
    if is_off or _repeats_too_often(event):
        return False
    if any(str(event.get(name, "")).upper() == "OOF" for name in _BUSY):
        return True
    if str(event.get("TRANSP", "")).upper() == "TRANSPARENT":
        return False
    categories = event.get("CATEGORIES")
    named = [title, categories.to_ical().decode() if hasattr(categories, "to_ical") else ""]
    return any(_WORDS.search(text) for text in named)


def _repeats_too_often(event: Any) -> bool:
    rule = event.get("RRULE")
    return rule is not None and any(str(one).upper() in _TOO_OFTEN for one in rule.get("FREQ", ()))


def _events(calendar: icalendar.Calendar, start: datetime, until: datetime) -> Iterator[Any]:
    """Yield the events and every occurrence of the recurring ones, moved and cancelled occurrences heeded."""
    try:
        found = recurring_ical_events.of(calendar, skip_bad_series=True).after(start - timedelta(days=1))
        begun = takewhile(lambda event: _instant(event.start, "UTC") < until + timedelta(days=1), found)
        for count, event in enumerate(begun):
            if count >= MOST_EVENTS:
                raise CalendarUnreadable(f"it has more than {MOST_EVENTS} absences until {until.date()}")
            yield event
    except CalendarUnreadable:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise CalendarUnreadable("an event in it cannot be understood") from error


def _instant(value: date | datetime, zone: str) -> datetime:
    if not isinstance(value, datetime):
        value = datetime.combine(value, time())
    local = value if value.tzinfo is not None else value.replace(tzinfo=ZoneInfo(zone))
    return local.astimezone(UTC)
