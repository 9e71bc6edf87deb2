"""The clock of a process: wall time at start, monotonic since."""

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Where `now` comes from. It never runs backwards."""

    def now(self) -> datetime:
        """Return aware UTC."""

    def drift_seconds(self) -> float:
        """Return wall time minus `now`. Not followed: an operator looks at the machine, a restart adopts it."""


class SteadyClock:
    """Wall time at construction plus monotonic time since: a stepped wall clock can't reorder what we decide."""

    def __init__(self) -> None:
        self._wall_at_start = datetime.now(UTC)
        self._monotonic_at_start = time.monotonic()

    def now(self) -> datetime:
        return self._wall_at_start + timedelta(seconds=time.monotonic() - self._monotonic_at_start)

    def drift_seconds(self) -> float:
        return (datetime.now(UTC) - self.now()).total_seconds()
