"""How pure code reads the state of its partition."""

from collections.abc import Iterator
from typing import Any, Protocol


class StateView(Protocol):
    """A read-only view of one partition's store, the batch's earlier effects included.

    Keys are text, `kind/…`; values are the frozen dataclasses that the stage registered for the kind.
    """

    def get(self, key: str) -> Any | None:
        """Return the value at `key`, or None."""

    def scan(self, prefix: str) -> Iterator[tuple[str, Any]]:
        """Yield (key, value) with keys that start with `prefix`, in byte order. Lazy: stop when you have enough."""
