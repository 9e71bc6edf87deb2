"""How far the leads of a day came, minute by minute, and what has no end yet."""

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

STEPS = ("arrived", "placed", "told", "contacted")
_SAMPLE = 200  # leads that typical times are taken from, the latest


@dataclass(frozen=True, slots=True)
class Funnel:
    """counts: mark -> leads that arrived since `since` and came so far.

    series: minute starts, oldest first, with arrived and contacted. to_owner, to_contact: median seconds of the latest
    leads, None where there are none.
    """

    since: datetime
    counts: Mapping[str, int]
    minutes: Sequence[int]
    arrived: Sequence[int]
    contacted: Sequence[int]
    to_owner: float | None
    to_contact: float | None

    def share(self, step: str) -> float:
        """Return the share of the arrived that reached a step, 0 to 1."""
        return self.counts.get(step, 0) / self.counts["arrived"] if self.counts.get("arrived") else 0.0

    @property
    def in_time(self) -> float | None:
        """Return the share answered in time of all whose time was up or who were answered; None before the first."""
        kept, missed = self.counts.get("in_time", 0), self.counts.get("missed", 0)
        return kept / (kept + missed) if kept + missed else None


def funnel(connection: sqlite3.Connection, since: datetime, now: datetime, minutes: int = 60) -> Funnel:
    """Return the funnel of the leads that arrived since an instant. minutes: length of the series."""
    rows = connection.execute(
        "SELECT what, sum(count) FROM minutes WHERE minute >= ? GROUP BY what", (int(since.timestamp() // 60),)
    )
    counts = {"arrived": 0} | dict(tuple(row) for row in rows)
    last = int(now.timestamp() // 60)
    first = last - minutes + 1
    rows = connection.execute("SELECT minute, what, count FROM minutes WHERE minute >= ?", (first,))
    series = {(minute, what): count for minute, what, count in rows}
    shown = range(first, last + 1)
    return Funnel(
        since,
        counts,
        [minute * 60 for minute in shown],
        [series.get((minute, "arrived"), 0) for minute in shown],
        [series.get((minute, "contacted"), 0) for minute in shown],
        _typical(connection, "placed_at", "leads_submitted", now),
        _typical(connection, "contacted_at", "leads_contacted", now),
    )


def _typical(connection: sqlite3.Connection, column: str, index: str, now: datetime) -> float | None:
    """Return the median seconds from submission to an instant, of the latest leads of a day that had it."""
    since = (now - timedelta(days=1)).timestamp()
    rows = connection.execute(
        f"SELECT {column} - submitted_at FROM leads INDEXED BY {index} WHERE {index.removeprefix('leads_')}_at >= ? "
        f"AND {column} IS NOT NULL AND is_test = 0 ORDER BY {index.removeprefix('leads_')}_at DESC LIMIT {_SAMPLE}",
        (since,),
    )
    waits = [max(0.0, wait) for (wait,) in rows]
    return median(waits) if waits else None
