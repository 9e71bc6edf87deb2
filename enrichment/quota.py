"""How many calls a provider takes in a clock hour, and how many this process has made."""

from dataclasses import dataclass
from datetime import datetime

import orjson

from enrichment.providers.provider import ProviderFailed
from schemas.value import value


class QuotaSpent(ProviderFailed):
    """This clock hour's calls are used up; the next provider is asked, nobody waits for the hour."""


@dataclass(slots=True)
class HourlyQuota:
    """Calls per clock hour. `used` counts this process's calls of `hour` and what its stores say of earlier ones.

    This process may make `mine` of `of` parts of them: as many as it has partitions.
    """

    limit: int | None
    hour: str = ""
    used: int = 0
    mine: int = 1
    of: int = 1

    def take(self, now: datetime) -> None:
        """Count one call; where there is no limit nothing need be counted. Raises QuotaSpent."""
        if self.limit is None:
            return
        self.turn(now)
        if self.used >= self.limit * self.mine // self.of:
            raise QuotaSpent
        self.used += 1

    def restore(self, hour: str, used: int, now: datetime) -> None:
        """Count the calls that a store remembers, where they are of this hour."""
        self.turn(now)
        if hour == self.hour:
            self.used += used

    def allot(self, mine: int, of: int) -> None:
        """Take another part, and forget what was used: the stores of the partitions it stands for tell that."""
        self.mine, self.of, self.used = mine, of, 0

    def turn(self, now: datetime) -> None:
        hour = hour_of(now)
        if hour != self.hour:
            self.hour, self.used = hour, 0


@value
class Used:
    """Calls of one clock hour, as the store keeps them so that a restart forgets none."""

    hour: str
    calls: int


def decode_used(data: bytes) -> Used:
    """Return the calls of stored JSON."""
    fields = orjson.loads(data)
    return Used(fields["hour"], fields["calls"])


def hour_of(now: datetime) -> str:
    """Return the clock hour, "2026-03-10T14"."""
    return now.isoformat()[:13]  # twenty times as quick as strftime, and asked for at every lead
