"""What a stage's `handle` asks for. Values only: the runner in `streams` turns them into one transaction."""

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from typing import Any

from schemas.value import value


@value
class Emit:
    """A record for a topic.

    topic: logical name (a key of `schemas.topics.TOPICS`), without namespace. key: record key, never personal data.
    type: CloudEvents type. value: a pydantic model, a dataclass or plain JSON data; None writes a tombstone.
    tag: tells outputs of one input apart; the output's `ce_id` is derived from the input's id, the stage and the tag.
    encoded: the value's bytes, where the stage has made them already.
    """

    topic: str
    key: str
    type: str
    value: Any
    tag: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    encoded: bytes | None = field(default=None, compare=False, repr=False)


@value
class Put:
    """Set one entry of the stage's store. The part of `key` before the first "/" names its kind (and codec).

    encoded: the value's bytes, where they are made already.
    """

    key: str
    value: Any
    encoded: bytes | None = field(default=None, compare=False, repr=False)


@value
class Delete:
    """Remove one entry of the stage's store."""

    key: str


@value
class Wake:
    """Arm the one wake-up of `key`, replacing an earlier one.

    key: what wakes, for example "lead/main.4f….1". due_at: aware UTC. topic, to_key: where the wake-up returns,
    as a record of type `schemas.timer.WAKE_UP` whose value is a `schemas.timer.WakeUp`. data: plain JSON, no contact.
    """

    key: str
    due_at: datetime
    topic: str
    to_key: str
    data: Mapping[str, Any] = field(default_factory=dict)


@value
class CancelWake:
    """Drop the wake-up of `key`. One that has already fired is harmless: whoever is woken looks at its own state."""

    key: str


@value
class DeadLetter:
    """Set the input record aside, original bytes kept. error: class name; reason: plain words, no personal data."""

    error: str
    reason: str


Effect = Emit | Put | Delete | Wake | CancelWake | DeadLetter
