"""A roster entry with the absences of its person's calendar, read or not to be read."""

from datetime import datetime, timedelta

from schemas.rep import CalendarReading, Rep
from streams.absences.ics import absences_in

HORIZON = timedelta(days=90)  # how far ahead events are taken over; a reading a day keeps it there


def read_into(rep: Rep, ics: bytes, now: datetime, horizon: timedelta = HORIZON) -> Rep:
    """Return the entry with the calendar's absences in place of those of the reading before; the roster's own stay.

    Events without a zone are in the person's own, that of their hours, else UTC. Raises CalendarUnreadable.
    """
    until = now + horizon
    found = absences_in(ics, now, until, rep.hours.timezone if rep.hours else "UTC")
    own = tuple(one for one in rep.absences if one.source == "roster")
    return rep.model_copy(update={"absences": (*own, *found), "calendar": CalendarReading(read_at=now, until=until)})


def not_read(rep: Rep, now: datetime) -> Rep:
    """Return the entry marked as stale: what was known of the calendar stands until it can be read again (EDG-5)."""
    known = rep.calendar or CalendarReading(read_at=now, until=now)
    if known.stale_since is not None:
        return rep
    return rep.model_copy(update={"calendar": known.model_copy(update={"stale_since": now})})


def is_news(before: Rep, after: Rep) -> bool:
    """Tell whether an entry is worth writing: absences or staleness changed, or the reading is half a day newer."""
    if before.absences != after.absences or before.calendar is None or after.calendar is None:
        return before != after
    if before.calendar.stale_since != after.calendar.stale_since:
        return True
    return after.calendar.read_at - before.calendar.read_at >= timedelta(hours=12)
