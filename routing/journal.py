"""What the journal keeps of a decision: the input without contact, the clock, and all that came out, canonically."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any

import orjson

from routing.lead_state import LeadState
from schemas.decided import Decided
from schemas.effects import CancelWake, DeadLetter, Delete, Effect, Emit, Put, Wake
from schemas.lead import LeadScored
from schemas.scored import plain
from schemas.spliced import Written, spliced
from schemas.wire import encode

# Contacts are not journalled; a division's own record holds the journal's position, which batches move.
_APART = ("contact/", "division/")
_CONTACT = {"contact"}
_CANONICAL = orjson.OPT_UTC_Z | orjson.OPT_SORT_KEYS


def entry(event_id: str, event_type: str, offset: int, now: datetime, value: Any, effects: Sequence[Effect]) -> Written:
    """Return one journal entry as canonical JSON (schemas.decision.JournalEntry): of the value, all but the contact."""
    row = {
        "event_id": event_id,
        "type": event_type,
        "offset": offset,
        "now": now,
        "input": Written(_bare(value, effects)),
        "outcome": outcome(effects),
    }
    return Written(*spliced(row, plain))


def _bare(value: Any, effects: Sequence[Effect]) -> bytes:
    if isinstance(value, LeadScored):
        for effect in effects:
            if isinstance(effect, Put) and isinstance(effect.value, LeadState) and effect.value.scored.is_of(value):
                return effect.value.scored.json  # the lead as it came was kept: it is encoded already
        return value.__pydantic_serializer__.to_json(value, exclude_none=True, exclude=_CONTACT)
    return encode(value) or b"null"


def outcome(effects: Iterable[Effect]) -> list[dict[str, Any]]:
    """Return what came out. Decisions whole but for the contact; of state, keys and digests of the values."""
    rows: list[dict[str, Any]] = []
    for effect in effects:
        if not isinstance(effect, Put):
            row = _row(effect)
            if row is not None:
                rows.append(row)
        elif not effect.key.startswith(_APART):  # most are
            encoded = effect.encoded or orjson.dumps(effect.value, option=orjson.OPT_UTC_Z)
            rows.append({"put": effect.key, "sha256": sha256(encoded).hexdigest()[:16]})
    return rows


def canonical(rows: Any) -> bytes:
    """Return JSON data with sorted keys, for comparing byte by byte."""
    return orjson.dumps(orjson.loads(orjson.dumps(rows, plain, orjson.OPT_UTC_Z)), option=_CANONICAL)


def chained(previous: str, entries: Sequence[Written]) -> str:
    """Return the digest of a journal record: SHA-256 over the one before and the entries, hex."""
    digest = sha256(previous.encode())
    for row in entries:
        for piece in row.pieces:
            digest.update(piece)
    return digest.hexdigest()


def chunks(entries: Sequence[Written], most_bytes: int) -> list[list[Written]]:
    """Return the entries in runs of at most `most_bytes`; one that is larger stands alone."""
    runs: list[list[Written]] = []
    size = most_bytes + 1
    for row in entries:
        length = sum(map(len, row.pieces))
        if size + length > most_bytes:
            runs.append([])
            size = 0
        runs[-1].append(row)
        size += length
    return runs


def _row(effect: Emit | Delete | Wake | CancelWake | DeadLetter) -> dict[str, Any] | None:
    match effect:
        case Decided():
            return {"decision": Written(*effect.pieces)}
        case Delete(key):
            return None if key.startswith(_APART) else {"delete": key}
        case Wake():
            return {"wake": effect.key, "due_at": effect.due_at}
        case CancelWake(key):
            return {"cancel": key}
        case Emit() | DeadLetter():
            return None
