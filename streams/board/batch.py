"""The rows of the board that a batch of records touches: read at once, changed as plain data, written once each."""

import sqlite3
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson

from streams.board.lead_row import LeadRow, Row, lead_row
from streams.board.marks import counted, marks, waits_until
from streams.board.told import Told


@dataclass(slots=True)
class Batch:
    """The rows that a batch touches, read once and written once. *_before: as the store has them."""

    connection: sqlite3.Connection
    leads_before: dict[str, Row | None] = field(default_factory=dict)
    leads: dict[str, Row | None] = field(default_factory=dict)
    told_before: dict[str, Told] = field(default_factory=dict)
    told: dict[str, Told] = field(default_factory=dict)
    entities: dict[tuple[str, str], bytes | None] = field(default_factory=dict)
    notices: list[tuple[str, str, str, str, float]] = field(default_factory=list)

    def load(self, ids: Iterable[str]) -> None:
        """Read the rows of these leads."""
        wanted = orjson.dumps(list(ids)).decode()
        self.leads = dict.fromkeys(orjson.loads(wanted))
        self.told = dict.fromkeys(self.leads, Told())
        for lead, row, contact in self.connection.execute(
            "SELECT lead_id, row, contact FROM leads WHERE lead_id IN (SELECT value FROM json_each(?))", (wanted,)
        ):
            self.leads[lead] = plain_row(row, contact)
        for lead, *columns in self.connection.execute(
            "SELECT lead_id, told_at, told_epoch, failed_epoch FROM told "
            "WHERE lead_id IN (SELECT value FROM json_each(?))",
            (wanted,),
        ):
            self.told[lead] = told_of(*columns)
        self.leads_before, self.told_before = dict(self.leads), dict(self.told)


def plain_row(row: str, contact: str | None) -> Row:
    """Return a lead's plain data from its two columns."""
    found: Row = orjson.loads(row)
    found["contact"] = None if contact is None else orjson.loads(contact)
    return found


def row_of(row: str, contact: str | None) -> LeadRow:
    """Return a lead from its two columns."""
    return lead_row(plain_row(row, contact))


def told_of(told_at: float | None, told_epoch: int | None, failed_epoch: int | None) -> Told:
    """Return what is known of a lead's notices from its columns."""
    at = None if told_at is None else datetime.fromtimestamp(told_at, UTC)
    return Told(at, told_epoch or 0, failed_epoch or 0)


def write(batch: Batch) -> None:
    """Write what has changed, and what it adds to the counts."""
    counts, minutes = _changes(batch)
    many = batch.connection.executemany
    changed = [row for lead, row in batch.leads.items() if row is not None and row is not batch.leads_before[lead]]
    many(_PUT_LEAD, [_columns(row) for row in changed])
    many(
        "INSERT OR REPLACE INTO told VALUES (?, ?, ?, ?)",
        [
            (lead, _unix(one.told_at), one.told_epoch, one.failed_epoch)
            for lead, one in batch.told.items()
            if one != batch.told_before[lead]
        ],
    )
    many("INSERT OR IGNORE INTO notices VALUES (?, ?, ?, ?, ?)", batch.notices)
    many(_ADD_COUNT, [(*key, count) for key, count in counts.items() if count])
    many(_ADD_MINUTE, [(*key, count) for key, count in minutes.items() if count])
    put = [(*key, value.decode()) for key, value in batch.entities.items() if value is not None]
    many("INSERT INTO entities VALUES (?, ?, ?) ON CONFLICT (kind, id) DO UPDATE SET value = excluded.value", put)
    many("DELETE FROM entities WHERE kind=? AND id=?", [key for key, value in batch.entities.items() if value is None])


def _changes(batch: Batch) -> tuple[Counter[tuple[str, str]], Counter[tuple[int, str]]]:
    """Return what the batch adds to the counts, by (kind, id), and to the minutes that the leads arrived in."""
    counts: Counter[tuple[str, str]] = Counter()
    minutes: Counter[tuple[int, str]] = Counter()
    for lead, row in batch.leads.items():
        before = batch.leads_before[lead]
        if row is not before:
            for kind, name, count in counted(before):
                counts[kind, name] -= count
            for kind, name, count in counted(row):
                counts[kind, name] += count
        if row is not None:
            minute = int(row["received_at"] // 60)
            was, now = marks(before, batch.told_before[lead]), marks(row, batch.told[lead])
            for what in was ^ now:
                minutes[minute, what] += 1 if what in now else -1
    return counts, minutes


_COLUMNS = (
    "lead_id",
    "state",
    "owner",
    "owner_kind",
    "tier",
    "changed_at",
    "submitted_at",
    "placed_at",
    "waits_until",
    "contacted_at",
    "closed_at",
    "breached_at",
    "moves",
    "is_test",
    "words",
    "who",
    "row",
    "contact",
)
_PUT_LEAD = (
    f"INSERT INTO leads ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))}) "
    f"ON CONFLICT (lead_id) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in _COLUMNS[1:])}"
)
_ADD_COUNT = "INSERT INTO counts VALUES (?, ?, ?) ON CONFLICT (kind, id) DO UPDATE SET count = count + excluded.count"
_ADD_MINUTE = (
    "INSERT INTO minutes VALUES (?, ?, ?) ON CONFLICT (minute, what) DO UPDATE SET count = count + excluded.count"
)


def _columns(row: Row) -> Sequence[Any]:
    contact = row["contact"]
    said = () if contact is None else (contact.get("name"), contact.get("email"))
    return (
        row["lead_id"],
        row["state"],
        row["owner"],
        row["owner_kind"],
        row["tier"],
        row["changed_at"],
        row["submitted_at"],
        row["placed_at"],
        waits_until(row),
        row["contacted_at"],
        row["closed_at"],
        row["breached_at"],
        len(row["moved_at"]),
        row["is_test"],
        " ".join(part for part in (row["company"], row["domain"], row["lead_id"]) if part).lower(),
        " ".join(part for part in said if part).lower() or None,
        orjson.dumps({name: value for name, value in row.items() if name != "contact"}).decode(),
        None if contact is None else orjson.dumps(contact).decode(),
    )


def _unix(at: datetime | None) -> float | None:
    return None if at is None else at.timestamp()
