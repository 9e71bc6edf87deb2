"""What a division knows of itself: its active policy, its clock, its journal."""

from datetime import datetime

from schemas.value import value


@value
class Division:
    """last_now: the clock of the latest decision; time does not run backwards within a division.

    revision: events decided so far. journal_sequence, journal_digest: of the last sealed batch.
    """

    name: str
    last_now: datetime
    policy_hash: str | None = None
    revision: int = 0
    journal_sequence: int = 0
    journal_digest: str = ""

    def after(self, now: datetime, policy_hash: str | None) -> "Division":
        """Return the division one event later, decided at `now`."""
        return Division(self.name, now, policy_hash, self.revision + 1, self.journal_sequence, self.journal_digest)


def division_key(division: str) -> str:
    """Return the store key of a division."""
    return f"division/{division}"
