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
    times = [at for one in said if (at := set_aside_at(one)) is not None]
    return Waiting(len(said), min(times, default=None))


def set_aside_at(said: str) -> datetime | None:
    """Return when a record was set aside, from its header; None where a stranger wrote there and said no time."""
    try:
        at = datetime.fromisoformat(said)
    except ValueError:
        return None
    return at if at.tzinfo else None
