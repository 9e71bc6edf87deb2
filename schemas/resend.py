"""An order to try deliveries again that had come to nothing."""

from pydantic import AwareDatetime

from schemas.decision import Decision
from schemas.model import Written


class ResendItem(Written):
    """One delivery: a notice of the decision, to one recipient on one channel."""

    notice: str
    recipient: str
    channel: str


class Resend(Written):
    """On leads.redeliver, keyed by person: what of one decision is sent again, under the keys it had.

    id: made of what failed and when, so that two orders for the same failures are one. decision: without trace and
    raw submission. was_told: its owner was told by another channel. by, reason: who asks for it, and why.
    """

    id: str
    decision: Decision
    items: tuple[ResendItem, ...]
    was_told: bool
    by: str
    reason: str
    at: AwareDatetime
