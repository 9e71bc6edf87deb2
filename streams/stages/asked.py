"""Leads that were asked for before their batch's turn, by event."""

import asyncio
from collections import OrderedDict
from collections.abc import Coroutine, Sequence
from typing import Any

from enrichment.waterfall import started
from streams.stage import Event
from streams.stages.prepared import Prepared

MOST = 2_000  # four batches: two are under way, others are of partitions that went elsewhere meanwhile


class Asked:
    """Holds what is under way until the event's own `prepare` takes it up. The oldest leave when there are too many."""

    def __init__(self) -> None:
        self._tasks: OrderedDict[tuple[str, int, int], tuple[Event, asyncio.Task[Prepared]]] = OrderedDict()

    async def begin(
        self, asking: Sequence[tuple[Event, Coroutine[Any, Any, Prepared]]]
    ) -> "asyncio.Future[Any] | None":
        """Ask for each event's lead, the first ones ahead; return what is done when all have ended, None for none."""
        tasks = await started([one for _, one in asking])
        for (event, _), task in zip(asking, tasks, strict=True):
            self.add(event, task)
        return asyncio.gather(*tasks, return_exceptions=True) if tasks else None

    def add(self, event: Event, task: "asyncio.Task[Prepared]") -> None:
        """Note that an event's lead is asked for."""
        self._tasks[_spot(event)] = (event, task)
        if len(self._tasks) > MOST:
            self._tasks.popitem(last=False)

    def take(self, event: Event) -> "asyncio.Task[Prepared] | None":
        """Return what was begun for this very event; a record that was read once more is asked for anew."""
        found = self._tasks.pop(_spot(event), None)
        return found[1] if found is not None and found[0] is event else None

    async def close(self) -> None:
        """Break off what is under way."""
        tasks = [task for _, task in self._tasks.values()]
        self._tasks.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _spot(event: Event) -> tuple[str, int, int]:
    return event.topic, event.partition, event.offset
