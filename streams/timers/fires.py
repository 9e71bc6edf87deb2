"""The fires of one transaction: what is due, and its records. Found and made while the one before is on its way."""

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, islice

from streams.restore import Row as Taken
from streams.timers.index import Pending, TimerIndex, due_of, microseconds
from streams.timers.record import Firing
from streams.transaction import Row

Due = tuple[int, int, Pending]
"""One entry to fire: its due (microseconds since 1970), its partition, itself. In due order as it is.

A plain tuple: a named one takes five times as long to make.
"""


@dataclass(frozen=True, slots=True)
class Fires:
    """What fires in one transaction. now: they are all due by it. indexes: those it was found in."""

    due: Sequence[Due]
    now: datetime
    indexes: Mapping[int, TimerIndex]
    firing: Firing
    records: Sequence[Row]

    def by_partition(self) -> Mapping[int, Sequence[Pending]]:
        """Return the entries of each partition, in due order."""
        found: dict[int, list[Pending]] = {}
        for _, partition, pending in self.due:
            found.setdefault(partition, []).append(pending)
        return found

    def lasts(self) -> Mapping[int, Pending]:
        """Return the last entry of each partition that has any."""
        return {partition: pending for _, partition, pending in self.due}


class FiresAhead:
    """The fires of the transaction after the one under way; they count only while nothing came that touches them.

    Their range of the index is dropped after they fired, so an arming that was taken into that range since they were
    found would be dropped with it, unseen; and what was cancelled or armed again meanwhile must not fire.
    """

    def __init__(self, fires: Fires) -> None:
        self.fires = fires
        self._keys = frozenset(pending.key for _, _, pending in fires.due)
        self._now_us = microseconds(fires.now)

    def is_touched_by(self, rows: Iterable[Taken]) -> bool:
        """Tell whether any of what was taken cancels or replaces one of them, or is due as early as they are."""
        keys, now_us = self._keys, self._now_us
        return any(key in keys or (value is not None and due_of(value) <= now_us) for key, value in rows)


def next_due(
    indexes: Mapping[int, TimerIndex], now_us: int, limit: int, after: Mapping[int, Pending] | None = None
) -> Sequence[Due]:
    """Return at most `limit` due entries over all partitions, oldest first; of each partition its earliest.

    after: by partition, the last one that fires already; of a partition without one nothing does.
    """
    fired = after or {}
    rows = [_of(number, index.falling_due(now_us, fired.get(number))) for number, index in indexes.items()]
    # Compared as they are, which needs no call a comparison: of equal dues the lower partition is the first.
    merged = heapq.merge(*rows) if len(rows) > 1 else chain.from_iterable(rows)
    return list(islice(merged, limit))


def _of(partition: int, pending: Iterable[Pending]) -> Iterator[Due]:
    return ((one.due_us, partition, one) for one in pending)
