"""What ASSIGN decided, why, and who must be told: the product's main output, on leads.assigned."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

import orjson
from pydantic import AwareDatetime, Field

from schemas.lead import Contact, Lead
from schemas.model import Written


class DecisionKind(StrEnum):
    ASSIGNED = "assigned"
    REASSIGNED = "reassigned"
    HELD = "held"
    QUEUED = "queued"
    NURTURED = "nurtured"
    QUARANTINED = "quarantined"
    TOUCHED = "touched"  # a duplicate or late data reached the owner
    ESCALATED = "escalated"  # reminder or alert; the owner stays
    CONTACTED = "contacted"  # the clock stopped
    CLOSED = "closed"
    NOTED = "noted"  # the record changed, nobody is told


class OwnerKind(StrEnum):
    REP = "rep"
    TEAM_LEAD = "team_lead"
    QUEUE = "queue"
    NONE = "none"


class Owner(Written):
    """Who is accountable. id: a rep id for all kinds but none; queue, pool: where the lead waits or came through."""

    kind: OwnerKind = OwnerKind.NONE
    id: str | None = None
    queue: str | None = None
    pool: str | None = None


class SlaStep(Written):
    """One step of the ladder with its due instant. do: remind, alert, reassign, move, leadership, …"""

    name: str
    do: str
    due_at: AwareDatetime
    done_at: AwareDatetime | None = None


class SlaStanding(Written):
    """The clocks of a lead. breach: the cause, once the contact deadline has passed without contact."""

    cycle: int
    clock_at: AwareDatetime
    route_due_at: AwareDatetime | None = None
    contact_due_at: AwareDatetime | None = None
    owned_at: AwareDatetime | None = None
    contacted_at: AwareDatetime | None = None
    paused_seconds: float = 0
    steps: tuple[SlaStep, ...] = ()
    breach: str | None = None
    breach_charged_to: str | None = None
    is_unverified: bool = False


class Audience(StrEnum):
    OWNER = "owner"
    PREVIOUS_OWNER = "previous_owner"
    MANAGER = "manager"
    LEADERSHIP = "leadership"
    QUEUE = "queue"
    LEAD = "lead"
    CRM = "crm"
    WEBHOOK = "webhook"


class Notice(Written):
    """One thing to tell. recipients: rep ids; empty for lead, crm and webhook. channels: names of CHANNELS.

    id: unique within the decision; with decision id, recipient and channel it is the idempotency key.
    template: assignment, repeat, reassigned_from, reassigned_to, reminder, alert, held, auto_reply, ….
    release_at: channel -> not before (quiet hours, opening); absent: now. expires_at: no use after, a reassignment or a
    stronger step comes then. acknowledge_within_seconds: no delivery by then, and the team lead is told (NOT-5). note:
    one plain sentence. digest_seconds: collected for so long with what else the recipient is told, and sent as one;
    what is shown in the app is not held back. urgent: ignores quiet hours, goes first.
    """

    id: str
    audience: Audience
    recipients: tuple[str, ...] = ()
    channels: tuple[str, ...]
    template: str
    release_at: dict[str, AwareDatetime] = Field(default_factory=dict)
    expires_at: AwareDatetime | None = None
    acknowledge_within_seconds: float | None = None
    digest_seconds: float | None = None
    urgent: bool = False
    note: str = ""


class Decision(Written):
    """One decision on one lead. The `ce_id` of its record is derived from the event that caused it.

    epoch: 1 at the first assignment, raised whenever the owner or the running SLA changes. uses_turn: a place in
    the rotation was spent. reason: one plain sentence. trace: see routing/trace.py, JSON data. contact: None in the
    journal. at: the decision's clock. rank: place in a wait (T1 first).
    """

    decision_id: str
    lead_id: str
    division: str
    person: str
    kind: DecisionKind
    cause: str
    at: AwareDatetime
    epoch: int
    owner: Owner
    previous_owner: Owner | None = None
    reason: str
    tier: str
    segment: str | None = None
    score: int = 0
    rule: str | None = None
    pool: str | None = None
    strategy: str | None = None
    uses_turn: bool = False
    touch: int = 1
    sla: SlaStanding | None = None
    notices: tuple[Notice, ...] = ()
    lead: Lead
    contact: Contact | None = None
    policy_hash: str
    trace: dict[str, Any] = Field(default_factory=dict)


_APART = {"trace", "contact"}


def decision_read(value: bytes) -> Decision:
    """Return the decision of its JSON. The trace is plain data: orjson reads it, three times as fast as the model."""
    return Decision.model_validate(orjson.loads(value))


def told_decision_read(value: bytes) -> Decision:
    """Return the decision of its JSON without what no message needs.

    That is the trace, four fifths of it, and the submission as it came, which is personal.
    """
    fields = orjson.loads(value)
    if isinstance(fields, dict):
        fields.pop("trace", None)
        if isinstance(contact := fields.get("contact"), dict):
            contact.pop("raw", None)
    return Decision.model_validate(fields)


def decision_json(decision: Decision) -> bytes:
    """Return the decision as JSON, its trace and contact last: plain data goes through orjson, four times as fast."""
    head = decision.__pydantic_serializer__.to_json(decision, exclude=_APART, exclude_none=True)
    trace = orjson.dumps(decision.trace, option=orjson.OPT_UTC_Z)
    bare = (head[:-1], b',"trace":', trace, b"}")
    if decision.contact is None:
        return b"".join(bare)
    return with_contact(bare, decision.contact.__pydantic_serializer__.to_json(decision.contact, exclude_none=True))


def with_contact(bare: Sequence[bytes], contact: bytes) -> bytes:
    """Return the JSON of a decision with its contact, given the pieces of that without, and the contact's."""
    return b"".join((*bare[:-1], bare[-1][:-1], b',"contact":', contact, b"}"))


class JournalEntry(Written):
    """One input of a division with the clock it was decided at. input: the event without contact.

    outcome: decisions and state changes as canonical JSON data; empty for a no-op.
    """

    event_id: str
    type: str
    offset: int
    now: AwareDatetime
    input: dict[str, Any]
    outcome: list[dict[str, Any]]


class DecisionsJournalled(Written):
    """On `decisions`: one batch of a division. digest: SHA-256 over the entries and the previous digest, hex.

    policy_hash: active at the end of the batch. engine: the build of `routing`. calendars: the version of the
    holiday and time-zone data.
    """

    division: str
    sequence: int
    policy_hash: str | None = None
    engine: str
    calendars: str
    entries: tuple[JournalEntry, ...]
    digest: str
