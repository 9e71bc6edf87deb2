"""What became of a notice, and the activation of a policy: the remaining records of the stream."""

from enum import StrEnum
from typing import Any

from pydantic import AwareDatetime, Field

from schemas.model import Written


class Outcome(StrEnum):
    DELIVERED = "delivered"
    FAILED = "failed"
    SUPPRESSED = "suppressed"
    EXPIRED = "expired"


class NoticeSettled(Written):
    """On leads.notified: the one outcome per decision, notice, recipient and channel.

    recipient: a rep id, "lead", "crm" or the webhook's name. key: the idempotency key that was passed on.
    possible_repeat: the other side cannot recognise a repeat and a crash may have caused one.
    is_first: the first delivery of this decision's owner notice, over all channels.
    all_failed: the owner was not told: every channel failed or none acknowledged in time (NOT-5). Said once a
    decision, on an extra record whose channel is "all".
    resent_by: who had it sent again, where an earlier record with this key says that it came to nothing.
    """

    decision_id: str
    lead_id: str
    division: str
    person: str
    epoch: int
    notice: str
    audience: str
    template: str
    recipient: str
    channel: str
    outcome: Outcome
    reason: str = ""
    key: str
    attempts: int
    at: AwareDatetime
    possible_repeat: bool = False
    is_first: bool = False
    all_failed: bool = False
    resent_by: str = ""


class Settlement(StrEnum):
    FIRST_DELIVERED = "first_delivered"
    ALL_FAILED = "all_failed"
    CRM_ACKNOWLEDGED = "crm_acknowledged"


class DeliverySettled(Written):
    """On leads.scored, by TRACK: what ASSIGN must know of a decision's notices (NOT-5, causes of breaches)."""

    lead_id: str
    division: str
    decision_id: str
    epoch: int
    settlement: Settlement
    at: AwareDatetime


class DeadLettered(Written):
    """On leads.dlq, where the original bytes have no place: a pointer to them."""

    topic: str
    partition: int
    offset: int
    size_bytes: int


class Xref(Written):
    """In `xref`: a foreign id's lead."""

    lead_id: str
    at: AwareDatetime


class Snapshot(Written):
    """Any plain data, for tables whose rows have no closer model."""

    data: dict[str, Any] = Field(default_factory=dict)
