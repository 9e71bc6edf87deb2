"""From a record of leads.timers to an entry of the index, and from a due entry to what is written when it fires."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime

import orjson

from schemas.ids import derived_id
from schemas.poison import Poison
from schemas.timer import TIMER_ARMED, WAKE_UP, TimerArmed
from schemas.topics import TOPICS
from schemas.wire import NewerSchema, decode, headers_for
from streams.errors import Fatal
from streams.message import Incoming
from streams.timers.index import Pending, entry, instant, microseconds
from streams.transaction import PARTITION_BY_KEY, Record

STAGE = "timers"
TOPIC = "leads.timers"
SOURCE = "leadstream/timers"
_OFFSET_BYTES = 8
TRACE = "traceparent"
_TRACE_SHAPE = re.compile(rb"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")  # W3C trace context


class NewerTimers(Fatal):
    """leads.timers holds wake-ups of a newer schema than this build knows. Deploy TIMERS before what arms them."""


def row(message: Incoming) -> tuple[bytes, bytes | None] | None:
    """Return key and entry (None: a tombstone) of a record, None where it has no key.

    The entry's body is the record's offset, which tells one arming of a key from the next, and its value, with the
    trace that the record is part of.
    Raises Poison for what is no wake-up that could fire, and NewerTimers.
    """
    key, value = message.key(), message.value()
    if key is None:
        raise Poison("a wake-up needs a key")
    if value is None:
        return key, None
    headers = dict(message.headers() or ())
    version = headers.get("ce_schemaversion") or b"1"
    if not version.isdigit():
        raise Poison("ce_schemaversion is no number")
    try:
        armed: TimerArmed = decode(TIMER_ARMED, int(version), value)
        key.decode()
    except NewerSchema as error:
        raise NewerTimers() from error
    except UnicodeDecodeError as error:
        raise Poison("its key is not UTF-8") from error
    if armed.topic not in TOPICS:
        raise Poison(f"it wakes {armed.topic[:60]!r}, which is no topic")
    return key, entry(microseconds(armed.due_at), message.offset().to_bytes(_OFFSET_BYTES) + _traced(value, headers))


def _traced(value: bytes, headers: Mapping[str, bytes | None]) -> bytes:
    """Return the JSON object `value` with the trace of its record inside: an entry has no headers."""
    trace = headers.get(TRACE)
    if trace is None or not _TRACE_SHAPE.fullmatch(trace):
        return value
    return value.rstrip()[:-1] + b',"%s":"%s"}' % (TRACE.encode(), trace)


class Firing:
    """Makes the records of one transaction's fires. fired_at and lag are the same for all of them."""

    def __init__(self, namespace: dict[str, str], fired_at: datetime, activity_lag_seconds: float | None) -> None:
        """namespace: logical topic -> full name."""
        self._names = namespace
        self._fired_at = fired_at
        self._lag = activity_lag_seconds
        self._headers: Sequence[tuple[str, bytes | None]] = [
            (name, value) for name, value in headers_for("", WAKE_UP, SOURCE, fired_at, {}) if name != "ce_id"
        ]

    def records(self, pending: Pending, partition: int) -> tuple[Record, Record]:
        """Return the wake-up, to the topic that it names, and the tombstone, to the partition it was read from."""
        armed = orjson.loads(pending.body[_OFFSET_BYTES:])
        due_at = instant(pending.due_us)
        wake = {
            "waker": pending.key.decode(),
            "due_at": due_at,
            "fired_at": self._fired_at,
            "data": armed.get("data") or {},
        }
        if self._lag is not None:
            wake["activity_lag_seconds"] = self._lag
        arming = int.from_bytes(pending.body[:_OFFSET_BYTES])
        event_id = derived_id(f"{TOPIC}/{partition}/{arming}", STAGE, "fire")
        trace = [(TRACE, armed[TRACE].encode())] if TRACE in armed else []
        return (
            Record(
                self._names[armed["topic"]],
                armed["to_key"],
                orjson.dumps(wake, option=orjson.OPT_UTC_Z),
                [("ce_id", event_id.encode()), *self._headers, *trace],
                PARTITION_BY_KEY,
            ),
            Record(self._names[TOPIC], pending.key, None, None, partition),
        )
