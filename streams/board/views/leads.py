"""Lists of leads: at risk, waiting, missed, found, and one alone."""

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from streams.board.batch import row_of, told_of
from streams.board.lead_row import LeadRow
from streams.board.told import Told

SHOWN = 100  # rows of a list; how many there are beyond is said
_LISTED = "SELECT leads.row, leads.contact, told.told_at, told.told_epoch, told.failed_epoch FROM leads"
_TOLD = "LEFT JOIN told ON told.lead_id = leads.lead_id"


@dataclass(frozen=True, slots=True)
class Listed:
    """A lead with what is known of its notices."""

    lead: LeadRow
    told: Told

    @property
    def who(self) -> str:
        """Return the person's name while the lead is open, "" after."""
        contact = self.lead.contact
        return (contact.name or contact.email or "") if contact else ""

    @property
    def company(self) -> str:
        return self.lead.company or self.lead.domain or "unknown company"


@dataclass(frozen=True, slots=True)
class Risk:
    """Leads that nobody has contacted, by deadline. more: how many there are beyond those listed."""

    overdue: Sequence[Listed]
    soon: Sequence[Listed]
    overdue_count: int
    soon_count: int
    later_count: int


@dataclass(frozen=True, slots=True)
class Backlog:
    """Leads without a person of their own: held for room, in a queue, in quarantine, nurtured (counted only)."""

    held: Sequence[Listed]
    queues: Mapping[str, Sequence[Listed]]
    quarantined: Sequence[Listed]
    counts: Mapping[str, int]


def at_risk(connection: sqlite3.Connection, now: datetime, within: timedelta = timedelta(hours=1)) -> Risk:
    """Return who is waited for: overdue ones, those due `within`, and how many come later."""
    at, until = now.timestamp(), (now + within).timestamp()
    overdue = listed(connection, "waits_until < ?", (at,), "waits_until DESC", "leads_waiting")
    soon = listed(connection, "waits_until >= ? AND waits_until < ?", (at, until), "waits_until", "leads_waiting")
    overdue_count, soon_count = waiting_until(connection, at), waiting_until(connection, until, at)
    later_count = max(0, counts(connection, "due").get("", 0) - overdue_count - soon_count)
    return Risk(overdue, soon, overdue_count, soon_count, later_count)


def waiting_until(connection: sqlite3.Connection, until: float, since: float = 0.0) -> int:
    """Return how many leads are to be contacted from one instant to before another, Unix seconds."""
    found = connection.execute(
        "SELECT count(*) FROM leads INDEXED BY leads_waiting WHERE waits_until >= ? AND waits_until < ?", (since, until)
    ).fetchone()
    return int(found[0])


def counts(connection: sqlite3.Connection, kind: str) -> dict[str, int]:
    """Return what the fold counted of one kind (see marks.py), by id."""
    return dict(tuple(row) for row in connection.execute("SELECT id, count FROM counts WHERE kind=?", (kind,)))


def backlog(connection: sqlite3.Connection) -> Backlog:
    """Return what waits, oldest first."""
    queues: dict[str, list[Listed]] = {}
    for one in _standing(connection, "queued", "submitted_at"):
        queues.setdefault(one.lead.queue or "without a queue", []).append(one)
    return Backlog(
        _standing(connection, "held", "tier, submitted_at"),
        queues,
        _standing(connection, "quarantined", "submitted_at"),
        counts(connection, "state"),
    )


def _standing(connection: sqlite3.Connection, state: str, order: str) -> Sequence[Listed]:
    where = "state=? AND state <> 'assigned' AND closed_at IS NULL AND is_test=0"
    return listed(connection, where, (state,), order, "leads_backlog")


def missed(connection: sqlite3.Connection) -> Sequence[Listed]:
    """Return the latest breaches, newest first."""
    return listed(connection, "is_test=0 AND breached_at IS NOT NULL", (), "breached_at DESC")


def found(connection: sqlite3.Connection, words: str) -> Sequence[Listed]:
    """Return leads whose company, domain, person or id has all the words, latest first. People: open leads only."""
    asked = [word for word in words.lower().split() if word][:6]
    if not asked:
        return ()
    conditions = " AND ".join("(words LIKE ? ESCAPE '\\' OR who LIKE ? ESCAPE '\\')" for _ in asked)
    values = tuple(f"%{_plain(word)}%" for word in asked for _ in range(2))
    return listed(connection, conditions, values, "submitted_at DESC")


def of_owner(connection: sqlite3.Connection, rep: str) -> Sequence[Listed]:
    """Return the open leads of an owner, those without contact first."""
    return listed(connection, "owner=? AND closed_at IS NULL AND is_test=0", (rep,), "waits_until IS NULL, waits_until")


def one(connection: sqlite3.Connection, lead_id: str) -> Listed | None:
    """Return a lead, None where the board knows none of that id."""
    rows = listed(connection, "leads.lead_id=?", (lead_id,), "leads.lead_id")
    return rows[0] if rows else None


def listed(
    connection: sqlite3.Connection, where: str, values: tuple[Any, ...], order: str, index: str | None = None
) -> list[Listed]:
    """Return the first `SHOWN` leads that a condition holds for, written in this package alone."""
    by = f"INDEXED BY {index}" if index else ""
    rows = connection.execute(f"{_LISTED} {by} {_TOLD} WHERE {where} ORDER BY {order} LIMIT {SHOWN}", values)
    return [Listed(row_of(row, contact), told_of(*told)) for row, contact, *told in rows]


def _plain(word: str) -> str:
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


@dataclass(frozen=True, slots=True)
class InApp:
    """A notice for a person, shown here and nowhere else."""

    recipient: str
    lead: Listed | None
    template: str
    at: datetime


def in_app(connection: sqlite3.Connection, recipient: str | None) -> Sequence[InApp]:
    """Return the latest in-app notices, of one person or of all."""
    where, values = ("recipient=?", (recipient,)) if recipient else ("1", ())
    rows = connection.execute(
        f"SELECT recipient, lead_id, template, at FROM notices WHERE {where} ORDER BY at DESC LIMIT {SHOWN}", values
    ).fetchall()
    return [
        InApp(who, one(connection, lead), template, datetime.fromtimestamp(at, UTC)) for who, lead, template, at in rows
    ]
