"""Child processes of a benchmark: started, measured, ended by id."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil

END_SECONDS = 120.0


class Ended(Exception):
    """A process of the benchmark ended by itself."""


@contextmanager
def running(command: Sequence[str], environ: Mapping[str, str] | None = None) -> Iterator[psutil.Process]:
    """Run `command` until the block ends, then SIGTERM, then SIGKILL. Raises Ended with its last lines on a failure."""
    with tempfile.TemporaryFile() as output:
        child = subprocess.Popen(
            command, stdout=output, stderr=subprocess.STDOUT, env={**os.environ, **(environ or {})}, cwd=Path.cwd()
        )
        try:
            yield psutil.Process(child.pid)
        finally:
            died = child.poll()
            child.send_signal(signal.SIGTERM)
            try:
                child.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
            if died not in (None, -signal.SIGKILL):  # the latter is the benchmark's own doing
                output.seek(0)
                said = output.read()[-2000:].decode(errors="replace")
                raise Ended(f"{' '.join(command)} ended with {died}: {said}")


def python(*arguments: str) -> list[str]:
    """Return the command that runs this interpreter with `arguments`."""
    return [sys.executable, *arguments]


def resident_bytes(process: psutil.Process) -> int:
    """Return the resident memory of a process."""
    return int(process.memory_info().rss)
