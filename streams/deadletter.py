"""Dead letters: the original bytes, and where and why in the headers."""

from datetime import datetime

from schemas.delivery import DeadLettered
from schemas.ids import derived_id
from schemas.wire import encode, headers_for
from streams.errors import Fatal
from streams.inbox import SetAside
from streams.kafka.config import RECORD_MAX_BYTES
from streams.message import Incoming
from streams.transaction import PARTITION_BY_KEY, Record

PREFIX = "dlq_"
TYPE = "record.dead_lettered"
REASON_MAX_LENGTH = 1_000
KEY_MAX_BYTES = 64 * 1_024  # a longer key is left out of a pointer
# Larger, and the letter holds a pointer: what our own headers and Kafka's framing can come to is left free.
ORIGINAL_MAX_BYTES = RECORD_MAX_BYTES - 16 * 1_024


def dead_letter(topic: str, set_aside: SetAside, stage: str, source: str, at: datetime) -> Record:
    """Return the record for the dead-letter topic.

    topic: its full name. source: the logical topic the message came from. Headers: the original ones, then
    dlq_topic, dlq_partition, dlq_offset, dlq_stage, dlq_error, dlq_reason, dlq_attempts, dlq_time (RFC 3339), and
    dlq_pointer where the value is a `DeadLettered` in place of the original bytes.
    """
    message = set_aside.message
    ours: list[tuple[str, str | bytes | None]] = [
        (PREFIX + "topic", source.encode()),
        (PREFIX + "partition", str(message.partition()).encode()),
        (PREFIX + "offset", str(message.offset()).encode()),
        (PREFIX + "stage", stage.encode()),
        (PREFIX + "error", set_aside.error.encode()),
        (PREFIX + "reason", set_aside.reason[:REASON_MAX_LENGTH].encode(errors="backslashreplace")),
        (PREFIX + "attempts", str(set_aside.attempts).encode()),
        (PREFIX + "time", at.isoformat(timespec="milliseconds").encode()),
    ]
    original = [(name, value) for name, value in message.headers() or [] if not name.startswith(PREFIX)]
    key, value = message.key(), message.value()
    if _size(message, original) <= ORIGINAL_MAX_BYTES:
        return Record(topic, key, value, [*original, *ours], PARTITION_BY_KEY)
    pointer = DeadLettered(
        topic=source,
        partition=message.partition(),
        offset=message.offset(),
        size_bytes=len(value or b""),
    )
    parent = f"{source}/{message.partition()}/{message.offset()}"
    said = headers_for(derived_id(parent, stage, "dlq"), TYPE, f"leadstream/{stage}", at, {})
    short_key = key if key is not None and len(key) <= KEY_MAX_BYTES else None
    return Record(topic, short_key, encode(pointer), [*said, *ours, (PREFIX + "pointer", b"true")], PARTITION_BY_KEY)


def _size(message: Incoming, headers: list[tuple[str, bytes | None]]) -> int:
    named = sum(len(name) + len(value or b"") + 10 for name, value in headers)
    return len(message.key() or b"") + len(message.value() or b"") + named


class DeadLetterFlood(Fatal):
    """Too many records in a row, or too large a part, are unreadable: a bad deploy, or upstream changed. Look at
    leads.dlq and the last release before going on."""


class FloodLimit:
    """Counts dead letters against all records. run: in a row. ratio: of the last `window` records or so."""

    def __init__(self, run: int, ratio: float, window: int) -> None:
        self._run_limit = run
        self._ratio_limit = ratio
        self._window = window
        self._run = 0
        self._seen = 0.0
        self._dead = 0.0

    def count(self, records: int, dead: int) -> None:
        """Count a batch of `records`, `dead` of them dead letters. Raises DeadLetterFlood."""
        self._run = self._run + dead if dead == records else 0
        self._seen += records
        self._dead += dead
        if self._run >= self._run_limit:
            raise DeadLetterFlood(
                f"{self._run} records in a row were set aside. Look at leads.dlq and the last release."
            )
        if self._seen >= self._window:
            if self._dead > self._ratio_limit * self._seen:
                raise DeadLetterFlood(
                    f"{self._dead / self._seen:.0%} of the last records were set aside, over {self._ratio_limit:.0%}. "
                    "Look at leads.dlq and the last release."
                )
            self._seen /= 2  # the older half counts less and less
            self._dead /= 2
