"""How a stage reads the compacted topics that it names in `tables`."""

from typing import Any, Protocol


class Tables(Protocol):
    """The compacted topics that a stage reads, by logical name."""

    def get(self, table: str, key: str) -> Any | None:
        """Return the row's model, or None."""
