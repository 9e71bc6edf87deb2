"""Finds the record that kills the process: a file beside the stores that says what was under way."""

import os
from collections.abc import Iterator
from pathlib import Path

import orjson

from streams.inbox import Batch, Spot

DEATHS = 3  # as many ends inside the same batch are no accident

_IDLE, _INSIDE = b"0", b"1"


class Marker:
    """Notes when a batch is inside `prepare` or `handle`: whoever finds the note at start counts a death.

    From the third death in the same records on, batches are halved at each further one; a single record that kills
    again is the culprit. Deaths at commit, broker or disk find no note. One write of a few bytes a batch, unsynced:
    it outlives the process, not the machine.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file = os.open(folder / "marker", os.O_RDWR | os.O_CREAT, 0o600)
        self._deaths = 0
        self._size = 0
        self._suspects: dict[Spot, tuple[int, int]] = {}  # first offset, next offset
        self._read()

    @property
    def deaths(self) -> int:
        """How many times in a row the suspects ended the process."""
        return self._deaths

    def limit(self, usual: int) -> int:
        """Return how many records the next batch may have."""
        if self._deaths < DEATHS or not self._suspects:
            return usual
        return max(1, min(usual, self._size >> 1))

    def culprits(self, batch: Batch) -> list[int]:
        """Return the places in `batch.events` of records that are known to kill: set them aside, unhandled."""
        if self._deaths < DEATHS or self._size > 1 or len(batch.events) != 1:
            return []
        return [0] if self._is_suspect(batch) else []

    def enter(self, batch: Batch) -> None:
        """Note that `batch` is being prepared or handled."""
        suspects = self._suspects or _ranges(batch)
        deaths = self._deaths if self._suspects else 0
        if self._suspects and self._deaths >= DEATHS:
            suspects = _ranges(batch) if self._is_suspect(batch) else suspects
        rows = [[topic, partition, *span] for (topic, partition), span in suspects.items()]
        note = orjson.dumps({"deaths": deaths, "size": len(batch.events), "suspects": rows})
        os.pwrite(self._file, _INSIDE + note + b"\n", 0)

    def leave(self, batch: Batch) -> None:
        """Note that `batch` was handled; its records are suspects no more."""
        os.pwrite(self._file, _IDLE, 0)
        if self._suspects:
            self._clear(batch)

    def forgive(self) -> None:
        """Note that the process ends for a reason that is not in the records."""
        os.pwrite(self._file, _IDLE, 0)

    def close(self) -> None:
        os.close(self._file)

    def _read(self) -> None:
        text = os.pread(self._file, 1 << 20, 0)
        if not text.startswith(_INSIDE):
            return
        note = orjson.loads(text[1:].split(b"\n", 1)[0])
        self._deaths = note["deaths"] + 1
        self._size = note["size"]
        self._suspects = {(topic, partition): (first, after) for topic, partition, first, after in note["suspects"]}

    def _is_suspect(self, batch: Batch) -> bool:
        return any(
            spot in self._suspects and first < self._suspects[spot][1] for spot, first in batch.first_offsets.items()
        )

    def _clear(self, batch: Batch) -> None:
        self._suspects = dict(self._remaining(batch))
        if not self._suspects:
            self._deaths = 0

    def _remaining(self, batch: Batch) -> Iterator[tuple[Spot, tuple[int, int]]]:
        for spot, (first, after) in self._suspects.items():
            start = max(first, batch.next_offsets.get(spot, first))
            if start < after:
                yield spot, (start, after)


def _ranges(batch: Batch) -> dict[Spot, tuple[int, int]]:
    return {spot: (first, batch.next_offsets[spot]) for spot, first in batch.first_offsets.items()}
