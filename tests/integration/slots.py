"""Slots of the counting stage as real processes, and what must be true of what they leave behind."""

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from streams.kafka.config import ClusterSettings
from streams.store.rocks import open_rocks
from tests.records import Outgoing, Record, Records
from tests.waiting import READ_LOOK_SECONDS, eventually

EXIT_SECONDS = 240.0


@dataclass(slots=True)
class Slot:
    """One process. `log` is what it wrote, an object a line."""

    process: "subprocess.Popen[bytes]"
    log_file: Path
    state_dir: Path

    @property
    def log(self) -> list[dict[str, Any]]:
        lines = self.log_file.read_bytes().splitlines()
        return [orjson.loads(line) for line in lines if line.startswith(b"{")]

    def logged(self, event: str) -> list[dict[str, Any]]:
        return [line for line in self.log if line["event"] == event]

    def has(self, event: str, count: int = 1) -> "Slot":
        """Wait until the event was logged so often."""
        eventually(lambda: len(self.logged(event)) >= count, lambda: f"{event} in {self.log_file.read_text()}")
        return self

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def exit_code(self, seconds: float = EXIT_SECONDS) -> int:
        """Wait for the end of the process."""
        return self.process.wait(seconds)

    def stop(self) -> int:
        self.signal(signal.SIGTERM)
        return self.exit_code()


@dataclass(slots=True)
class Slots:
    """Starts slots of the counting stage on one cluster."""

    cluster: ClusterSettings
    folder: Path
    started: list[Slot] = field(default_factory=list)

    def start(self, fault: str = "", machine: str = "here", file_blocks: int = 0, **settings: Any) -> Slot:
        """Start one. machine: whose state folder it has. file_blocks: of 512 bytes, the longest file it may write."""
        state_dir = self.folder / machine
        said = {"bootstrap": self.cluster.bootstrap, "namespace": self.cluster.namespace, "state_dir": str(state_dir)}
        log_file = self.folder / f"log{len(self.started)}"
        with log_file.open("wb") as log:
            command = [sys.executable, "-m", "tests.stages.counting"]
            if file_blocks:  # from its first moment on
                command = ["/bin/sh", "-c", f'ulimit -S -f {file_blocks}; exec "$@"', "sh", *command]
            process = subprocess.Popen(
                command,
                env=os.environ | {"COUNTING": orjson.dumps(said | settings).decode(), "LEADSTREAM_FAULT": fault},
                stderr=log,
            )
        slot = Slot(process, log_file, state_dir)
        self.started.append(slot)
        return slot

    def supervise(self, until: Callable[[], bool], slot: Slot, **settings: Any) -> Slot:
        """Start the slot again whenever it ends, until the condition holds; return the last one."""

        def step() -> bool:
            nonlocal slot
            if slot.process.poll() is not None:
                slot = self.start(**settings)
            return until()

        try:
            eventually(step, "what the supervised slot should do", 240, READ_LOOK_SECONDS)
        except AssertionError as error:
            raise AssertionError(f"{error}; its log: {slot.log_file.read_text()}") from error
        return slot


@contextmanager
def slots_of(cluster: ClusterSettings, folder: Path) -> Iterator[Slots]:
    """Yield a starter of slots; none outlives the block."""
    slots = Slots(cluster, folder)
    try:
        yield slots
    finally:
        for slot in slots.started:
            if slot.process.poll() is None:
                slot.process.kill()
                slot.process.wait()


def leads(count: int, people: int = 20, **more: Any) -> list[Outgoing]:
    """Return records for leads.raw, over so many people."""
    return [Outgoing(f"p{n % people}", {"person": f"p{n % people}", **more}, {"ce_id": f"e{n}"}) for n in range(count)]


def outputs(records: Records, count: int, seconds: float = 120.0) -> list[Record]:
    """Return the stage's output once it has as many records."""
    return records.read_until(["leads.pending"], lambda found: len(found) >= count, seconds)


def assert_exactly_once(records: Records, expected: Mapping[str, int]) -> None:
    """Every input has one output, each person's counts go up by one, and the changelog says the same.

    expected: inputs by person.
    """
    found = records.read_all("leads.pending")
    counts: dict[str, list[int]] = {}
    for record in found:
        counts.setdefault(record.key or "", []).append(record.json["n"])
    assert counts == {person: list(range(1, count + 1)) for person, count in expected.items()}
    ids = Counter(record.headers["ce_id"] for record in found)
    assert [event_id for event_id, count in ids.items() if count > 1] == []
    state = folded(records)
    seen = {
        key.split("/")[1]: value["seen"] for part in state.values() for key, value in part.items() if "count/" in key
    }
    assert seen == dict(expected)
    totals = [part["total/all"]["seen"] for part in state.values() if part]
    assert sum(totals) == sum(expected.values())


def folded(records: Records) -> dict[int, dict[str, Any]]:
    """Return the changelog folded from its start, by partition."""
    state: dict[int, dict[str, Any]] = {0: {}, 1: {}}
    for record in records.read_all("state.enrich"):
        if record.value is None:
            state[record.partition].pop(record.key or "", None)
        else:
            state[record.partition][record.key or ""] = record.json
    return state


def stored(slot: Slot, cluster: ClusterSettings, partitions: Sequence[int] = (0, 1)) -> dict[int, dict[str, Any]]:
    """Return what a stopped slot's stores hold, by partition."""
    found = {}
    for number in partitions:
        store = open_rocks(slot.state_dir / cluster.namespace / "enrich-1" / str(number))
        found[number] = {key: orjson.loads(value) for key, value in store.scan("")}
        store.close()
    return found
