"""The months and quarters that packs are about."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta


@dataclass(frozen=True, slots=True)
class Period:
    """From `start` to `until` (exclusive), whole days UTC. name: "2026-10", "2026-Q3". due: when it is gone through."""

    name: str
    start: datetime
    until: datetime
    due: date

    def holds(self, at: datetime) -> bool:
        """Tell whether an instant falls into it."""
        return self.start <= at < self.until


def month(text: str) -> Period:
    """Return the month "2026-10". Raises ValueError."""
    start = datetime.strptime(text, "%Y-%m").replace(tzinfo=UTC)
    return _period(f"{start:%Y-%m}", start, 1)


def quarter(text: str) -> Period:
    """Return the quarter "2026-Q3". Raises ValueError."""
    year, _, number = text.partition("-Q")
    if number not in ("1", "2", "3", "4"):
        raise ValueError(f"{text!r} is no quarter")
    return _period(text, datetime(int(year), int(number) * 3 - 2, 1, tzinfo=UTC), 3)


def last_month(today: date) -> Period:
    """Return the last whole month before today."""
    return month(f"{today.replace(day=1) - timedelta(days=1):%Y-%m}")


def last_quarter(today: date) -> Period:
    """Return the last whole quarter before today."""
    ended = today.replace(month=(today.month - 1) // 3 * 3 + 1, day=1) - timedelta(days=1)
    return quarter(f"{ended.year}-Q{(ended.month - 1) // 3 + 1}")


def first_monday(year: int, number: int) -> date:
    """Return the first Monday of a month."""
    first = date(year, number, 1)
    return first + timedelta(days=-first.weekday() % 7)


def _period(name: str, start: datetime, months: int) -> Period:
    index = start.year * 12 + start.month - 1 + months
    until = datetime(index // 12, index % 12 + 1, 1, tzinfo=UTC)
    return Period(name, start, until, first_monday(until.year, until.month))
