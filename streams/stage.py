"""What a stage is: plain values in, effects out. The runner (streams/runner.py) does everything else."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, Protocol, runtime_checkable

from schemas.effects import Effect
from schemas.state import StateView
from schemas.wire import Parser


class Event(NamedTuple):
    """One input record, decoded once. A tuple: a frozen dataclass of nine fields takes 1.5 us to make, this 0.2.

    id: `ce_id`, or "<topic>/<partition>/<offset>" where the writer gave none. type: `ce_type`, or the topic's
    first type. topic: logical name. value: the model of the type (`schemas.wire.MODELS`).
    recorded_at: the record's Kafka timestamp, UTC. headers: as text. data: the value's bytes, for who passes them on.
    """

    id: str
    type: str
    topic: str
    partition: int
    offset: int
    key: str
    value: Any
    recorded_at: datetime
    headers: Mapping[str, str]
    data: bytes | None = None


class Handled(NamedTuple):
    """An event with the clock it was decided at and what it came to."""

    event: Event
    now: datetime
    effects: tuple[Effect, ...]


@dataclass(frozen=True, slots=True)
class Kind:
    """How one kind of state value is kept.

    decode: bytes to value (encoding is orjson for all). resident: all values of the kind are held in memory,
    for kinds bounded by the roster; others are read from disk when asked for.
    """

    decode: Callable[[bytes], Any]
    resident: bool = False


Context = Mapping[str, Any]
"""What `prepare` learnt, by event id. Empty where a stage asks nobody."""


async def asks_nobody(stage: object, batch: "Sequence[Event]", state: StateView, deadline: float) -> Context:
    """Be the `prepare` of a stage that asks nobody; the runner passes over it, which costs it no event loop's turn."""
    return {}


class Stage(Protocol):
    """One stage of the stream: its own consumer group, one thread a slot.

    `prepare` may do I/O, within `deadline` (event-loop time, seconds); it may not touch state or raise for one
    record's sake. `handle` may do none: same arguments, same effects. It may raise `Poison`; then the record goes
    to the dead-letter topic alone. `seal` sees the batch's handled events and may add effects (a journal).
    """

    name: str
    inputs: tuple[str, ...]  # logical topics, equal partition counts
    low_priority: tuple[str, ...]  # those of inputs that wait for the others, and for later stages (`LowPriority`)
    tables: tuple[str, ...]  # compacted topics that `prepare` and `handle` read through `Tables`
    kinds: Mapping[str, Kind]

    async def prepare(self, batch: Sequence[Event], state: StateView, deadline: float) -> Context: ...

    def handle(self, state: StateView, event: Event, context: Context, now: datetime) -> Sequence[Effect]: ...

    def seal(self, handled: Sequence[Handled]) -> Sequence[Effect]: ...


@runtime_checkable
class Closing(Protocol):
    """A stage that holds something of its event loop (connections): closed before the process ends."""

    async def close(self) -> None: ...


@runtime_checkable
class AsksAhead(Protocol):
    """A stage whose look-ups may begin before their batch's turn; `prepare` then takes up what is under way.

    asks_ahead: whether that is worth while. `ask_ahead` returns once they have begun, with what is done when all have
    ended, None where there is nothing to wait for. As `prepare` it may not touch state, nor raise for one record's
    sake; an event that it was given may never come to `prepare` (a rebalance), or come again as another object.
    """

    @property
    def asks_ahead(self) -> bool: ...

    async def ask_ahead(
        self, batch: Sequence[Event], state: StateView, deadline: float
    ) -> "asyncio.Future[Any] | None": ...


@runtime_checkable
class Allotted(Protocol):
    """A stage that may use as large a part of something as it has partitions.

    Told after each assignment, before the first of its records. of: how many partitions there are in all.
    """

    def allotted(self, states: Mapping[int, StateView], of: int) -> None: ...


@runtime_checkable
class Measured(Protocol):
    """A stage with gauges of its own, set every few seconds between two batches from what it holds in memory."""

    def measure(self, states: Sequence[StateView], now: datetime) -> None: ...


@runtime_checkable
class Reading(Protocol):
    """A stage that wants less of some record types than their whole. parsers: by type."""

    parsers: Mapping[str, Parser]
