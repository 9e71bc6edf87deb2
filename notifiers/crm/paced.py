"""Calls to a CRM: never faster than it allows, tried again when it asks to wait."""

import time
from collections.abc import Callable
from typing import TypeVar

from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_random_exponential
from tenacity.wait import wait_base

from notifiers.outcome import Retryable

T = TypeVar("T")
GIVE_UP_SECONDS = 120.0
_LONGEST_WAIT_SECONDS = 20.0


class Pace:
    """Lets calls through evenly, `per_second` at most. One thread.

    Even spacing keeps any window below the limit, whatever its length.
    """

    def __init__(self, per_second: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._gap_seconds = 1 / per_second
        self._clock = clock
        self._next = 0.0

    def wait(self) -> None:
        """Return when the next call may go out."""
        now = self._clock()
        if self._next > now:
            time.sleep(self._next - now)
        self._next = max(now, self._next) + self._gap_seconds


class _AsAsked(wait_base):
    """What the CRM asked for, else doubled and spread."""

    def __init__(self) -> None:
        self._usual = wait_random_exponential(multiplier=0.5, max=_LONGEST_WAIT_SECONDS)

    def __call__(self, retry_state: object) -> float:
        error = retry_state.outcome.exception()  # type: ignore[attr-defined] # tenacity's own state
        asked = error.after_seconds if isinstance(error, Retryable) else None
        usual = float(self._usual(retry_state))  # type: ignore[arg-type]
        return usual if asked is None else max(asked, 0.05)


def tried(pace: Pace, call: Callable[[], T], give_up_seconds: float) -> T:
    """Return what `call` returns, after further tries while it raises Retryable. Raises the last one in the end."""
    for attempt in Retrying(
        retry=retry_if_exception_type(Retryable),
        stop=stop_after_delay(give_up_seconds),
        wait=_AsAsked(),
        reraise=True,
    ):
        with attempt:
            pace.wait()
            return call()
    raise AssertionError("tenacity re-raises the last error")
