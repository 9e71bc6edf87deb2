"""When a lead was submitted, as far as its writer can be believed."""

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

_FIRST_SECOND = 1_000_000_000  # 2001: smaller numbers are no submission time in seconds
_FIRST_MILLI = 1_000_000_000_000


@dataclass(frozen=True, slots=True)
class Submitted:
    """at: aware UTC, never after the time received. problem: what was wrong, None where nothing was."""

    at: datetime
    problem: str | None = None


def parse(value: Any, received_at: datetime, skew: timedelta, oldest: timedelta) -> Submitted:
    """Return when the lead was submitted; the time received stands in where the stated one cannot be.

    value: ISO 8601, RFC 5322, or Unix time in seconds or milliseconds. A clock ahead by `skew` at most is pulled back
    in silence.
    problem: invalid, zone_missing (read as UTC where that is not in the future), future, too_old.
    """
    if value is None or value == "":
        return Submitted(received_at)
    stated = _instant(value)
    if stated is None:
        return Submitted(received_at, "invalid")
    problem = None
    if stated.tzinfo is None:
        stated, problem = stated.replace(tzinfo=UTC), "zone_missing"
    try:
        stated = stated.astimezone(UTC)
    except (OverflowError, ValueError):
        return Submitted(received_at, "invalid")
    if stated > received_at:
        return Submitted(received_at, problem if stated - received_at <= skew else "future")
    if received_at - stated > oldest:
        return Submitted(received_at, "too_old")
    return Submitted(stated, problem)


def _instant(value: Any) -> datetime | None:
    try:
        if isinstance(value, str):
            text = value.strip()[:64]
            if text.replace(".", "", 1).isdigit():
                return _from_number(float(text))
            return parsedate_to_datetime(text) if text[:3].isalpha() else datetime.fromisoformat(text)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return _from_number(float(value))
    except (ValueError, OverflowError, OSError):
        return None
    return None


def _from_number(number: float) -> datetime | None:
    if not math.isfinite(number) or number < _FIRST_SECOND:
        return None
    return datetime.fromtimestamp(number / 1000 if number >= _FIRST_MILLI else number, UTC)
