"""Dead letters that nobody has settled: how many, and since when the oldest waits."""

import sqlite3
from dataclasses import dataclass
from datetime import datetime

import orjson

from streams.board.views.people import entities


@dataclass(frozen=True, slots=True)
class Waiting:
    """count: of letters neither replayed nor dropped. oldest: when the first of them was set aside, None for none."""

    count: int
    oldest: datetime | None


def waiting(connection: sqlite3.Connection) -> Waiting:
    """Return what waits in leads.dlq."""
    said = [orjson.loads(value)["time"] for value in entities(connection, "letter").values()]
    times = [datetime.fromisoformat(one) for one in said if one]  # a record that a stranger wrote there states none
    return Waiting(len(said), min(times, default=None))
