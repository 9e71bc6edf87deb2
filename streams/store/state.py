"""The state of one partition: a store, the overlay of the batch under way, and its resident kinds in memory."""

from bisect import bisect_left, insort
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from streams.stage import Kind
from streams.store.store import Position, Store


class UnknownKind(KeyError):
    """A key's part before the first "/" is no kind of the stage: declare it in `Stage.kinds`."""


class Resident:
    """All values of one kind, decoded, in key order."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.keys: list[str] = []

    def set(self, key: str, value: Any | None) -> Any | None:
        """Set (None removes) and return what was there before."""
        values = self.values
        before = values.get(key)
        if value is not None:
            if before is None:
                insort(self.keys, key)
            values[key] = value
        elif before is not None:
            del values[key]
            del self.keys[bisect_left(self.keys, key)]
        return before

    def scan(self, prefix: str) -> Iterator[tuple[str, Any]]:
        keys, values = self.keys, self.values
        found = []
        for index in range(bisect_left(keys, prefix), len(keys)):
            key = keys[index]
            if not key.startswith(prefix):
                break
            found.append((key, values[key]))
        return iter(found)


class PartitionState:
    """A `StateView` of one partition, the batch's earlier effects included.

    `apply` takes one event's changes, `changes` gives the batch's last value per key for the changelog, `fold` moves
    them to the store after the commit, `discard` takes them back. Resident kinds are changed in place, with the
    values from before kept for `discard`: their scans, one a decision, merge nothing.
    """

    def __init__(self, store: Store, kinds: Mapping[str, Kind]) -> None:
        self._store = store
        self._decode: dict[str, Callable[[bytes], Any]] = {name: kind.decode for name, kind in kinds.items()}
        self._resident = {name: Resident() for name, kind in kinds.items() if kind.resident}
        self._changes: dict[str, bytes | None] = {}
        self._values: dict[str, Any | None] = {}  # of kinds on disk: changed or read in this batch, decoded
        self._changed_keys: list[str] = []  # of kinds on disk, sorted: what a scan must merge
        self._before: dict[str, Any | None] = {}  # of resident kinds: for `discard`
        self._topic_id: str | None = None  # of the changelog: the one the store was restored from

    def read_residents(self) -> None:
        """Read the resident kinds from the store: once, after a restore."""
        for name, resident in self._resident.items():
            decode = self._decode[name]
            resident.values = {key: decode(value) for key, value in self._store.scan(f"{name}/")}
            resident.keys = list(resident.values)

    def get(self, key: str) -> Any | None:
        kind = key.split("/", 1)[0]
        if (resident := self._resident.get(kind)) is not None:
            return resident.values.get(key)
        if key in self._values:
            return self._values[key]
        found = self._store.get(key)
        value = None if found is None else self._decoded(kind, found)
        self._values[key] = value
        return value

    def scan(self, prefix: str) -> Iterator[tuple[str, Any]]:
        kind, slash, _ = prefix.partition("/")
        if slash and (resident := self._resident.get(kind)) is not None:
            return resident.scan(prefix)
        return self._merged(prefix)

    def apply(self, puts: list[tuple[str, Any | None, bytes | None]]) -> None:
        """Take one event's changes: (key, value, its bytes), None removes. Raises UnknownKind before any is taken."""
        kinds = [key.split("/", 1)[0] for key, _, _ in puts]
        if not self._decode.keys() >= set(kinds):
            unknown = next(kind for kind in kinds if kind not in self._decode)
            raise UnknownKind(f"{unknown!r} is no kind of this stage: declare it in Stage.kinds")
        changes, residents, before = self._changes, self._resident, self._before
        for kind, (key, value, encoded) in zip(kinds, puts, strict=True):
            resident = residents.get(kind)
            if resident is not None:
                before.setdefault(key, resident.set(key, value))
            else:
                if key not in changes:
                    insort(self._changed_keys, key)
                self._values[key] = value
            changes[key] = encoded

    def changes(self) -> Mapping[str, bytes | None]:
        """Return the batch's last bytes per key; None removes."""
        return self._changes

    def fold(self, next_offset: int, written_at: float) -> None:
        """Move the batch's changes to the store, with the changelog position that covers them. Raises StoreFailed.

        next_offset: after the last changelog record of these changes. written_at: wall time, seconds since 1970.
        """
        if self._topic_id is None:
            position = self._store.position()
            self._topic_id = "" if position is None else position.topic_id
        self._store.fold(self._changes, Position(self._topic_id, next_offset, written_at))
        self._clear()

    def discard(self) -> None:
        """Take the batch's changes back."""
        for key, value in self._before.items():
            self._resident[key.split("/", 1)[0]].set(key, value)
        self._clear()

    def forget_reads(self) -> None:
        """Drop what the batch read, when it changed nothing: memory stays bounded by a batch."""
        self._values.clear()

    def entries(self) -> int:
        """Return how many entries the store has, as an estimate."""
        return self._store.entries()

    def close(self) -> None:
        self._store.close()

    def _clear(self) -> None:
        self._changes = {}
        self._values = {}
        self._changed_keys = []
        self._before = {}

    def _decoded(self, kind: str, found: bytes) -> Any:
        decode = self._decode.get(kind)
        if decode is None:
            raise UnknownKind(f"{kind!r} is no kind of this stage: declare it in Stage.kinds")
        return decode(found)

    def _merged(self, prefix: str) -> Iterator[tuple[str, Any]]:
        changed = iter(self._changed_with(prefix))
        next_changed = next(changed, None)
        for key, found in self._store.scan(prefix):
            while next_changed is not None and next_changed < key:
                yield from self._if_present(next_changed)
                next_changed = next(changed, None)
            if next_changed == key:
                yield from self._if_present(key)
                next_changed = next(changed, None)
            else:
                yield key, self._decoded(key.split("/", 1)[0], found)
        while next_changed is not None:
            yield from self._if_present(next_changed)
            next_changed = next(changed, None)

    def _changed_with(self, prefix: str) -> list[str]:
        _, slash, _ = prefix.partition("/")
        if not slash:  # over several kinds: rare, and resident changes are in the store only after the fold
            return sorted(key for key in self._changes if key.startswith(prefix))
        keys = self._changed_keys
        first = bisect_left(keys, prefix)
        last = first
        while last < len(keys) and keys[last].startswith(prefix):
            last += 1
        return keys[first:last]

    def _if_present(self, key: str) -> Iterator[tuple[str, Any]]:
        value = self.get(key)
        if value is not None:
            yield key, value
