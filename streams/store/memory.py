"""A store in a dict: nothing survives the process."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from streams.store.store import Position


class MemoryStore:
    """Entries in a dict; sorted keys are made when a scan first needs them, and again after keys came or went."""

    def __init__(self) -> None:
        self._entries: dict[str, bytes] = {}
        self._sorted: list[str] | None = None
        self._position: Position | None = None

    def get(self, key: str) -> bytes | None:
        return self._entries.get(key)

    def scan(self, prefix: str) -> Iterator[tuple[str, bytes]]:
        if self._sorted is None:
            self._sorted = sorted(self._entries)  # code points and UTF-8 bytes sort alike
        keys = self._sorted
        found = []
        for index in range(bisect_left(keys, prefix), len(keys)):
            if not keys[index].startswith(prefix):
                break
            found.append((keys[index], self._entries[keys[index]]))
        return iter(found)

    def fold(self, changes: Mapping[str, bytes | None], position: Position) -> None:
        for key, value in changes.items():
            self._set(key, value)
        self._position = position

    def load(self, rows: Iterable[tuple[bytes, bytes | None]], position: Position) -> None:
        for key, value in rows:
            self._set(key.decode(), value)
        self._position = position

    def flush(self) -> None:
        pass

    def position(self) -> Position | None:
        return self._position

    def entries(self) -> int:
        return len(self._entries)

    def wipe(self) -> None:
        self._entries = {}
        self._sorted = None
        self._position = None

    def close(self) -> None:
        pass

    def _set(self, key: str, value: bytes | None) -> None:
        if value is None:
            if self._entries.pop(key, None) is not None:
                self._sorted = None
        else:
            if key not in self._entries:
                self._sorted = None
            self._entries[key] = value


def open_memory(folder: Path) -> MemoryStore:
    """Return an empty store. folder: not used, a dict has none."""
    return MemoryStore()
