"""What people did: as reported by CRM, web tracking, buttons and the board, and as bound to its person."""

from enum import StrEnum
from typing import Any

from pydantic import AwareDatetime, Field

from schemas.model import Read, Written


class ActivityKind(StrEnum):
    """The kinds of activity. Whether one counts as human action (stops the clock) is the policy's choice."""

    CALLED = "called"
    MESSAGED = "messaged"
    CHAT_REPLIED = "chat_replied"
    MEETING_HELD = "meeting_held"
    MEETING_SET = "meeting_set"  # by the rep
    MEETING_BOOKED = "meeting_booked"  # by the lead
    REPLIED = "replied"  # the lead answered
    ACCEPTED = "accepted"
    DECLINED = "declined"
    CLAIMED = "claimed"
    REASSIGNED = "reassigned"  # by hand
    STAGE_CHANGED = "stage_changed"
    OPPORTUNITY_CHANGED = "opportunity_changed"  # of a rep, with or without a lead
    DISQUALIFIED = "disqualified"
    WON = "won"
    LOST = "lost"
    MERGED = "merged"
    DELETED = "deleted"
    ENGAGED = "engaged"  # page view, content opened: counts towards nurture
    VIEWED = "viewed"  # a rep looked; never a human action
    EDITED = "edited"
    FIT_RATED = "fit_rated"
    QUALIFIED = "qualified"  # by the rep who has it: hands it on, to the pool that theirs hands to
    RELEASED = "released"  # from quarantine
    BLOCKED = "blocked"
    ERASED = "erased"


class ActivityReported(Read):
    """On leads.activity, written by others. One of lead_id, foreign_id, email or opportunity_id says of what.

    at: when it happened. rep: who did it. stage: early, mid, late or closed. to: the rep, pool or queue of a
    manual reassignment; reason: a reason code. by: who reports, where that is not the rep.
    """

    id: str | None = None
    kind: ActivityKind
    at: AwareDatetime | None = None
    lead_id: str | None = None
    foreign_id: str | None = None
    opportunity_id: str | None = None
    email: str | None = None
    rep: str | None = None
    stage: str | None = None
    to: str | None = None
    reason: str | None = None
    by: str | None = None
    value: float | None = None
    data: dict[str, Any] = Field(default_factory=dict)


class ActivityBound(Written):
    """An activity that found its person (leads.enriched) and its division (leads.scored).

    person is None for an activity of a rep's opportunity without a lead; it then goes to leads.scored directly.
    activity_id: the reporter's own id, where it gave one. flags: what was wrong with the report, for example
    "at.future".
    """

    kind: ActivityKind
    at: AwareDatetime
    learned_at: AwareDatetime
    lead_id: str | None = None
    person: str | None = None
    division: str | None = None
    opportunity_id: str | None = None
    rep: str | None = None
    stage: str | None = None
    to: str | None = None
    reason: str | None = None
    by: str | None = None
    value: float | None = None
    activity_id: str | None = None
    flags: tuple[str, ...] = ()
