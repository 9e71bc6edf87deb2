"""Reading people's calendars into the roster, once or again and again."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog

from schemas.rep import Rep
from streams.absences.ics import CalendarUnreadable
from streams.absences.reading import is_news, not_read, read_into
from streams.absences.source import CalendarsUnreadable, fetched, places_in
from streams.cli.failure import refused
from streams.cli.records import latest
from streams.cli.table_import import put_all
from streams.kafka.config import ClusterSettings


@dataclass(frozen=True, slots=True)
class CalendarRead:
    """What came of one person's calendar. absences: known from it now. problem: why it could not be read."""

    rep: str
    absences: int
    changed: bool
    problem: str | None = None


def read_all(cluster: ClusterSettings, file: Path, horizon: timedelta, *, writes: bool) -> list[CalendarRead]:
    """Read every calendar of `file`, write the entries that changed, and return what came of each.

    Raises CommandFailed where the file is no list of calendars.
    """
    try:
        places = places_in(file)
    except CalendarsUnreadable as error:
        raise refused(
            f"{error}.", "Write one a line: r-ada: ada.ics, or an https address that ends in .ics."
        ) from error
    found = asyncio.run(fetched(places))
    people: dict[str, Rep] = {row.model.id: row.model for row in latest(cluster, "reps").values()}
    now = datetime.now(UTC).replace(microsecond=0)
    told, entries = [], []
    for rep_id, body in found.items():
        before = people.get(rep_id)
        if before is None:
            told.append(CalendarRead(rep_id, 0, False, "there is no such rep in the roster"))
            continue
        after, problem = taken(before, body, now, horizon)
        changed = is_news(before, after)
        entries += [after] if changed else []
        known = sum(one.source == "calendar" for one in after.absences)
        told.append(CalendarRead(rep_id, known, changed, problem))
    if writes:
        put_all(cluster, "reps", "rep.put", lambda rep: rep.id, entries)
    return told


def taken(rep: Rep, body: bytes | CalendarUnreadable, now: datetime, horizon: timedelta) -> tuple[Rep, str | None]:
    """Return the entry as the calendar makes it, and why it could not be read."""
    if isinstance(body, CalendarUnreadable):
        return not_read(rep, now), str(body)
    try:
        return read_into(rep, body, now, horizon), None
    except CalendarUnreadable as error:
        return not_read(rep, now), str(error)


def read_again(read: Callable[[], Sequence[CalendarRead]], seconds: float) -> None:
    """Read now and then every so often, a log line each time, until stopped."""
    log = structlog.get_logger("calendars")
    while True:
        told = read()
        problems = {one.rep: one.problem for one in told if one.problem}
        log.info("calendars.read", read=len(told) - len(problems), changed=sum(one.changed for one in told))
        for rep, problem in problems.items():
            log.warning("calendar.stale", rep=rep, problem=problem)
        time.sleep(seconds)
