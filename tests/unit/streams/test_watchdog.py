"""A call that never comes back ends the process; one that does ends nothing. In a process of its own: it is ended."""

import subprocess
import sys

import orjson

PROGRAM = """
import sys, time
from streams.logs import configure_logs
from streams.watchdog import Watchdog
configure_logs()
watchdog = Watchdog("The step", float(sys.argv[1]))
for seconds in map(float, sys.argv[2:]):
    watchdog.begin()
    time.sleep(seconds)
    watchdog.end()
time.sleep(2.5)  # longer than a step may take, with nothing under way
print("through")
"""


def ended(limit: str, *steps: str) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run([sys.executable, "-c", PROGRAM, limit, *steps], capture_output=True, timeout=300, check=False)


def test_a_step_that_hangs_ends_the_process_with_the_reason() -> None:
    done = ended("0.2", "0", "300")
    assert (done.returncode, done.stdout) == (1, b"")
    said = orjson.loads(done.stderr.splitlines()[-1])
    assert (said["event"], said["error"]) == ("process.ended", "Hung")
    assert said["reason"].startswith("The step did not return in")


def test_steps_that_return_end_nothing_however_many_there_are() -> None:
    done = ended("2", "0", "0.05", "0")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"through\n", b"")
