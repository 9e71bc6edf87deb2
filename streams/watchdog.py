"""Ends a process that a call into Kafka keeps."""

import os
import threading
import time

import structlog

LOOK_SECONDS = 0.5

log = structlog.get_logger()


class Watchdog:
    """Ends the process, as a crash would, when a guarded step takes longer than `limit_seconds`.

    For calls that block in C without an end, whatever timeout they are given: no Python code can interrupt those.
    """

    def __init__(self, what: str, limit_seconds: float) -> None:
        self._what = what
        self._limit = limit_seconds
        self._began_at: float | None = None
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)

    def begin(self) -> None:
        """Guard from here on."""
        self._began_at = time.monotonic()
        if not self._thread.is_alive():
            self._thread.start()

    def end(self) -> None:
        """Guard no more."""
        self._began_at = None

    def _watch(self) -> None:
        while True:
            time.sleep(LOOK_SECONDS)
            began_at = self._began_at
            if began_at is not None and time.monotonic() - began_at > self._limit:
                reason = (
                    f"{self._what} did not return in {self._limit:.0f} s. A restart goes on from what was committed."
                )
                log.error("process.ended", error="Hung", reason=reason)
                os._exit(1)
