"""Clocks and ladders of a policy: what happens to a lead that nobody has contacted yet."""

from datetime import timedelta
from enum import StrEnum
from typing import Any, Literal

from pydantic import Field, field_validator

from schemas.duration import At, ClockPoint, Duration
from schemas.model import Typed


class SlaClock(StrEnum):
    ALWAYS = "always"  # around the clock, never paused
    OWNER_HOURS = "owner_hours"  # runs while the owner's (or queue's) calendar is open
    WORKING_DAYS = "working_days"  # working days count 24 h each, others not at all


class StepAction(StrEnum):
    REMIND_OWNER = "remind_owner"
    ALERT_MANAGER = "alert_manager"
    REASSIGN = "reassign"  # to someone else who is free, by the chain of the lead
    MOVE = "move"  # to `to`: the manager, a pool or a queue
    ALERT_LEADERSHIP = "alert_leadership"


class Step(Typed):
    """One step of a ladder. at: "2x" (of the contact window) or "15m". to: only for `move`: "manager",
    "pool:NAME" or "queue:NAME". also: further people to tell, as roles of the roster."""

    at: At
    do: StepAction
    to: str | None = None
    also: tuple[str, ...] = ()

    @field_validator("to")
    @classmethod
    def _is_a_place(cls, value: str | None) -> str | None:
        if value is None or value == "manager" or value.startswith(("pool:", "queue:")):
            return value
        raise ValueError(f'{value!r} is no place to move to; write manager, "pool:NAME" or "queue:NAME"')


class Repeat(Typed):
    """After the last step: tell the team lead every `every`, until contact (SLA-6)."""

    every: At = Field(default="1x", validate_default=True)
    do: StepAction = StepAction.ALERT_MANAGER

    @field_validator("every")
    @classmethod
    def _is_some_time(cls, value: ClockPoint) -> ClockPoint:
        if value.of(timedelta(hours=1)) <= timedelta():
            raise ValueError(f"{value} is no time between two repeats; write 1x or 15m, or repeat: null for none")
        return value


def _ladder(*steps: tuple[str, str]) -> tuple[dict[str, Any], ...]:
    return tuple({"at": at, "do": do} for at, do in steps)


DEFAULT_LADDER: tuple[dict[str, Any], ...] = _ladder(
    ("0.5x", "remind_owner"), ("1x", "alert_manager"), ("2x", "reassign"), ("3x", "alert_leadership")
)
QUEUE_LADDER: tuple[dict[str, Any], ...] = (
    {"at": "15m", "do": "alert_manager"},
    {"at": "30m", "do": "move", "to": "manager"},
    {"at": "3x", "do": "alert_leadership"},
)


class Sla(Typed):
    """What holds for every ladder. reassignments: the most automatic ones in a cycle. late_window: an owner assigned
    late gets one full contact window before losing the lead."""

    clock_from: Literal["submission", "notification"] = "submission"  # OPT-6
    reassignments: int = Field(default=1, ge=0, le=3)
    late_window: bool = True
    repeat: Repeat | None = Repeat()
    unacknowledged: Duration = Field(default="30s", validate_default=True)
    hold_reassign_above_lag: Duration = Field(default="30s", validate_default=True)
