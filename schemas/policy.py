"""How a policy travels: its immutable body by hash, the pointer of a division, and the activation in its log."""

from pydantic import AwareDatetime

from schemas.model import Written


class PolicyBody(Written):
    """In `policies` under its hash: the file as written. hash: SHA-256 of the text, 16 hex digits."""

    hash: str
    division: str
    text: str
    published_at: AwareDatetime
    published_by: str


class PolicyPointer(Written):
    """In `policies` under "active/<division>": what SCORE uses. history is in the division's log."""

    division: str
    hash: str
    activated_at: AwareDatetime


class PolicyActivated(Written):
    """On leads.scored: from this point on the division decides by this policy. Rollback is another activation."""

    division: str
    hash: str
    by: str
    reason: str
    at: AwareDatetime
