"""Members of a pool in the order of their turns, kept between decisions: the next one is found without a pass.

Of a rotation, who is owed something of the next turn (released before its end) comes before who is not, and within both
whoever falls due first. Of a pool by load, all count as released. Places are those of the pool's seats, by id.
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable
from datetime import UTC, datetime
from heapq import heappop, heappush
from typing import NamedTuple, cast

NEVER = datetime.min.replace(tzinfo=UTC)

_LAST = 1 << 62  # after every place


class Spot(NamedTuple):
    """Where a member stands. due: the smallest is first. last_at: the latest turn, `NEVER` before the first. start: the
    level at which the turn is released, None: it is."""

    due: float | int
    last_at: datetime
    start: int | None


class TurnOrder:
    """The order of the members' turns. A change is O(log n), but for the moving of pointers in a list."""

    def __init__(self) -> None:
        self._spots: dict[int, Spot] = {}
        self._ready, self._later = _Queue(), _Queue()
        self._waiting: set[int] = set()  # the places in `_later`
        self._starts: list[tuple[int, int]] = []  # a heap of theirs; entries of members who moved on are stale
        self._ahead: int | None = None

    def put(self, place: int, spot: Spot) -> bool:
        """Set where a member stands; tell whether that is elsewhere than before."""
        before = self._spots.get(place)
        if before == spot:
            queue = self._queue(place)
            queue.rows[queue.index(place, spot)] = None
            return False
        if before is not None:
            self._queue(place).remove(place, before)
            self._waiting.discard(place)
        self._spots[place] = spot
        if not self.is_ready(spot):
            self._waiting.add(place)
            heappush(self._starts, (spot.start or 0, place))
        self._queue(place).add(place, spot)
        return True

    def is_ready(self, spot: Spot) -> bool:
        """Tell whether a turn that stands so is released before the end of the next one."""
        return spot.start is None or (self._ahead is not None and spot.start < self._ahead)

    def advance(self, ahead: int) -> None:
        """Let the next turn end at level `ahead`, never below the one before: turns that start before are released."""
        self._ahead = ahead
        while self._starts and self._starts[0][0] < ahead:
            start, place = heappop(self._starts)
            spot = self._spots[place]
            if place in self._waiting and spot.start == start:
                self._later.remove(place, spot)
                self._waiting.remove(place)
                self._ready.add(place, spot)

    def spot(self, place: int) -> Spot:
        return self._spots[place]

    def tied(self) -> int:
        """Return how many come first alike: due at once, and waiting for equally long."""
        return (self._ready if self._ready.by_wait else self._later).tied()

    def first(self, number: int) -> int:
        """Return the place of the `number`-th of those who come first, by place from 0."""
        return (self._ready if self._ready.by_wait else self._later).by_wait[number][2]

    def nearest(self, most: int, winner: int, row: Callable[[int], bytes]) -> list[bytes]:
        """Return the rows of the first `most` places but the winner's; who falls due at once is in the order of places.

        row: makes a place's, once; it is kept until the place is put or released.
        """
        rows = self._ready.nearest(most + 1, row)
        ahead = len(self._ready.by_due)
        if len(rows) <= most:
            rows += self._later.nearest(most + 1 - len(rows), row)
        at = self._queue(winner).index(winner, self._spots[winner]) + (ahead if winner in self._waiting else 0)
        if at < len(rows):
            del rows[at]
        return rows[:most]

    def _queue(self, place: int) -> "_Queue":
        return self._later if place in self._waiting else self._ready


class _Queue:
    """Members in the order in which they fall due: by place, for the trace, and by who waited longest, for the pick.

    rows: of `by_due`, where they are made already.
    """

    def __init__(self) -> None:
        self.by_due: list[tuple[float | int, int]] = []
        self.by_wait: list[tuple[float | int, datetime, int]] = []
        self.rows: list[bytes | None] = []

    def add(self, place: int, spot: Spot) -> None:
        at = bisect_left(self.by_due, (spot.due, place))
        self.by_due.insert(at, (spot.due, place))
        self.rows.insert(at, None)
        insort(self.by_wait, (spot.due, spot.last_at, place))

    def remove(self, place: int, spot: Spot) -> None:
        at = self.index(place, spot)
        del self.by_due[at], self.rows[at]
        del self.by_wait[bisect_left(self.by_wait, (spot.due, spot.last_at, place))]

    def index(self, place: int, spot: Spot) -> int:
        return bisect_left(self.by_due, (spot.due, place))

    def nearest(self, most: int, row: Callable[[int], bytes]) -> list[bytes]:
        found = self.rows[:most]
        while None in found:
            at = found.index(None)
            found[at] = self.rows[at] = row(self.by_due[at][1])
        return cast(list[bytes], found)

    def tied(self) -> int:
        due, last_at, _ = self.by_wait[0]
        return bisect_right(self.by_wait, (due, last_at, _LAST))
