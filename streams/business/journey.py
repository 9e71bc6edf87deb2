"""What is remembered of a lead so that later events can be joined to it; the oldest are forgotten first."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, TypeVar

V = TypeVar("V")

DECISIONS_KEPT = 8  # of one lead: notices of older ones are settled long since
MOVES_KEPT = 4


@dataclass(frozen=True, slots=True)
class Told:
    """A decision whose notices are to be settled. release: channel -> not before."""

    at: datetime
    tier: str
    release: Mapping[str, datetime]


@dataclass(slots=True)
class Journey:
    """One lead. dimensions: of its first routing, with the present rep. sla: SLA cycle -> "met" or "missed".

    happened: outcomes counted once a lead. No contact data.
    """

    is_test: bool = False
    tier: str = "other"
    entry: str = "other"
    submitted_at: datetime | None = None
    owned_at: datetime | None = None
    first_owner: str | None = None
    dimensions: dict[str, str | None] = field(default_factory=dict)
    told: dict[str, Told] = field(default_factory=dict)
    settled: set[str] = field(default_factory=set)
    delivered_at: datetime | None = None
    contacted_at: datetime | None = None
    sla: dict[int, str] = field(default_factory=dict)
    moved_at: list[datetime] = field(default_factory=list)
    happened: set[str] = field(default_factory=set)

    def first(self, outcome: str) -> bool:
        """Tell whether this is the first time, and note it."""
        if outcome in self.happened:
            return False
        self.happened.add(outcome)
        return True

    def tell(self, decision: str, told: Told) -> None:
        """Remember a decision whose notices will be settled."""
        self.told[decision] = told
        while len(self.told) > DECISIONS_KEPT:
            oldest = next(iter(self.told))
            del self.told[oldest]
            self.settled.discard(oldest)


class Recent(Generic[V]):
    """A dict with a bound: what was put or found longest ago goes first."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[str, V] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: str) -> V | None:
        found = self._kept.get(key)
        if found is not None:
            self._kept.move_to_end(key)
        return found

    def put(self, key: str, value: V) -> None:
        self._kept[key] = value
        self._kept.move_to_end(key)
        if len(self._kept) > self._most:
            self._kept.popitem(last=False)

    def pop(self, key: str) -> V | None:
        return self._kept.pop(key, None)

    def made(self, key: str, make: Callable[[], V]) -> V:
        """Return the value at `key`, made where there is none."""
        found = self.get(key)
        if found is None:
            found = make()
            self.put(key, found)
        return found
