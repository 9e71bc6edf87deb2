"""A notice on its way into its recipient's digest."""

from pydantic import AwareDatetime

from schemas.decision import Decision
from schemas.model import Written


class DigestItem(Written):
    """On leads.redeliver, keyed by recipient: one notice to be told with others.

    decision: without trace and raw submission. not_before: the recipient's opening, where the notice waits for it.
    counts_first: no other channel tells the recipient of it, so the digest is what NOT-1 counts.
    """

    decision: Decision
    notice: str
    recipient: str
    channels: tuple[str, ...]
    seconds: float
    not_before: AwareDatetime | None = None
    counts_first: bool = False
