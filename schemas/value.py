"""Values that nobody changes, made by the dozen for each record."""

from dataclasses import dataclass, field
from typing import TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def value(kind: type[T]) -> type[T]:
    """Make a class a dataclass that mypy takes for frozen: whoever sets a field of it is refused there, not when it
    runs.

    Each field of a frozen one is set by a call: it takes five times as long to make. Without slots, for orjson writes
    what has a dict, and copies of it are made, in a fraction of the time (decision 0290).
    """
    return dataclass(unsafe_hash=True)(kind)
