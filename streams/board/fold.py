"""From records to rows: what each topic changes in the store. One transaction a batch, each record taken once.

500 leads a second are some 4,000 records, and half a core is for all of them. So: plain JSON data, not models; a batch
reads the rows that it touches at once and writes each once; counts are kept, never counted. A record that does not
read so is decoded by its model, which says what is wrong with it.
"""

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson

from schemas.delivery import Outcome
from schemas.poison import Poison
from schemas.wire import VERSIONS, NewerSchema, decode, schema_version
from streams.board.lead_row import LeadRow, Row, after_decision, lead_row, unix
from streams.board.marks import counted, marks, waits_until
from streams.board.store import Position, advance
from streams.board.told import Told, after_notice
from streams.deadletter import PREFIX

TOPICS = ("leads.assigned", "leads.notified", "reps", "accounts", "policies", "leads.dlq", "state.assign")
"""What the board reads. Of state.assign only reps, pools, groups and turns: the loads that ASSIGN decided by."""

OF_ASSIGN = (b"rep/", b"pool/", b"turn/", b"group/")
MOST_PLACES = 60  # decisions of one lead whose places are kept, the latest
_SETTLING = (b'"is_first":true', b'"all_failed":true', b'"channel":"in_app"')
_MALFORMED = (KeyError, TypeError, ValueError, AttributeError)


@dataclass(frozen=True, slots=True)
class Seen:
    """One record. topic: logical name. headers: as text; those that the fold needs."""

    topic: str
    partition: int
    offset: int
    key: bytes
    value: bytes | None
    headers: Mapping[str, str]


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


Taken = tuple[Seen, Any]
"""A record, and what it says as JSON data where its topic is read so."""


def fold(connection: sqlite3.Connection, records: Iterable[Seen], positions: Mapping[tuple[str, int], int]) -> int:
    """Take the records in and note how far they reach; return how many could not be read.

    positions: (topic, partition) -> next offset before this batch; a record below it is a repeat and is left out.
    """
    batch, unread = Batch(connection), 0
    reached: dict[tuple[str, int], int] = {}
    taken: list[Taken] = []
    for seen in records:
        place = (seen.topic, seen.partition)
        if seen.offset < reached.get(place, positions.get(place, 0)):
            continue
        reached[place] = seen.offset + 1
        read = _READ[seen.topic]
        try:
            taken.append((seen, read(seen)))
        except (Poison, NewerSchema):  # the stages have it set aside and told; the board counts what it cannot show
            unread += 1
    batch.load({said["lead_id"]: None for _, said in taken if said is not None})
    for seen, said in taken:
        try:
            _TAKE[seen.topic](batch, seen, said)
        except Poison:
            unread += 1
    _write(batch)
    advance(connection, [Position(*place, offset) for place, offset in reached.items()])
    return unread


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


def _plain(event_type: str) -> Callable[[Seen], Any]:
    """Return a reader of records of one type that are about a lead."""

    def read(seen: Seen) -> Any:
        version = schema_version(seen.headers)
        if version > VERSIONS[event_type]:
            raise NewerSchema(event_type, version)
        if seen.value is None:
            raise Poison("the value is empty")
        try:
            said = orjson.loads(seen.value)
        except orjson.JSONDecodeError as error:
            raise Poison(f"not JSON: {error.msg}") from error
        if not isinstance(said, dict) or not isinstance(said.get("lead_id"), str):
            raise Poison("it names no lead")
        return said

    return read


def _settling(seen: Seen) -> Any:
    if seen.value is None or not any(mark in seen.value for mark in _SETTLING):
        return None  # nine of ten records: further channels, the CRM, the reply to the lead
    return _NOTICE(seen)


def _not_about_a_lead(_seen: Seen) -> None:
    return None


def _strictly(event_type: str, seen: Seen, error: Exception) -> Poison:
    """Return why a record does not read. Raises `error` where its model has nothing against it: the fault is ours."""
    try:
        decode(event_type, VERSIONS[event_type], seen.value)
    except Poison as poison:
        return poison
    raise error


def _decided(batch: Batch, seen: Seen, said: Any) -> None:
    lead = said["lead_id"]
    try:
        after = after_decision(batch.leads[lead], said)
    except _MALFORMED as error:
        raise _strictly("lead.decided", seen, error) from error
    after["places"] = [*after.get("places", ()), (seen.partition, seen.offset)][-MOST_PLACES:]
    batch.leads[lead] = after


def _settled(batch: Batch, seen: Seen, said: Any) -> None:
    if said is None:
        return
    lead = said["lead_id"]
    try:
        after = after_notice(batch.told[lead], said)
        if said["channel"] == "in_app" and said["outcome"] == Outcome.DELIVERED.value:
            batch.notices.append((said["key"], said["recipient"], lead, said["template"], unix(said["at"])))
    except _MALFORMED as error:
        raise _strictly("notice.settled", seen, error) from error
    batch.told[lead] = after


def _table(kind: str, event_type: str) -> Callable[[Batch, Seen, Any], None]:
    def take(batch: Batch, seen: Seen, _said: Any) -> None:
        _checked(event_type, seen)
        batch.entities[kind, seen.key.decode(errors="replace")] = seen.value

    return take


def _policies(batch: Batch, seen: Seen, _said: Any) -> None:
    key = seen.key.decode(errors="replace")
    _checked("policy.pointer" if key.startswith("active/") else "policy.body", seen)
    batch.entities["policy", key] = seen.value


def _letter(batch: Batch, seen: Seen, _said: Any) -> None:
    if resolves := seen.headers.get("dlq_resolves"):
        batch.entities["letter", resolves] = None
        return
    told = {name: seen.headers.get(PREFIX + name, "") for name in ("topic", "stage", "error", "reason", "time")}
    batch.entities["letter", f"{seen.partition}/{seen.offset}"] = orjson.dumps(told)


def _of_assign(batch: Batch, seen: Seen, _said: Any) -> None:
    if seen.key.startswith(OF_ASSIGN):
        kind, _, rest = seen.key.decode().partition("/")
        batch.entities[f"assign.{kind}", rest] = seen.value  # of many in a batch, the last alone is written


_NOTICE = _plain("notice.settled")
_READ: Mapping[str, Callable[[Seen], Any]] = dict.fromkeys(TOPICS, _not_about_a_lead) | {
    "leads.assigned": _plain("lead.decided"),
    "leads.notified": _settling,
}
_TAKE: Mapping[str, Callable[[Batch, Seen, Any], None]] = {
    "leads.assigned": _decided,
    "leads.notified": _settled,
    "reps": _table("rep", "rep.put"),
    "accounts": _table("account", "account.put"),
    "policies": _policies,
    "leads.dlq": _letter,
    "state.assign": _of_assign,
}


def _checked(event_type: str, seen: Seen) -> None:
    """Raise Poison where the record does not read as its type: these are few, and shape what all pages say."""
    try:
        decode(event_type, schema_version(seen.headers), seen.value)
    except NewerSchema as newer:
        raise Poison(str(newer)) from newer


def _write(batch: Batch) -> None:
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
