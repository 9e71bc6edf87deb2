"""How far what the board shows is behind what has happened, and since when."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

NOTICED_SECONDS = 5.0  # a page says so from here on: five times what it takes when all is well
NOTICED_RECORDS = 2_000  # to catch up with: a batch; fewer are read before anybody has looked

Notice = Literal["", "away", "catching up", "behind"]
"""What pages say: nothing, that Kafka does not answer, that old records are being read, that new ones wait."""


@dataclass(frozen=True, slots=True)
class Lag:
    """records: not taken in yet. seconds: age of the oldest of them. since: it has been noticeable from then on.

    catching_up: records still to be read to where the topics ended when reading began. away_since: Kafka has not
    answered since; nothing of what happened later can be known.
    """

    records: int = 0
    seconds: float = 0.0
    since: datetime | None = None
    catching_up: int = 0
    away_since: datetime | None = None

    @property
    def is_noticeable(self) -> bool:
        return self.seconds >= NOTICED_SECONDS

    @property
    def notice(self) -> Notice:
        """Return what a page says of it, the gravest that holds."""
        if self.away_since is not None:
            return "away"
        if self.catching_up > NOTICED_RECORDS:
            return "catching up"
        return "behind" if self.is_noticeable else ""


@dataclass(slots=True)
class LagGauge:
    """Keeps what `Lag` is made from. The follower's thread writes it, any thread reads it.

    clock: returns now, UTC. Times of records are those of their Kafka timestamps.
    """

    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    catching_up: int = 0
    _unread: int = 0
    _oldest: datetime | None = None
    _noted: datetime | None = None
    _since: datetime | None = None
    _away_since: datetime | None = None

    def note(self, unread: int, oldest: datetime | None) -> None:
        """Take down how many records are not taken in, and of when the first of them is, as far as is known."""
        self._unread, self._oldest, self._noted = unread, oldest if unread else None, self.clock()
        if self.lag().seconds < NOTICED_SECONDS:
            self._since = None
        elif self._since is None:
            self._since = self._noted

    def away(self) -> None:
        """Take down that Kafka does not answer."""
        self._away_since = self._away_since or self.clock()

    def back(self) -> None:
        """Take down that Kafka answers."""
        self._away_since = None

    @property
    def is_away(self) -> bool:
        return self._away_since is not None

    def lag(self) -> Lag:
        """Return how far behind the board is now. A follower that has taken nothing down for long is stuck."""
        now = self.clock()
        seconds = max(0.0, (now - (self._oldest or now)).total_seconds())
        looked = self._noted or self._away_since
        silent = 0.0 if looked is None else (now - looked).total_seconds()
        if silent >= NOTICED_SECONDS:
            seconds = max(seconds, silent)
        since = (self._since or looked) if seconds >= NOTICED_SECONDS else None
        return Lag(self._unread, seconds, since, self.catching_up, self._away_since)
