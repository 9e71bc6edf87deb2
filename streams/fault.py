"""Named points at which a test can have the process killed, as a power cut would, or paused, as a hung machine is."""

import os
import signal
import threading
import time
from enum import StrEnum

COMMIT_SECONDS = 0.002  # about half of a commit on a local broker
PAUSE = "pause"


class FaultName(StrEnum):
    AFTER_PRODUCE = "after-produce"  # all records in the log, offsets sent, the commit not asked for
    INSIDE_COMMIT = "inside-commit"  # asked for, the answer not here: committed or not
    AFTER_COMMIT_BEFORE_FOLD = "after-commit-before-fold"  # committed, the store does not have it yet


class FaultPoint:
    """Sends the process `number` (SIGKILL, or SIGSTOP) at the `count`-th pass of one point. Not for production."""

    def __init__(self, name: FaultName, count: int, number: signal.Signals = signal.SIGKILL) -> None:
        self._name = name
        self._left = count
        self._number = number

    @classmethod
    def parse(cls, text: str | None) -> "FaultPoint | None":
        """Return the fault of "after-produce:3", or "…:3:pause"; None for an empty text. Raises ValueError."""
        if not text:
            return None
        name, count, how = [*text.split(":"), "", ""][:3]
        if how not in ("", PAUSE):
            raise ValueError(f"{how!r} is no way to fail: leave it out, or say {PAUSE}")
        return cls(FaultName(name), int(count or 1), signal.SIGSTOP if how else signal.SIGKILL)

    def passes(self, name: FaultName) -> None:
        """Tell that the process is at `name`; it may not return."""
        if name is not self._name:
            return
        self._left -= 1
        if self._left == 0:
            if name is FaultName.INSIDE_COMMIT:
                threading.Thread(target=_soon, args=(self._number,), daemon=True).start()
            else:
                os.kill(os.getpid(), self._number)


def _soon(number: signal.Signals) -> None:
    time.sleep(COMMIT_SECONDS)
    os.kill(os.getpid(), number)
