"""What is dropped when its time is over, so that the file does not grow with the years."""

import sqlite3
from dataclasses import dataclass
from datetime import datetime, timedelta

import orjson

from streams.board.batch import plain_row
from streams.board.marks import counted

AT_ONCE = 2_000  # rows of a transaction: the fold waits for it


@dataclass(frozen=True, slots=True)
class Keep:
    """For how long. closed: leads after their end. still: open leads without any decision. counts: of days and minutes.

    notices: in the app. Contact data goes with the decision that closes its lead, not by a time.
    """

    closed: timedelta = timedelta(days=30)
    still: timedelta = timedelta(days=180)
    counts: timedelta = timedelta(days=100)
    notices: timedelta = timedelta(days=30)
    letters: timedelta = timedelta(days=30)


def prune(connection: sqlite3.Connection, now: datetime, keep: Keep) -> bool:
    """Drop what is past its time, at most `AT_ONCE` leads and notices each; tell whether nothing is left to drop."""
    closed = _leads(connection, "leads_closed", "closed_at", (now - keep.closed).timestamp(), "closed_at IS NOT NULL")
    still = _leads(connection, "leads_still", "changed_at", (now - keep.still).timestamp(), "closed_at IS NULL")
    notices = connection.execute(
        "DELETE FROM notices WHERE key IN (SELECT key FROM notices WHERE at < ? LIMIT ?)",
        ((now - keep.notices).timestamp(), AT_ONCE),
    ).rowcount
    minute, day = (int((now - keep.counts).timestamp() // seconds) for seconds in (60, 86_400))
    connection.execute("DELETE FROM minutes WHERE minute < ?", (minute,))
    connection.execute(
        "DELETE FROM counts WHERE count = 0 OR kind IN ('rule', 'handed_on', 'leads', 'known') "
        "AND CAST(id AS INTEGER) < ?",
        (day,),
    )
    _letters(connection, now - keep.letters)
    return max(closed, still, notices) < AT_ONCE


def _leads(connection: sqlite3.Connection, index: str, column: str, before: float, where: str) -> int:
    rows = connection.execute(
        f"SELECT lead_id, row FROM leads INDEXED BY {index} WHERE {where} AND {column} < ? LIMIT ?", (before, AT_ONCE)
    ).fetchall()
    ids = [(lead,) for lead, _ in rows]
    connection.executemany("DELETE FROM leads WHERE lead_id=?", ids)
    connection.executemany("DELETE FROM told WHERE lead_id=?", ids)
    standing = [
        (-count, kind, name)
        for _, row in rows
        for kind, name, count in counted(plain_row(row, None))
        if kind in ("state", "owner", "held", "due")  # those of days are figures of the past, and stay
    ]
    connection.executemany("UPDATE counts SET count = count + ? WHERE kind=? AND id=?", standing)
    return len(rows)


def _letters(connection: sqlite3.Connection, before: datetime) -> None:
    """Drop dead letters that their topic keeps no longer."""
    rows = connection.execute("SELECT id, value FROM entities WHERE kind='letter'").fetchall()
    gone = [(key,) for key, value in rows if _is_before(orjson.loads(value).get("time"), before)]
    connection.executemany("DELETE FROM entities WHERE kind='letter' AND id=?", gone)


def _is_before(said: str | None, before: datetime) -> bool:
    try:
        return datetime.fromisoformat(said or "") < before
    except (ValueError, TypeError):  # a header that says no time; it shows until it is replayed
        return False
