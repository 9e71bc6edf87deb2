"""The look-ups of a batch: a stage's `prepare`, under a deadline, one call a partition and all at once."""

import asyncio
import time
from collections.abc import Mapping
from typing import Any

import structlog

from schemas.state import StateView
from streams.errors import Fatal, LeadstreamError
from streams.inbox import Batch
from streams.metrics import RunnerMetrics
from streams.outcome import Outcome, stumbled
from streams.stage import AsksAhead, Context, Event, Stage, asks_nobody

_READING_PASSES = 10  # of the event loop, from bytes in a socket to an answer
# A stage that overruns its own deadline by this much hangs: end; the marker finds the record if it does so again.
GRACE_SECONDS = 5.0

Begun = list["asyncio.Future[Any]"]
"""Look-ups that are under way before their batch's turn, a partition each."""

log = structlog.get_logger()


class PrepareHangs(Fatal):
    """A stage's `prepare` did not return by its deadline. It must give up on what it waits for."""


class Lookups:
    """Asks one stage. seconds: what its `prepare` has for a batch."""

    def __init__(self, stage: Stage, events: asyncio.AbstractEventLoop, seconds: float, metrics: RunnerMetrics) -> None:
        self._stage = stage
        self._events = events
        self._seconds = seconds
        self._metrics = metrics
        self._ahead = stage if isinstance(stage, AsksAhead) else None
        self._asks = getattr(type(stage), "prepare", None) is not asks_nobody
        self._waited = 0.0  # spent ahead of the turn, told with the next `prepare`

    def context(self, batch: Batch, outcome: Outcome, states: Mapping[int, StateView]) -> Context:
        """Return what was learnt for the batch's events but the refused ones; refuse those whose look-up fails.

        Raises PrepareHangs, and the stage's own LeadstreamError.
        """
        if not self._asks:
            return {}
        started = time.perf_counter()
        events = [event for place, event in enumerate(batch.events) if place not in outcome.refused]
        try:
            return self._asked(events, states)
        except LeadstreamError:
            raise
        except Exception as error:
            if len(events) == 1:
                place = batch.events.index(events[0])
                outcome.refused[place] = stumbled(batch, place, error, "prepare")
                return {}
            log.warning("prepare.failed", stage=self._stage.name, error=type(error).__name__, records=len(events))
            return self._asked_one_by_one(batch, outcome, states)
        finally:
            self._metrics.time_step("prepare", time.perf_counter() - started + self._waited)
            self._waited = 0.0

    @property
    def may_begin(self) -> bool:
        """Tell whether look-ups can begin before their batch's turn, and it is worth while."""
        return self._ahead is not None and self._ahead.asks_ahead

    def begin(self, batch: Batch, states: Mapping[int, StateView]) -> Begun:
        """Begin the look-ups of a batch before its turn; return what to wait for.

        Raises the stage's LeadstreamError.
        """
        if self._ahead is None or not batch.events:
            return []
        started = time.perf_counter()
        try:
            return self._events.run_until_complete(self._begun(self._ahead, batch.events, states))
        finally:
            self._waited += time.perf_counter() - started

    def wait(self, begun: Begun, seconds: float) -> None:
        """Let what is under way go on, until it has ended or the time is over."""
        started = time.perf_counter()
        self._events.run_until_complete(asyncio.wait(begun, timeout=seconds))
        self._waited += time.perf_counter() - started

    def read_on(self) -> None:
        """Let what is still being asked from earlier batches read its answers, waiting for none.

        The event loop stands still between batches. Where the next one comes a minute later, an answer that arrived in
        time would else be found after its deadline, and count as none.
        """
        if asyncio.all_tasks(self._events):
            self._events.run_until_complete(_passes())

    def _asked_one_by_one(self, batch: Batch, outcome: Outcome, states: Mapping[int, StateView]) -> Context:
        """Find the records whose look-ups fail by themselves; the others get theirs."""
        context: dict[str, object] = {}
        for place, event in enumerate(batch.events):
            if place in outcome.refused:
                continue
            try:
                context.update(self._asked([event], states))
            except LeadstreamError:
                raise
            except Exception as error:
                outcome.refused[place] = stumbled(batch, place, error, "prepare")
        return context

    def _asked(self, events: list[Event], states: Mapping[int, StateView]) -> Context:
        deadline = self._events.time() + self._seconds
        return self._events.run_until_complete(self._within(events, states, deadline))

    async def _within(self, events: list[Event], states: Mapping[int, StateView], deadline: float) -> Context:
        by_partition = _by_partition(events)
        try:
            async with asyncio.timeout_at(deadline + GRACE_SECONDS) as scope, asyncio.TaskGroup() as group:
                asked = [
                    group.create_task(self._stage.prepare(mine, states[number], deadline))
                    for number, mine in by_partition.items()
                ]
        except TimeoutError as error:
            if scope.expired():
                raise PrepareHangs() from error
            raise
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from errors
        return {event_id: found for task in asked for event_id, found in task.result().items()}

    async def _begun(self, stage: AsksAhead, events: list[Event], states: Mapping[int, StateView]) -> Begun:
        deadline = self._events.time() + self._seconds
        begun: Begun = []
        for number, mine in _by_partition(events).items():
            try:
                found = await stage.ask_ahead(mine, states[number], deadline)
            except LeadstreamError:
                raise
            except Exception as error:  # `prepare` is asked all the same, and finds the record that it lies in
                log.warning("ask_ahead.failed", stage=self._stage.name, error=type(error).__name__, records=len(mine))
                continue
            if found is not None:
                begun.append(found)
        return begun


def _by_partition(events: list[Event]) -> dict[int, list[Event]]:
    found: dict[int, list[Event]] = {}
    for event in events:
        found.setdefault(event.partition, []).append(event)
    return found


async def _passes() -> None:
    for _ in range(_READING_PASSES):
        await asyncio.sleep(0)
