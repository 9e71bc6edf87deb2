"""From records to rows: what each topic changes in the store. One transaction a batch, each record taken once."""

import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import orjson
from pydantic import TypeAdapter

from schemas.decision import Decision
from schemas.delivery import NoticeSettled, Outcome
from schemas.lead import Contact
from schemas.poison import Poison
from schemas.wire import NewerSchema, decode
from streams.board.lead_row import LeadRow, after_decision
from streams.board.store import Position, advance
from streams.board.told import Told, after_notice
from streams.deadletter import PREFIX

TOPICS = ("leads.assigned", "leads.notified", "reps", "accounts", "policies", "leads.dlq", "state.assign")
"""What the board reads. Of state.assign only reps, pools, groups and turns: the loads that ASSIGN decided by."""

_OF_ASSIGN = (b"rep/", b"pool/", b"turn/", b"group/")
_SETTLING = (b'"is_first":true', b'"all_failed":true', b'"channel":"in_app"')
_ROW: TypeAdapter[LeadRow] = TypeAdapter(LeadRow)


@dataclass(frozen=True, slots=True)
class Seen:
    """One record. topic: logical name. headers: as text."""

    topic: str
    partition: int
    offset: int
    key: bytes
    value: bytes | None
    headers: Mapping[str, str]


@dataclass(slots=True)
class Batch:
    """The rows that a batch touches, read once and written once. counts: (minute, what) -> how many more."""

    connection: sqlite3.Connection
    leads: dict[str, LeadRow | None] = field(default_factory=dict)
    told: dict[str, Told] = field(default_factory=dict)
    counts: dict[tuple[int, str], int] = field(default_factory=dict)
    unread: int = 0

    def lead(self, lead_id: str) -> LeadRow | None:
        if lead_id not in self.leads:
            found = self.connection.execute("SELECT row, contact FROM leads WHERE lead_id=?", (lead_id,)).fetchone()
            self.leads[lead_id] = None if found is None else row_of(*found)
        return self.leads[lead_id]

    def told_of(self, lead_id: str) -> Told:
        if lead_id not in self.told:
            found = self.connection.execute(
                "SELECT told_at, told_epoch, failed_epoch FROM told WHERE lead_id=?", (lead_id,)
            ).fetchone()
            self.told[lead_id] = Told() if found is None else told_of(*found)
        return self.told[lead_id]

    def count(self, row: LeadRow, before: frozenset[str], after: frozenset[str]) -> None:
        """Note in the minute that the lead arrived in which marks it gained and lost."""
        minute = int(row.received_at.timestamp() // 60)
        for what in before ^ after:
            key = (minute, what)
            self.counts[key] = self.counts.get(key, 0) + (1 if what in after else -1)


def fold(connection: sqlite3.Connection, records: Iterable[Seen], positions: Mapping[tuple[str, int], int]) -> int:
    """Take the records in and note how far they reach; return how many could not be read.

    positions: (topic, partition) -> next offset before this batch; a record below it is a repeat and is left out.
    """
    batch, reached = Batch(connection), dict(positions)
    for seen in records:
        place = (seen.topic, seen.partition)
        if seen.offset < reached.get(place, 0):
            continue
        reached[place] = seen.offset + 1
        try:
            _TAKE[seen.topic](batch, seen)
        except (Poison, NewerSchema):  # the stages have it set aside and told; the board counts what it cannot show
            batch.unread += 1
    _write(batch)
    advance(connection, [Position(*place, offset) for place, offset in reached.items()])
    return batch.unread


def row_of(row: str, contact: str | None) -> LeadRow:
    """Return a lead from its two columns."""
    found = _ROW.validate_json(row)
    return found if contact is None else replace(found, contact=Contact.model_validate_json(contact))


def told_of(told_at: float | None, told_epoch: int | None, failed_epoch: int | None) -> Told:
    """Return what is known of a lead's notices from its columns."""
    at = None if told_at is None else datetime.fromtimestamp(told_at, UTC)
    return Told(at, told_epoch or 0, failed_epoch or 0)


def _decided(batch: Batch, seen: Seen) -> None:
    decision: Decision = _decoded(seen, "lead.decided")
    before, told = batch.lead(decision.lead_id), batch.told_of(decision.lead_id)
    after = after_decision(before, decision)
    batch.leads[decision.lead_id] = after
    batch.connection.execute(
        "INSERT OR IGNORE INTO decisions VALUES (?, ?, ?, ?)",
        (decision.lead_id, seen.partition, seen.offset, decision.at.timestamp()),
    )
    batch.count(after, marks(before, told), marks(after, told))


def marks(row: LeadRow | None, told: Told) -> frozenset[str]:
    """Return how far a lead came: of arrived, placed, told, contacted, in_time, missed, closed. Test leads: nothing."""
    if row is None or row.is_test:
        return frozenset()
    reached = {
        "arrived": True,
        "placed": row.placed_at is not None,
        "told": told.told_at is not None,
        "contacted": row.contacted_at is not None,
        "in_time": row.contacted_at is not None and row.breach is None,
        "missed": row.breach is not None,
        "closed": row.closed_at is not None,
    }
    return frozenset(what for what, is_reached in reached.items() if is_reached)


def _settled(batch: Batch, seen: Seen) -> None:
    if seen.value is None or not any(mark in seen.value for mark in _SETTLING):
        return  # nine of ten records: further channels, the CRM, the reply to the lead
    notice: NoticeSettled = _decoded(seen, "notice.settled")
    before = batch.told_of(notice.lead_id)
    after = after_notice(before, notice)
    batch.told[notice.lead_id] = after
    row = batch.lead(notice.lead_id)
    if row is not None:
        batch.count(row, marks(row, before), marks(row, after))
    if notice.channel == "in_app" and notice.outcome is Outcome.DELIVERED:
        batch.connection.execute(
            "INSERT OR IGNORE INTO notices VALUES (?, ?, ?, ?, ?)",
            (notice.key, notice.recipient, notice.lead_id, notice.template, notice.at.timestamp()),
        )


def _table(kind: str, event_type: str) -> Callable[[Batch, Seen], None]:
    def take(batch: Batch, seen: Seen) -> None:
        _decoded(seen, event_type) if event_type else None
        _put(batch, kind, seen.key.decode(errors="replace"), seen.value)

    return take


def _policies(batch: Batch, seen: Seen) -> None:
    key = seen.key.decode(errors="replace")
    _decoded(seen, "policy.pointer" if key.startswith("active/") else "policy.body")
    _put(batch, "policy", key, seen.value)


def _letter(batch: Batch, seen: Seen) -> None:
    if resolves := seen.headers.get("dlq_resolves"):
        _put(batch, "letter", resolves, None)
        return
    told = {name: seen.headers.get(PREFIX + name, "") for name in ("topic", "stage", "error", "reason", "time")}
    _put(batch, "letter", f"{seen.partition}/{seen.offset}", orjson.dumps(told))


def _of_assign(batch: Batch, seen: Seen) -> None:
    if seen.key.startswith(_OF_ASSIGN):
        kind, _, rest = seen.key.decode().partition("/")
        _put(batch, f"assign.{kind}", rest, seen.value)


_TAKE: Mapping[str, Callable[[Batch, Seen], None]] = {
    "leads.assigned": _decided,
    "leads.notified": _settled,
    "reps": _table("rep", "rep.put"),
    "accounts": _table("account", "account.put"),
    "policies": _policies,
    "leads.dlq": _letter,
    "state.assign": _of_assign,
}


def _decoded(seen: Seen, event_type: str) -> Any:
    version = seen.headers.get("ce_schemaversion", "1")
    return decode(event_type, int(version) if version.isdigit() else 1, seen.value)


def _put(batch: Batch, kind: str, key: str, value: bytes | None) -> None:
    if value is None:
        batch.connection.execute("DELETE FROM entities WHERE kind=? AND id=?", (kind, key))
        return
    batch.connection.execute(
        "INSERT INTO entities VALUES (?, ?, ?) ON CONFLICT (kind, id) DO UPDATE SET value = excluded.value",
        (kind, key, value.decode()),
    )


def _write(batch: Batch) -> None:
    batch.connection.executemany(
        "INSERT OR REPLACE INTO leads VALUES (" + ", ".join("?" * 24) + ")",
        [_columns(row) for row in batch.leads.values() if row is not None],
    )
    batch.connection.executemany(
        "INSERT OR REPLACE INTO told VALUES (?, ?, ?, ?)",
        [(lead, _unix(one.told_at), one.told_epoch, one.failed_epoch) for lead, one in batch.told.items()],
    )
    batch.connection.executemany(
        "INSERT INTO minutes VALUES (?, ?, ?) ON CONFLICT (minute, what) DO UPDATE SET count = count + excluded.count",
        [(*key, count) for key, count in batch.counts.items()],
    )


def _columns(row: LeadRow) -> Sequence[Any]:
    contact = row.contact
    who = None if contact is None else " ".join(part for part in (contact.name, contact.email) if part).lower()
    return (
        row.lead_id,
        row.state,
        row.tier,
        row.owner,
        row.owner_kind,
        row.queue,
        row.pool,
        row.rule,
        row.changed_at.timestamp(),
        row.submitted_at.timestamp(),
        _unix(row.placed_at),
        _unix(row.next_at),
        _unix(row.due_at),
        _unix(row.contacted_at),
        _unix(row.closed_at),
        _unix(row.breached_at),
        len(row.moved_at),
        row.is_test,
        row.breach is not None,
        sum(value is not None for value in (row.employees, row.industry, row.country, row.company_domain)),
        " ".join(part for part in (row.company, row.domain, row.lead_id) if part).lower(),
        who,
        orjson.dumps(row, _apart, orjson.OPT_UTC_Z).decode(),
        None if contact is None else contact.model_dump_json(exclude_none=True),
    )


def _unix(at: datetime | None) -> float | None:
    return None if at is None else at.timestamp()


def _apart(value: object) -> None:
    """A contact has a column of its own; in the row it is null."""
    assert isinstance(value, Contact)
