"""Named points at which a test can have the process killed, as a power cut would."""

import os
import signal
import threading
import time
from enum import StrEnum

COMMIT_SECONDS = 0.002  # about half of a commit on a local broker


class FaultName(StrEnum):
    AFTER_PRODUCE = "after-produce"  # all records and offsets handed over, the commit not asked for
    INSIDE_COMMIT = "inside-commit"  # asked for, the answer not here: committed or not
    AFTER_COMMIT_BEFORE_FOLD = "after-commit-before-fold"  # committed, the store does not have it yet


class FaultPoint:
    """Kills the process with SIGKILL at the `count`-th pass of one point. Not for production."""

    def __init__(self, name: FaultName, count: int) -> None:
        self._name = name
        self._left = count

    @classmethod
    def parse(cls, text: str | None) -> "FaultPoint | None":
        """Return the fault of "after-produce:3", None for an empty text. Raises ValueError."""
        if not text:
            return None
        name, _, count = text.partition(":")
        return cls(FaultName(name), int(count or 1))

    def passes(self, name: FaultName) -> None:
        """Tell that the process is at `name`; it may not return."""
        if name is not self._name:
            return
        self._left -= 1
        if self._left == 0:
            if name is FaultName.INSIDE_COMMIT:
                threading.Thread(target=_killed_soon, daemon=True).start()
            else:
                os.kill(os.getpid(), signal.SIGKILL)


def _killed_soon() -> None:
    time.sleep(COMMIT_SECONDS)
    os.kill(os.getpid(), signal.SIGKILL)
