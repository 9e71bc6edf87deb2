"""Durations and points on a clock as people write them: "90s", "5m", "1h", "7d"; "0.5x" of a window."""

import re
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

UNIT_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
LONGEST = timedelta(days=400)
_FORM = r"(\d+(\.\d+)?(s|m|h|d|w))+"
_PART = re.compile(r"(\d+(?:\.\d+)?)(s|m|h|d|w)")
_WHOLE = re.compile(r"(?:\d+(?:\.\d+)?(?:s|m|h|d|w))+")
_MULTIPLE = re.compile(r"(\d+(?:\.\d+)?)x")


def duration(value: Any) -> timedelta:
    """Return what "1h30m" says. Raises ValueError with the allowed forms; 400 days at most."""
    if isinstance(value, timedelta):
        return value
    if not isinstance(value, str) or _WHOLE.fullmatch(value) is None:
        raise ValueError(f"{value!r} is no duration; write a number with s, m, h, d or w, such as 90s, 5m or 1h30m")
    seconds = sum(float(number) * UNIT_SECONDS[unit] for number, unit in _PART.findall(value))
    if seconds > LONGEST.total_seconds():
        raise ValueError(f"{value!r} is too long; 400d is the most")
    return timedelta(seconds=seconds)


def duration_text(value: timedelta) -> str:
    """Return the shortest way to write `value`: "1h30m", "0s"."""
    seconds = int(value.total_seconds())
    parts = []
    for unit in ("d", "h", "m", "s"):
        count, seconds = divmod(seconds, UNIT_SECONDS[unit])
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


Duration = Annotated[
    timedelta,
    BeforeValidator(duration),
    PlainSerializer(duration_text),
    WithJsonSchema({"type": "string", "pattern": f"^{_FORM}$", "examples": ["90s", "5m", "1h30m"]}),
]


@dataclass(frozen=True, slots=True)
class ClockPoint:
    """A point on a lead's clock: a multiple of the contact window, or a plain time from the clock's start."""

    multiple: float | None = None
    after: timedelta | None = None

    def of(self, window: timedelta) -> timedelta:
        """Return the time from the clock's start, given the contact window."""
        if self.after is not None:
            return self.after
        return window * (self.multiple or 0)

    def __str__(self) -> str:
        return _point_text(self)


@lru_cache(maxsize=1024)  # each decision names the steps of a ladder
def _point_text(point: ClockPoint) -> str:
    return f"{point.multiple:g}x" if point.after is None else duration_text(point.after)


def clock_point(value: Any) -> ClockPoint:
    """Return what "0.5x" or "15m" says. Raises ValueError with the allowed forms."""
    if isinstance(value, ClockPoint):
        return value
    if isinstance(value, str) and (found := _MULTIPLE.fullmatch(value)):
        return ClockPoint(multiple=float(found[1]))
    try:
        return ClockPoint(after=duration(value))
    except ValueError:
        raise ValueError(
            f"{value!r} is no point on a clock; write a multiple such as 2x or a time such as 15m"
        ) from None


At = Annotated[
    ClockPoint,
    BeforeValidator(clock_point),
    PlainSerializer(str),
    WithJsonSchema(
        {"type": "string", "pattern": r"^(\d+(\.\d+)?x|(\d+(\.\d+)?(s|m|h|d|w))+)$", "examples": ["2x", "15m"]}
    ),
]
