"""Reads on while a batch waits for its look-ups, so that those of the next are on their way when its turn comes.

A batch is still handled and committed in its turn, after the one before, and its `prepare` alone says what was learnt.
Where the consumer is polled meanwhile nothing is half done: a rebalance finds batches that are read and not handled,
which are dropped and come again.
"""

import time
from collections.abc import Callable, Collection, Mapping

from schemas.state import StateView
from streams.inbox import Batch, Spot
from streams.lookups import Begun, Lookups
from streams.marker import Marker

# Between two looks for new records while answers are waited for. A look costs about what a lead does, so that
# with one every 5 ms, at 500 leads a second, about a third of ENRICH went into looking (docs/decisions/0266).
LOOK_SECONDS = 0.01


class Ahead:
    """The batch after the one whose turn it is.

    read: at most so many records that are here. generation: changes with each assignment. ends: tells of topics whose
    records are never read beyond (`LowPriority`). is_stopping: what is waited for then, `prepare` waits for. tick: that
    the process lives. limit: records a batch. seconds: what look-ups have.
    """

    def __init__(
        self,
        lookups: Lookups,
        marker: Marker,
        read: Callable[[int], Batch],
        generation: Callable[[], int],
        ends: Callable[[Collection[Spot]], bool],
        is_stopping: Callable[[], bool],
        tick: Callable[[], None],
        limit: int,
        seconds: float,
    ) -> None:
        self._lookups = lookups
        self._marker = marker
        self._read = read
        self._generation = generation
        self._ends = ends
        self._is_stopping = is_stopping
        self._tick = tick
        self._limit = limit
        self._seconds = seconds
        self._next = Batch()
        self._waits: Begun = []  # of the next batch
        self._begun = False

    def take(self) -> Batch | None:
        """Return the batch that was read ahead, None where there is none."""
        if not self._next.next_offsets:
            return None
        batch, self._next = self._next, Batch()
        return batch

    def has_answers(self, batch: Batch, states: Callable[[], Mapping[int, StateView]]) -> bool:
        """Wait until what `batch` asks is answered or given up, and read and ask ahead meanwhile.

        False: the partitions were given anew, `batch` is void. After a death that may be the records' fault nothing is
        read ahead: the marker must name the batch that kills.
        """
        if not self._lookups.may_begin or self._marker.deaths:
            return True
        generation, until = self._generation(), time.monotonic() + self._seconds
        waits = self._waits if self._begun else self._begin(batch, states())
        self._waits, self._begun = [], False
        while True:
            if (room := self._room(batch)) > 0:
                more = self._read(room)
                if self._generation() != generation:
                    self._next, self._waits, self._begun = more, [], False
                    return False
                if more.next_offsets:
                    self._waits += self._begin(more, states())
                    self._next.add(more)
                    self._begun = True
            waits = [one for one in waits if not one.done()]
            if not waits or self._is_stopping() or time.monotonic() >= until:
                return True
            self._tick()
            self._marker.enter(batch)
            try:
                self._lookups.wait(waits[-1:], LOOK_SECONDS)  # the last begun ends about last; all cost as much again
            finally:
                self._marker.forgive()

    def _begin(self, batch: Batch, states: Mapping[int, StateView]) -> Begun:
        batch.began_ns = time.time_ns()
        self._marker.enter(batch)
        try:
            return self._lookups.begin(batch, states)
        finally:
            self._marker.forgive()

    def _room(self, batch: Batch) -> int:
        if self._ends(batch.next_offsets) or self._ends(self._next.next_offsets):
            return 0
        return self._limit - len(self._next)
