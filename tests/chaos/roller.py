"""A rolling restart: each stage in turn ended in order (SIGTERM) and started again, under load."""

import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from streams.settings import Settings
from streams.topology import http_port
from tests.chaos.fleet import Fleet

# Downstream first, as docs/operating.md has it: nobody then meets a record that is newer than itself.
ORDER = ("notify", "assign", "score", "track", "pending", "enrich", "timers")


@dataclass(slots=True)
class Roller:
    """In the place of `Killer`. shares: of the leads decided, at which one more stage is restarted.

    pauses: stage -> seconds from SIGTERM to ready again (partitions assigned and restored), the longest.
    exits: how each process left that was asked to.
    """

    port_base: int
    shares: Sequence[float]
    pauses: dict[str, float] = field(default_factory=dict)
    exits: list[int] = field(default_factory=list)
    faults: Mapping[str, Sequence[str]] = field(default_factory=dict)
    _next: int = 0
    _waiting: tuple[str, float] | None = None

    def turn(self, fleet: Fleet, share: float) -> None:
        """End the next stage when its share has come and the one before is ready again."""
        if self._waiting is not None:
            stage, since = self._waiting
            slot = fleet.slots[stage]
            if slot.process.poll() is None and slot.ends and self._is_ready(stage):
                self.pauses[stage] = max(self.pauses.get(stage, 0.0), time.monotonic() - since)
                self.exits += slot.ends
                self._waiting = None
            return
        if self._next < len(self.shares) and share >= self.shares[self._next]:
            stage = ORDER[self._next % len(ORDER)]
            self._next += 1
            slot = fleet.slots[stage]
            slot.ends.clear()
            slot.process.terminate()
            self._waiting = (stage, time.monotonic())

    def force(self, fleet: Fleet) -> None:
        """Restart those whose share never came."""
        self.turn(fleet, 1.0)

    def is_done(self, fleet: Fleet) -> bool:
        """Tell whether every restart was made and its stage is ready again."""
        return self._next == len(self.shares) and self._waiting is None

    def _is_ready(self, stage: str) -> bool:
        port = http_port(stage, 0, Settings(http_port_base=self.port_base))
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/ready", timeout=10) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False
