"""A decision in the making: reads through to the state, remembers what it wrote, and gives it back as effects."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, TypeVar

import orjson

from schemas.effects import CancelWake, Delete, Effect, Emit, Put, Wake
from schemas.scored import plain
from schemas.state import StateView

T = TypeVar("T")
_GONE = object()


class Draft:
    """An overlay over a `StateView` for one event. Effects come out once a key, in order of first writing."""

    def __init__(self, state: StateView, now: datetime) -> None:
        self.now = now
        self._state = state
        self._written: dict[str, Any] = {}
        self._wakes: dict[str, Wake | CancelWake] = {}
        self._emits: list[Emit] = []
        self.watch: Callable[[str, Any], None] | None = None  # told of each write

    def get(self, key: str) -> Any | None:
        """Return the value at `key` as this draft sees it."""
        if key in self._written:
            value = self._written[key]
            return None if value is _GONE else value
        return self._state.get(key)

    def find(self, kind: type[T], key: str) -> T | None:
        """Return the value at `key`, None where there is none or it is no `kind`."""
        value = self._written.get(key)  # `get`, at hand: a decision asks a dozen times
        if value is None:
            value = self._state.get(key)
        return value if isinstance(value, kind) else None

    def scan(self, prefix: str) -> Iterator[tuple[str, Any]]:
        """Yield (key, value) under `prefix` in byte order, this draft's writes of the moment of calling included."""
        ours = sorted((key for key in self._written if key.startswith(prefix)), key=str.encode)
        stored = self._state.scan(prefix)
        head = next(stored, None)
        for key in ours:
            while head is not None and head[0].encode() < key.encode():
                yield head
                head = next(stored, None)
            if head is not None and head[0] == key:
                head = next(stored, None)
            if self._written[key] is not _GONE:
                yield key, self._written[key]
        while head is not None:
            yield head
            head = next(stored, None)

    def put(self, key: str, value: Any) -> None:
        self._written[key] = value
        if self.watch is not None:
            self.watch(key, value)

    def delete(self, key: str) -> None:
        self._written[key] = _GONE

    def emit(self, emit: Emit) -> None:
        self._emits.append(emit)

    def wake(self, key: str, due_at: datetime, division: str, epoch: int = 0) -> None:
        """Arm the wake-up of `key`; it returns to the division's log."""
        self._wakes[key] = Wake(key, due_at, "leads.scored", division, {"epoch": epoch})

    def cancel_wake(self, key: str) -> None:
        self._wakes[key] = CancelWake(key)

    @property
    def decisions(self) -> int:
        """How many decisions this event has come to so far."""
        return len(self._emits)

    def effects(self) -> list[Effect]:
        """Return all effects: state, decisions, wake-ups."""
        # Each write is encoded once: the changelog takes the bytes and the journal their digest.
        written = [
            Delete(key) if value is _GONE else Put(key, value, orjson.dumps(value, plain, orjson.OPT_UTC_Z))
            for key, value in self._written.items()
        ]
        return [*written, *self._emits, *self._wakes.values()]
