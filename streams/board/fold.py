"""From records to rows: what each topic changes in the store. One transaction a batch, each record taken once.

500 leads a second are some 4,000 records, and half a core is for all of them. So: plain JSON data, not models; a batch
reads the rows that it touches at once and writes each once; counts are kept, never counted. A record that does not
read so is decoded by its model, which says what is wrong with it.
"""

import sqlite3
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from schemas.delivery import Outcome
from schemas.poison import Poison
from schemas.wire import VERSIONS, NewerSchema, decode, schema_version
from streams.board.batch import Batch, write
from streams.board.lead_row import after_decision, unix
from streams.board.store import Position, advance
from streams.board.told import after_notice
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
    write(batch)
    advance(connection, [Position(*place, offset) for place, offset in reached.items()])
    return unread


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
