"""Wake-ups: the record in leads.timers and what it becomes when it fires."""

from typing import Any

from pydantic import AwareDatetime, Field

from schemas.model import Written
from schemas.topics import TOPICS

WAKE_UP = "wake.up"
TIMER_ARMED = "timer.armed"


class TimerArmed(Written):
    """The one pending wake-up of its key. topic (logical name), to_key: where it returns when due."""

    due_at: AwareDatetime
    topic: str
    to_key: str
    data: dict[str, Any] = Field(default_factory=dict)
    armed_at: AwareDatetime


def why_never(key: bytes, armed: TimerArmed) -> str | None:
    """Return why an arming can never fire, None where it can. key: of its record."""
    try:
        key.decode()
    except UnicodeDecodeError:
        return "its key is not UTF-8"
    if armed.topic not in TOPICS:
        return f"it wakes {armed.topic[:60]!r}, which is no topic"
    return "the key that it wakes holds a NUL" if "\0" in armed.to_key else None


class WakeUp(Written):
    """A wake-up that fired.

    waker: the key it was armed under. lateness_seconds: fired_at - due_at.
    activity_lag_seconds: how far TRACK and SCORE were behind when it fired; None: not measured.
    """

    waker: str
    due_at: AwareDatetime
    fired_at: AwareDatetime
    activity_lag_seconds: float | None = None
    data: dict[str, Any] = Field(default_factory=dict)
