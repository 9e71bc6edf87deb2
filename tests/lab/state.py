"""A partition's store as a dict, with the effects of a stage applied to it: what the runner does, without Kafka."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from schemas.effects import CancelWake, Delete, Effect, Emit, Put, Wake
from schemas.timer import WakeUp
from schemas.wire import encode
from streams.stage import Event, Stage

_AT = datetime(2026, 3, 10, 14, 14, tzinfo=UTC)


@dataclass
class Partition:
    """One partition of one stage: its store, what it has emitted and its pending wake-ups."""

    stage: Stage
    rows: dict[str, bytes] = field(default_factory=dict)
    emitted: list[Emit] = field(default_factory=list)
    wakes: dict[str, Wake] = field(default_factory=dict)
    offset: int = 0

    def get(self, key: str) -> Any | None:
        data = self.rows.get(key)
        return None if data is None else self.stage.kinds[key.split("/", 1)[0]].decode(data)

    def scan(self, prefix: str) -> Iterator[tuple[str, Any]]:
        for key in sorted(self.rows):
            if key.startswith(prefix):
                yield key, self.get(key)

    def event(self, value: Any, key: str, topic: str = "leads.assigned", event_type: str = "lead.decided") -> Event:
        """Return `value` as the next record."""
        self.offset += 1
        return Event(f"ev-{self.offset}", event_type, topic, 0, self.offset, key, value, _AT, {})

    async def batch(self, events: Sequence[Event], now: datetime, deadline: float) -> None:
        """Run one batch and commit it."""
        context = await self.stage.prepare(events, self, deadline)
        for event in events:
            for effect in self.stage.handle(self, event, context, now):
                self.apply(effect)

    def apply(self, effect: Effect) -> None:
        match effect:
            case Emit(topic=topic, key=key, value=WakeUp() as again):
                self.wakes[again.waker] = Wake(again.waker, again.due_at, topic, key, again.data)
            case Emit():
                self.emitted.append(effect)
            case Put(key=key, value=value):
                data = encode(value)
                assert data is not None
                self.rows[key] = data
            case Delete(key=key):
                self.rows.pop(key, None)
            case Wake(key=key):
                self.wakes[key] = effect
            case CancelWake(key=key):
                self.wakes.pop(key, None)
            case other:
                raise AssertionError(f"NOTIFY has no use for {other}")

    def due(self, now: datetime) -> list[Event]:
        """Take the wake-ups that are due, as the records that TIMERS would write."""
        fired = sorted((w for w in self.wakes.values() if w.due_at <= now), key=lambda w: w.due_at)
        for wake in fired:
            del self.wakes[wake.key]
        return [
            self.event(
                WakeUp(waker=wake.key, due_at=wake.due_at, fired_at=now, data=dict(wake.data)),
                wake.to_key,
                wake.topic,
                "wake.up",
            )
            for wake in fired
        ]
