"""From effects to records: one event's effects whole or not at all, one batch's in one transaction."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, assert_never

from schemas.effects import CancelWake, DeadLetter, Delete, Effect, Emit, Put, Wake
from schemas.ids import derived_id
from schemas.timer import TIMER_ARMED
from schemas.topics import TOPICS
from schemas.wire import encode, headers_for, timer_json
from streams.kafka.config import qualified
from streams.stage import Event
from streams.store.state import PartitionState
from streams.tracing import TRACEPARENT, Tracing
from streams.transaction import PARTITION_BY_KEY, Record

TRACESTATE = "tracestate"
PASSED_ON = (TRACEPARENT, TRACESTATE)
TIMERS = "leads.timers"

Change = tuple[str, Any | None, bytes | None]
"""Of state: the key, its value, None where it is removed, and the value's bytes."""


class Outbox:
    """The records of one batch. `take` an event's effects as they come, then ask for `records` and `changelog`.

    timers_beside: of how many partitions leads.timers has, where wake-ups are written to the number of their input's;
    0 for the one of their key.
    """

    timers_beside = 0

    def __init__(self, stage: str, namespace: str, tracing: Tracing | None = None) -> None:
        self._stage = stage
        self._tracing = tracing
        self._source = f"leadstream/{stage}"
        self._names = {name: qualified(namespace, name) for name in TOPICS}
        self._changelog_topic = self._names.get(f"state.{stage}")
        self._timers_topic = self._names[TIMERS]
        self._headers: dict[tuple[str, datetime], list[tuple[str, str | bytes | None]]] = {}
        self.clear()

    def clear(self) -> None:
        """Start a batch."""
        self._records: list[Record] = []
        self._origins: list[int] = []
        self._timers: dict[str, tuple[Record, int]] = {}
        self._puts: list[tuple[int, int, list[Change]]] = []  # of each event: its index, its partition
        self._headers.clear()

    def take(
        self, index: int, event: Event, effects: Sequence[Effect], now: datetime, state: PartitionState
    ) -> DeadLetter | None:
        """Take all effects of one event, or none and raise what went wrong. Returns its dead letter if it asks for one.

        index: the event's place in the batch, for `origin`. Raises what an unusable effect raises.
        """
        records: list[Record] = []
        puts: list[Change] = []
        timers: list[tuple[str, Record]] = []
        dead: DeadLetter | None = None
        for effect in effects:
            if isinstance(effect, Put):  # most are, and a look is cheaper than a match
                puts.append((effect.key, effect.value, effect.encoded or _encoded(effect.value)))
                continue
            match effect:
                case Emit():
                    records.append(self._emitted(event, effect, len(records), now))
                case Delete(key):
                    puts.append((key, None, None))
                case Wake(key=key):
                    timers.append((key, self._armed(event, effect, now)))
                case CancelWake(key):
                    timers.append((key, Record(self._timers_topic, key, None, None, self._beside(event))))
                case DeadLetter():
                    dead = effect
                case _:
                    assert_never(effect)
        if puts:
            self._put(index, event.partition, puts, state)
        self._records += records
        self._origins += [index] * len(records)
        for key, record in timers:
            self._timers[key] = (record, index)
        return dead

    def records(self) -> list[Record]:
        """Return the batch's records but the changelog's, in the order of the events; of one wake-up only the last."""
        return self._records + [record for record, _ in self._timers.values()]

    def changelog(self, states: Mapping[int, PartitionState]) -> dict[int, list[Record]]:
        """Return the changelog's records by partition: the last value per key, to the partition of the input."""
        topic = self._changelog_topic
        return {
            number: [Record(topic, key, value, None, number) for key, value in changes.items()]
            for number, state in sorted(states.items())
            if topic is not None and (changes := state.changes())
        }

    def origin(self, place: int, letters: int) -> int | None:
        """Return the index of the event that wrote the record at `place` of `records`, dead letters, `changelog`.

        None: a dead letter.
        """
        origins: list[int | None] = [*self._origins, *(index for _, index in self._timers.values())]
        origins += [None] * letters
        writers: dict[int, dict[str, int]] = {}
        for index, partition, puts in self._puts:
            writers.setdefault(partition, {}).update((key, index) for key, _, _ in puts)
        for number in sorted(writers):
            origins += writers[number].values()
        return origins[place]

    def _emitted(self, event: Event, emit: Emit, place: int, now: datetime) -> Record:
        headers = [
            ("ce_id", derived_id(event.id, self._stage, emit.tag or str(place)).encode()),
            *self._constant(emit.type, now),
        ]
        headers += self._passed_on(event)
        if emit.headers:
            headers += [(name, value.encode()) for name, value in emit.headers.items()]
        value = emit.encoded or encode(emit.value)
        return Record(self._names[emit.topic], emit.key, value, headers, PARTITION_BY_KEY)

    def _armed(self, event: Event, wake: Wake, now: datetime) -> Record:
        headers = [
            ("ce_id", derived_id(event.id, self._stage, f"wake/{wake.key}").encode()),
            *self._constant(TIMER_ARMED, now),
            *self._passed_on(event),
        ]
        return Record(self._timers_topic, wake.key, timer_json(wake, now), headers, self._beside(event))

    def _beside(self, event: Event) -> int:
        return event.partition % self.timers_beside if self.timers_beside else PARTITION_BY_KEY

    def _constant(self, event_type: str, now: datetime) -> list[tuple[str, str | bytes | None]]:
        """Return the headers that all records of a type and an instant share."""
        found = self._headers.get((event_type, now))
        if found is None:
            rows = headers_for("", event_type, self._source, now, {})
            found = [(name, value) for name, value in rows if name != "ce_id"]
            self._headers[event_type, now] = found
        return found

    def _passed_on(self, event: Event) -> list[tuple[str, str | bytes | None]]:
        if self._tracing is None:
            return [(name, event.headers[name].encode()) for name in PASSED_ON if name in event.headers]
        named = self._tracing.passed_on(event)
        state = event.headers.get(TRACESTATE)
        passed: list[tuple[str, str | bytes | None]] = [] if named is None else [(TRACEPARENT, named.encode())]
        return passed if state is None else [*passed, (TRACESTATE, state.encode())]

    def _put(self, index: int, partition: int, puts: list[Change], state: PartitionState) -> None:
        if self._changelog_topic is None:
            raise ValueError(f"stage {self._stage} keeps no state: there is no topic state.{self._stage}")
        state.apply(puts)
        self._puts.append((index, partition, puts))


def _encoded(value: Any) -> bytes:
    encoded = encode(value)
    if encoded is None:
        raise ValueError("Put needs a value; Delete removes")
    return encoded
