"""What keeps one partition's entries: bytes by key, with the changelog position they stand for."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from streams.errors import Fatal


class StoreFailed(Fatal):
    """The store on disk can't be read or written: full, gone or broken. Make room; a restart goes on from the log."""


class StoreKind(StrEnum):
    ROCKSDB = "rocksdb"  # survives a restart: only the rest of the changelog is read again
    MEMORY = "memory"  # read again whole at each start: small states and tests


@dataclass(frozen=True, slots=True)
class Position:
    """How far a store has folded its changelog.

    topic_id: the changelog's own id, another one after it was deleted and made anew. next_offset: the first record
    not folded. written_at: wall time, seconds since 1970.
    """

    topic_id: str
    next_offset: int
    written_at: float


class Restorable(Protocol):
    """What a restore needs: rows taken with the position that covers them. The stores, and the index of TIMERS."""

    def fold(self, changes: Mapping[str, bytes | None], position: Position) -> None: ...

    def load(self, rows: Iterable[tuple[bytes, bytes | None]], position: Position) -> None: ...

    def flush(self) -> None: ...

    def position(self) -> Position | None: ...

    def wipe(self) -> None: ...


class Store(Protocol):
    """Entries of one partition. Keys are text; one that starts with NUL is the store's own.

    Every method raises StoreFailed where the disk fails, and does nothing by halves.
    """

    def get(self, key: str) -> bytes | None:
        """Return the bytes at `key`, or None."""

    def scan(self, prefix: str) -> Iterator[tuple[str, bytes]]:
        """Yield (key, bytes) with keys that start with `prefix`, in byte order, as of the call. Lazy."""

    def fold(self, changes: Mapping[str, bytes | None], position: Position) -> None:
        """Write entries (None removes) and the position: all of it or, after a crash, none."""

    def load(self, rows: Iterable[tuple[bytes, bytes | None]], position: Position) -> None:
        """As `fold`, for the many rows of a restore, in their order, with UTF-8 keys."""

    def flush(self) -> None:
        """Make what was loaded survive a crash of the process."""

    def position(self) -> Position | None:
        """Return the position of the last write, None where nothing was ever written."""

    def entries(self) -> int:
        """Return how many entries there are, as an estimate."""

    def wipe(self) -> None:
        """Remove everything, the position too."""

    def close(self) -> None:
        """Let go of the files. Nothing may be called afterwards."""


class OpenStore(Protocol):
    """Opens the store in a folder (made if absent); what is unreadable there is replaced by an empty store."""

    def __call__(self, folder: Path) -> Store: ...
