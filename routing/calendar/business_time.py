"""Business time: when a calendar is open, and the instant by which so many open seconds have passed.

All instants are aware UTC. Local walls are only looked at day by day, so daylight saving falls out: a shift that
a change of clocks shortens is shorter. Public holidays come from the `holidays` library, by country or
subdivision ("US", "US-TX"). The results are checked against businesstimedelta in tests/property.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from importlib.metadata import version
from zoneinfo import ZoneInfo

from routing.calendar.intervals import joined
from schemas.rep import Hours, Weekday

WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_HORIZON_DAYS = 800  # a calendar without an opening for so long counts as never open
_DAY_MINUTES = 24 * 60

Span = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class Calendar:
    """When somebody works. week: by weekday from Monday, (start, end) in local minutes, sorted.

    holidays: codes of public holidays; closed_on: further days off.
    """

    timezone: str
    week: tuple[tuple[tuple[int, int], ...], ...]
    holidays: tuple[str, ...] = ()
    closed_on: frozenset[date] = frozenset()
    _hash: int = field(init=False, repr=False, compare=False)  # asked for with each look at a day

    def __post_init__(self) -> None:
        object.__setattr__(self, "_hash", hash((self.timezone, self.week, self.holidays, self.closed_on)))

    def __hash__(self) -> int:
        return self._hash


def calendar_of(hours: Hours) -> Calendar:
    """Return the calendar of a roster's or policy's hours, whose times are "HH:MM" already. An hour counts once."""
    week = tuple(
        tuple(joined((_minutes(start), _minutes(end)) for start, end in hours.week.get(day, ()))) for day in WEEKDAYS
    )
    return Calendar(hours.timezone, week, tuple(sorted(hours.holidays)), frozenset(hours.closed_on))


@lru_cache(maxsize=1024)
def working_days(calendar: Calendar) -> Calendar:
    """Return `calendar` with each day that has hours open in full: weekends and holidays do not count at all."""
    week = tuple(((0, _DAY_MINUTES),) if spans else () for spans in calendar.week)
    return Calendar(calendar.timezone, week, calendar.holidays, calendar.closed_on)


def calendar_data_version() -> str:
    """Return the versions of the holiday and time-zone data, for the journal."""
    return f"holidays {version('holidays')}, tzdata {version('tzdata')}"


@lru_cache(maxsize=256)  # a batch is decided at one instant, by a few calendars
def is_open(calendar: Calendar, at: datetime) -> bool:
    """Tell whether the calendar is open at `at`; a span's end is outside."""
    day = at.astimezone(_zone(calendar.timezone)).date()
    return any(start <= at < end for start, end in spans_on(calendar, day))


def next_opening(calendar: Calendar, at: datetime) -> datetime | None:
    """Return the first instant from `at` on that is open, None where there is none in two years."""
    for start, end in _spans_from(calendar, at):
        if end > at:
            return max(start, at)
    return None


def closes_at(calendar: Calendar, at: datetime) -> datetime | None:
    """Return the end of the span that holds `at`, None when closed at `at`."""
    for start, end in _spans_from(calendar, at):
        if start > at:
            return None
        if end > at:
            return end
    return None


def changes_at(calendar: Calendar, at: datetime) -> datetime | None:
    """Return an instant after `at` before which the calendar neither opens nor closes; None: not in two years."""
    return closes_at(calendar, at) or next_opening(calendar, at)


def add_open(calendar: Calendar, start: datetime, seconds: float) -> datetime | None:
    """Return the earliest instant by which `seconds` (>= 0) open seconds have passed since `start`.

    None where the calendar never opens for so long.
    """
    wanted = timedelta(seconds=seconds)
    return add_open_each(calendar, start, [wanted]).get(wanted)


def add_open_each(calendar: Calendar, start: datetime, times: Iterable[timedelta]) -> dict[timedelta, datetime]:
    """Return, for each of `times` (>= 0), the earliest instant by which so much open time has passed since `start`.

    One pass over the days for all. Those for which the calendar never opens long enough are left out.
    """
    found: dict[timedelta, datetime] = {}
    wanted, before = sorted(times, reverse=True), timedelta()
    for opens, closes in _spans_from(calendar, start) if wanted else ():
        opened = max(opens, start)
        if closes <= opened:
            continue
        until = before + (closes - opened)
        while wanted and wanted[-1] <= until:
            least = wanted.pop()
            found[least] = opened + (least - before)
        if not wanted:
            break
        before = until
    return found


def open_seconds(calendar: Calendar, start: datetime, end: datetime) -> float:
    """Return how many seconds of [start, end) are open; 0 when end is not after start."""
    total = timedelta()
    for opens, closes in _spans_from(calendar, start):
        if opens >= end:
            break
        total += max(min(closes, end) - max(opens, start), timedelta())
    return total.total_seconds()


@lru_cache(maxsize=8192)
def spans_on(calendar: Calendar, day: date) -> tuple[Span, ...]:
    """Return the open spans of a local day as UTC instants, in order; none on a holiday."""
    walls = calendar.week[day.weekday()]
    if not walls or day in calendar.closed_on or any(day in _public_holidays(c, day.year) for c in calendar.holidays):
        return ()
    zone = _zone(calendar.timezone)
    spans = ((_instant(day, start, zone), _instant(day, end, zone)) for start, end in walls)
    return tuple((start, end) for start, end in spans if start < end)


def _spans_from(calendar: Calendar, at: datetime) -> Iterator[Span]:
    day = at.astimezone(_zone(calendar.timezone)).date()
    for _ in range(_HORIZON_DAYS):
        yield from spans_on(calendar, day)
        day += timedelta(days=1)


def _instant(day: date, minutes: int, zone: ZoneInfo) -> datetime:
    if minutes == _DAY_MINUTES:
        day, minutes = day + timedelta(days=1), 0
    return datetime.combine(day, time(minutes // 60, minutes % 60), zone).astimezone(UTC)


def _minutes(wall: str) -> int:
    hours, minutes = wall.split(":")
    return int(hours) * 60 + int(minutes)


@lru_cache(maxsize=512)
def _public_holidays(code: str, year: int) -> frozenset[date]:
    import holidays  # here: its tables of calendars are 40 ms of each start, and most stages look at no day

    country, _, subdivision = code.partition("-")
    return frozenset(holidays.country_holidays(country, subdiv=subdivision or None, years=year))


@lru_cache(maxsize=512)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
