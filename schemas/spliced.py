"""JSON made of pieces that are JSON already: large ones are written once, and copied only into what goes out."""

from collections.abc import Callable
from typing import Any

import orjson

_GAP = b"\x00"  # no JSON text has it: control characters are escaped in strings and stand nowhere else
_MARK = orjson.Fragment(_GAP)


class Written:
    """A value that is JSON already, in pieces that follow each other."""

    __slots__ = ("pieces",)

    def __init__(self, *pieces: bytes) -> None:
        self.pieces = pieces

    @property
    def json(self) -> bytes:
        """The whole."""
        return b"".join(self.pieces)


def spliced(value: Any, default: Callable[[Any], Any]) -> list[bytes]:
    """Return the pieces of the JSON of a value, with those of each `Written` in it. default: of orjson."""
    held: list[Written] = []

    def mark(found: Any) -> Any:
        if isinstance(found, Written):
            held.append(found)
            return _MARK
        return default(found)

    around = orjson.dumps(value, mark, orjson.OPT_UTC_Z).split(_GAP)
    pieces = [around[0]]
    for one, after in zip(held, around[1:], strict=True):
        pieces += one.pieces
        pieces.append(after)
    return pieces
