"""A batch through a stage's `handle`: event by event on the overlay, the effects of one event whole or not at all."""

import time
from collections.abc import Mapping
from datetime import datetime

from schemas.poison import Poison
from schemas.timer import WAKE_UP
from streams.assignment import Owned
from streams.clock import Clock
from streams.errors import LeadstreamError
from streams.inbox import Batch, SetAside
from streams.metrics import RunnerMetrics
from streams.outbox import Outbox
from streams.outcome import Outcome, stumbled
from streams.stage import Event, Handled, Stage


class Handling:
    """Runs one stage's `handle` and `seal` into its outbox."""

    def __init__(self, stage: Stage, outbox: Outbox, clock: Clock, metrics: RunnerMetrics) -> None:
        self._stage = stage
        self._outbox = outbox
        self._clock = clock
        self._metrics = metrics

    def run(self, batch: Batch, outcome: Outcome, owned: Mapping[int, Owned]) -> None:
        """Fill the outbox anew, and the outcome. Records that can't be handled are set aside. Raises the stage's own
        LeadstreamError."""
        started = time.perf_counter()
        reading = self._clock.now()
        self._outbox.clear()
        outcome.set_aside = list(batch.set_aside)
        outcome.nows = {}
        handled: dict[int, list[Handled]] = {}
        for place, event in enumerate(batch.events):
            now = _now(event, outcome.nows.get(event.partition) or max(owned[event.partition].now, reading))
            outcome.nows[event.partition] = now
            if place in outcome.refused:
                outcome.set_aside.append(outcome.refused[place])
            elif (done := self._handled(batch, place, outcome, owned[event.partition], now)) is not None:
                handled.setdefault(event.partition, []).append(done)
        self._seal(handled, len(batch.events), owned)
        self._metrics.time_step("handle", time.perf_counter() - started)

    def _handled(self, batch: Batch, place: int, outcome: Outcome, owned: Owned, now: datetime) -> Handled | None:
        event = batch.events[place]
        try:
            effects = self._stage.handle(owned.state, event, outcome.context, now)
            dead = self._outbox.take(place, event, effects, now, owned.state)
        except Poison as poison:
            outcome.set_aside.append(SetAside(batch.messages[place], "Poison", poison.reason))
            return None
        except LeadstreamError:
            raise
        except Exception as error:
            outcome.set_aside.append(stumbled(batch, place, error, "handle"))
            return None
        if dead is not None:
            outcome.set_aside.append(SetAside(batch.messages[place], dead.error, dead.reason))
        return Handled(event, now, tuple(effects))

    def _seal(self, handled: Mapping[int, list[Handled]], place: int, owned: Mapping[int, Owned]) -> None:
        for number, those in handled.items():
            effects = self._stage.seal(those)
            if effects:
                last = those[-1]
                self._outbox.take(place, _sealing(last.event), effects, last.now, owned[number].state)


def _now(event: Event, now: datetime) -> datetime:
    """Return the clock of an event: never before the event before, nor before a wake-up's own time."""
    if event.type == WAKE_UP and event.value is not None and event.value.due_at > now:
        due_at: datetime = event.value.due_at
        return due_at
    return now


def _sealing(last: Event) -> Event:
    """Return the parent of what a batch is sealed with: ids of its own, no traceparent."""
    return Event(
        f"{last.id}/seal", last.type, last.topic, last.partition, last.offset, last.key, None, last.recorded_at, {}
    )
