"""Waits of the tests: a condition is looked at until it holds or its deadline passes, never slept for."""

import time
from collections.abc import Callable
from typing import TypeVar

Seen = TypeVar("Seen")

WAIT_SECONDS = 240.0  # a deadline that passes is a failure, so it is far: a wait that is met costs nothing
LOOK_SECONDS = 0.02
READ_LOOK_SECONDS = 0.2  # where a look reads topics from their start


def eventually(
    condition: Callable[[], Seen],
    what: str | Callable[[], str],
    seconds: float = WAIT_SECONDS,
    look: float = LOOK_SECONDS,
) -> Seen:
    """Return the first truthy value of `condition`. Raises AssertionError saying `what` was not seen.

    what: a text, or what makes it once the time is over, of what there is instead. look: seconds between two looks;
    longer where a look costs much.
    """
    deadline = time.monotonic() + seconds
    while True:
        is_last = time.monotonic() > deadline  # asked first: who was not let run for long looks once more
        if found := condition():
            return found
        if is_last:
            raise AssertionError(f"not seen in {seconds} s: {what if isinstance(what, str) else what()}")
        time.sleep(look)
