"""The stages of the demo: `leadstream up` as a child, in an environment that is the demo's alone."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

_STOP_SECONDS = 20.0


@contextmanager
def running(settings: Mapping[str, str], log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """Yield the supervisor's process. settings: LEADSTREAM_… variables, in place of those of this process."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LEADSTREAM_")}
    with log.open("ab") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "streams.cli.main", "up"],
            env=environment | dict(settings),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,  # Ctrl-C is ours: the stages end in order, before the broker
        )
    try:
        yield process
    finally:
        _stop(process)


def _stop(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)  # the session is the child's own: it and its stages
            process.wait()
