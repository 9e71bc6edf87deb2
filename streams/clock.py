"""The clock of a process: wall time at start, monotonic since."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Where `now` comes from. It never runs backwards."""

    def now(self) -> datetime:
        """Return aware UTC."""

    def drift_seconds(self) -> float:
        """Return wall time minus `now`. Not followed: an operator looks at the machine, a restart adopts it."""


def wall_time() -> datetime:
    """Return what the machine's clock says, aware UTC. It may be stepped at any time."""
    return datetime.now(UTC)


class SteadyClock:
    """Wall time at construction plus monotonic time since: a stepped wall clock can't reorder what we decide.

    wall, monotonic: the machine's clocks, seconds for the latter; a test gives its own.
    """

    def __init__(
        self, wall: Callable[[], datetime] = wall_time, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._wall = wall
        self._monotonic = monotonic
        self._wall_at_start = wall()
        self._monotonic_at_start = monotonic()

    def now(self) -> datetime:
        return self._wall_at_start + timedelta(seconds=self._monotonic() - self._monotonic_at_start)

    def drift_seconds(self) -> float:
        return (self._wall() - self.now()).total_seconds()
