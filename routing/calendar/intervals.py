"""Spans of time as [start, end) pairs."""

from collections.abc import Iterable
from datetime import datetime
from typing import TypeVar

Instant = TypeVar("Instant", int, datetime)


def joined(spans: Iterable[tuple[Instant, Instant]]) -> list[tuple[Instant, Instant]]:
    """Return the spans in order, those that overlap or touch as one."""
    found: list[tuple[Instant, Instant]] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found
