"""Wake-ups: the record in leads.timers and what it becomes when it fires."""

from typing import Any

from pydantic import AwareDatetime, Field

from schemas.model import Written

WAKE_UP = "wake.up"
TIMER_ARMED = "timer.armed"


class TimerArmed(Written):
    """The one pending wake-up of its key. topic (logical name), to_key: where it returns when due."""

    due_at: AwareDatetime
    topic: str
    to_key: str
    data: dict[str, Any] = Field(default_factory=dict)
    armed_at: AwareDatetime


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
