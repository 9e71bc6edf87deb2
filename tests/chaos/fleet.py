"""The stages as real processes: started, killed, started again."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

STAGES = ("enrich", "pending", "track", "score", "assign", "timers", "notify")
STOP_SECONDS = 240.0
BACK_OFF_SECONDS = 0.5
CRASHES = 20  # ends that nobody asked for, of one slot: more is no accident


class Crashing(AssertionError):
    """A stage ends again and again by itself; its log says why."""


@dataclass(slots=True)
class Slot:
    """One slot and the process that has it now. ends: exit codes so far, most recent last.

    fault: the point at which this process is to die, empty for none.
    """

    stage: str
    number: int
    process: "subprocess.Popen[bytes]"
    log_file: Path
    fault: str = ""
    ends: list[int] = field(default_factory=list)
    due_at: float = 0.0

    @property
    def name(self) -> str:
        return f"{self.stage}-{self.number}"


class Fleet:
    """One process a slot. `tend` starts what has ended again; call it often.

    environ: the LEADSTREAM_… settings of all. folder: for logs. faults: stage -> points at which its processes die, one
    after the other. kills: counted by what they were.
    """

    def __init__(
        self, environ: Mapping[str, str], folder: Path, stages: Sequence[str], faults: Mapping[str, Sequence[str]]
    ) -> None:
        self.kills: Counter[str] = Counter()
        self.faults = {stage: deque(faults.get(stage, ())) for stage in stages}
        self.slots: dict[str, Slot] = {}
        self._environ = dict(environ)
        for stage in stages:
            self._start(stage, 0, folder / f"{stage}-0.log")

    def tend(self) -> None:
        """Start again what has ended. Raises Crashing."""
        for slot in self.slots.values():
            code = slot.process.poll()
            if code is None:
                continue
            now = time.monotonic()
            if not slot.due_at:
                slot.ends.append(code)
                self._take_fault(slot, code)
                if sum(end != -signal.SIGKILL for end in slot.ends) > CRASHES:
                    raise Crashing(f"{slot.name} ended {len(slot.ends)} times: {slot.ends[-5:]}\n{tail(slot.log_file)}")
                slot.due_at = now if code == -signal.SIGKILL else now + BACK_OFF_SECONDS
            if now >= slot.due_at:
                slot.fault = self._next_fault(slot.stage)
                slot.process = started(self._with(slot.fault), slot.stage, slot.number, slot.log_file)
                slot.due_at = 0.0

    def kill(self, stage: str) -> bool:
        """SIGKILL, wherever the process is; False where it is down already. Its named death is the next one's."""
        slot = self.slots[stage]
        if slot.process.poll() is not None:
            return False
        slot.process.kill()
        slot.process.wait()
        if slot.fault:
            self.faults[stage].appendleft(slot.fault)
            slot.fault = ""
        self.kills[f"{stage} at random"] += 1
        return True

    def restart(self, stage: str) -> None:
        """Start a stage that was killed; for a run that decides itself who is away for how long, and never `tend`s."""
        slot = self.slots[stage]
        slot.process = started(self._with(slot.fault), slot.stage, slot.number, slot.log_file)

    def stop(self) -> Mapping[str, int]:
        """SIGTERM to all; return the exit codes by slot."""
        for slot in self.slots.values():
            if slot.process.poll() is None:
                slot.process.terminate()
        return {slot.name: slot.process.wait(STOP_SECONDS) for slot in self.slots.values()}

    def end(self) -> None:
        """Leave no process behind."""
        for slot in self.slots.values():
            if slot.process.poll() is None:
                slot.process.kill()
            slot.process.wait()

    def _start(self, stage: str, number: int, log_file: Path) -> None:
        fault = self._next_fault(stage)
        process = started(self._with(fault), stage, number, log_file)
        self.slots[stage] = Slot(stage, number, process, log_file, fault)

    def _take_fault(self, slot: Slot, code: int) -> None:
        """Count a death at a named point; one of another cause leaves the point to the next process."""
        if slot.fault and code == -signal.SIGKILL:
            self.kills[f"{slot.stage} {slot.fault.partition(':')[0]}"] += 1
        elif slot.fault:
            self.faults[slot.stage].appendleft(slot.fault)
        slot.fault = ""

    def _next_fault(self, stage: str) -> str:
        return self.faults[stage].popleft() if self.faults[stage] else ""

    def _with(self, fault: str) -> dict[str, str]:
        return self._environ | ({"LEADSTREAM_FAULT": fault} if fault else {})


def started(environ: Mapping[str, str], stage: str, number: int, log_file: Path) -> "subprocess.Popen[bytes]":
    """Start one slot; its log goes on where it was."""
    with log_file.open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "streams.cli.main", "run", stage, "--slot", str(number)],
            env=os.environ | environ,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )


def tail(log_file: Path, lines: int = 15) -> str:
    """Return the end of a log."""
    return "\n".join(log_file.read_text(errors="replace").splitlines()[-lines:])


@contextmanager
def fleet_of(
    environ: Mapping[str, str],
    folder: Path,
    stages: Sequence[str] = STAGES,
    faults: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> Iterator[Fleet]:
    """Yield a running fleet; no process outlives the block. faults: as of `Fleet`."""
    folder.mkdir(parents=True, exist_ok=True)
    fleet = Fleet(environ, folder, stages, faults)
    try:
        yield fleet
    finally:
        fleet.end()
