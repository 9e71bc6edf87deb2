"""Stores that are filled side by side: what one waits for its disk holds up neither reading nor the others."""

from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from streams.store.store import Position, Restorable


def a_thread_each(stores: Collection[int]) -> ThreadPoolExecutor:
    """Return a thread a store: each waits for the broker or the disk most of its time, and lets go of Python then."""
    return ThreadPoolExecutor(max(1, len(stores)), "restore")


class Loading:
    """Writes the rows of one read while the next is made. Use it in one thread; it uses those of `threads`."""

    def __init__(self, stores: Mapping[int, Restorable], threads: ThreadPoolExecutor) -> None:
        self._stores = stores
        self._threads = threads
        self._running: list[Future[None]] = []

    def begin(
        self, rows: Mapping[int, Sequence[tuple[bytes, bytes | None]]], positions: Mapping[int, Position]
    ) -> None:
        """Begin to load `rows` of some stores, with the positions that cover them; what began before is finished first.

        So the rows of a store come in their order, and those of two reads at most are in memory. Raises StoreFailed.
        """
        self.finish()
        self._running = [
            self._threads.submit(self._stores[number].load, rows.get(number, ()), position)
            for number, position in positions.items()
        ]

    def finish(self) -> None:
        """Wait for what is being loaded. Raises StoreFailed."""
        running, self._running = self._running, []
        for one in running:
            one.result()
