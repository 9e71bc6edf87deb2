"""From a record of leads.timers to an entry of the index, and from a due entry to what is written when it fires."""

import re
from collections.abc import Callable
from datetime import datetime

from orjson import OPT_UTC_Z, dumps

from schemas.ids import derived_ids
from schemas.poison import Poison
from schemas.timer import TIMER_ARMED, WAKE_UP, TimerArmed, why_never
from schemas.wire import NewerSchema, decode, headers_for, said_version
from streams.errors import Fatal
from streams.message import Incoming
from streams.timers.index import Pending, entry, instant, microseconds
from streams.tracing import Place, Tracing, place_below
from streams.transaction import PARTITION_BY_KEY, Headers, Row

STAGE = "timers"
TOPIC = "leads.timers"
SOURCE = "leadstream/timers"
_OFFSET_BYTES = 8
TRACE = "traceparent"
_TRACE_SHAPE = re.compile(rb"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")  # W3C trace context
_APART = b"\0"  # between the parts of an entry's body


class NewerTimers(Fatal):
    """leads.timers holds wake-ups of a newer schema than this build knows. Deploy TIMERS before what arms them."""


def row(message: Incoming) -> tuple[bytes, bytes | None] | None:
    """Return key and entry (None: a tombstone) of a record, None where it has no key.

    The entry's body is the record's offset, which tells one arming of a key from the next, and what its fire needs:
    topic, key and trace to write it with, and its data.
    Raises Poison for what is no wake-up that could fire, and NewerTimers.
    """
    key, value = message.key(), message.value()
    if key is None:
        raise Poison("a wake-up needs a key")
    if value is None:
        return key, None
    version, trace = _said(message)
    try:
        armed: TimerArmed = decode(TIMER_ARMED, version, value)
    except NewerSchema as error:
        raise NewerTimers() from error
    reason = why_never(key, armed)
    if reason is not None:
        raise Poison(reason)
    parts = _APART.join((armed.topic.encode(), armed.to_key.encode(), trace, dumps(armed.data)))
    return key, entry(microseconds(armed.due_at), message.offset().to_bytes(_OFFSET_BYTES) + parts)


def _said(message: Incoming) -> tuple[int, bytes]:
    """Return the schema version and the trace that the headers state; 1 and nothing by default."""
    version, trace = 1, b""
    for name, value in message.headers() or ():
        if name == "ce_schemaversion" and value:
            version = said_version(value.decode(errors="replace"))
        elif name == TRACE and value and _TRACE_SHAPE.fullmatch(value):
            trace = value
    return version, trace


class Firing:
    """Makes the records of one transaction's fires. fired_at and lag are the same for all of them."""

    def __init__(
        self,
        namespace: dict[str, str],
        fired_at: datetime,
        activity_lag_seconds: float | None,
        tracing: Tracing | None = None,
    ) -> None:
        """namespace: logical topic -> full name."""
        self._tracing = tracing
        self._traced: list[tuple[Place, int, bytes, str]] = []
        self._names = {name.encode(): full for name, full in namespace.items()}
        self._topic = namespace[TOPIC]
        self._seconds: dict[int, bytes] = {}
        self._ids: dict[int, Callable[[int], str]] = {}
        lag = {} if activity_lag_seconds is None else {"activity_lag_seconds": activity_lag_seconds}
        # What all of them end in: `"fired_at": ...` and the lag, without the opening brace.
        self._end = dumps({"fired_at": fired_at, **lag}, option=OPT_UTC_Z)[1:]
        self._headers: Headers = [
            (name, value) for name, value in headers_for("", WAKE_UP, SOURCE, fired_at, {}) if name != "ce_id"
        ]

    def records(self, pending: Pending, partition: int) -> tuple[Row, Row]:
        """Return the wake-up, to the topic that it names, and the tombstone, to the partition it was read from.

        The wake-up's JSON is put together from parts that are JSON already: a third of the time of making it anew.
        """
        key, due_us, body = pending
        topic, to_key, trace, data = body[_OFFSET_BYTES:].split(_APART, 3)
        event_id = self._id(partition, int.from_bytes(body[:_OFFSET_BYTES]))
        headers: Headers = [("ce_id", event_id), *self._headers]
        if trace:
            headers.append((TRACE, self._named(trace, event_id, due_us, topic)))
        wake = b'{"waker":%b,"due_at":%b,"data":%b,%b' % (dumps(key.decode()), self._json(due_us), data, self._end)
        return (self._names[topic], to_key, wake, headers, PARTITION_BY_KEY), (self._topic, key, None, None, partition)

    def committed(self, ended_ns: int) -> None:
        """Tell the span of each wake-up, from its due to the commit (nanoseconds since 1970): how late it was."""
        if self._tracing is None:
            return
        for place, due_us, topic, event_id in self._traced:
            name = topic.decode()
            ids: dict[str, str | int] = {"messaging.destination.name": name, "messaging.message.id": event_id}
            self._tracing.tell(f"{STAGE} {WAKE_UP}", place, (due_us * 1_000, ended_ns), "PRODUCER", ids)

    def _id(self, partition: int, offset: int) -> str:
        """Return the id of the fire of the arming at `offset`: the same whenever it fires."""
        ids = self._ids.get(partition)
        if ids is None:
            ids = self._ids[partition] = derived_ids(f"{TOPIC}/{partition}/", STAGE, "fire")
        return ids(offset)

    def _json(self, due_us: int) -> bytes:
        """Return the JSON of an instant. Most of many dues share their second, whose text is kept."""
        second, rest = divmod(due_us, 1_000_000)
        text = self._seconds.get(second)
        if text is None:
            text = self._seconds[second] = dumps(instant(second * 1_000_000), option=OPT_UTC_Z)[:-2]
        return b'%b.%06dZ"' % (text, rest) if rest else text + b'Z"'

    def _named(self, trace: bytes, event_id: str, due_us: int, topic: bytes) -> bytes:
        """Return the traceparent of what the wake-up leads to: our span where traces are on."""
        place = None if self._tracing is None else place_below(trace.decode(), f"{event_id}\x1f{STAGE}")
        if place is None:
            return trace
        self._traced.append((place, due_us, topic, event_id))
        return place.traceparent.encode()
