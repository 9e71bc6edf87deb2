"""The board and the feed give way to the stages; what is nicer already stays so."""

import subprocess
import sys

import pytest

from streams.settings import Settings

SAY = "from streams.niceness import give_way; import os; {before}give_way({niceness}); print(os.nice(0))"


def niceness_after(niceness: int, before: str = "") -> int:
    """Return how nice a process is that gave way. A process of its own: nobody comes back from it."""
    script = SAY.format(before=before, niceness=niceness)
    return int(subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout)


def test_a_process_that_gives_way_is_as_nice_as_it_is_told() -> None:
    at_the_start = niceness_after(0)
    assert niceness_after(at_the_start + 3) == min(19, at_the_start + 3)


def test_who_is_nicer_already_stays_so() -> None:
    at_the_start = niceness_after(0)
    assert niceness_after(at_the_start + 1, "os.nice(5); ") == min(19, at_the_start + 5)


@pytest.mark.parametrize("given", [-1, 20])
def test_a_niceness_that_would_go_before_the_stages_is_refused(given: int) -> None:
    with pytest.raises(ValueError, match="beside_nice"):
        Settings(beside_nice=given)
