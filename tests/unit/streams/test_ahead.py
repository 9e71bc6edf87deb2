"""Reading on while a batch waits for its look-ups: what is asked when, and what a rebalance or a death makes of it."""

import asyncio
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest
from prometheus_client import CollectorRegistry

from schemas.lead import RawLead
from schemas.state import StateView
from streams.ahead import Ahead
from streams.inbox import Batch, Spot
from streams.lookups import Lookups
from streams.marker import Marker
from streams.metrics import RunnerMetrics
from streams.stage import Event, Stage

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
STATES: Mapping[int, StateView] = {0: cast(StateView, None)}


@dataclass
class Asker:
    """A stage whose answers come when a test says so. asked: offsets, in order."""

    asks_ahead: bool = True
    asked: list[int] = field(default_factory=list)
    waits: dict[int, "asyncio.Future[None]"] = field(default_factory=dict)
    name: str = "enrich"
    fault: Exception | None = None

    async def ask_ahead(
        self, batch: Sequence[Event], state: StateView, deadline: float
    ) -> "asyncio.Future[Any] | None":
        self.asked += [event.offset for event in batch]
        if self.fault is not None:
            raise self.fault
        for event in batch:
            self.waits[event.offset] = asyncio.get_running_loop().create_future()
        return asyncio.gather(*(self.waits[event.offset] for event in batch))


@dataclass
class World:
    """An `Ahead` over a scripted consumer. coming: what each further look finds; an int raises the generation too."""

    ahead: Ahead
    stage: Asker
    coming: list[Batch | None]
    rebalances: list[int]
    looks: list[int]

    def answer(self, *offsets: int) -> None:
        for offset in offsets:
            self.stage.waits[offset].set_result(None)


def batch(*offsets: int, topic: str = "leads.raw") -> Batch:
    events = [Event(f"e{at}", "lead.submitted", topic, 0, at, "k", RawLead({}), AT, {}) for at in offsets]
    spot = (topic, 0)
    return Batch(events, [], [], {spot: offsets[0]}, {spot: offsets[-1] + 1})


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    loop = asyncio.new_event_loop()
    found = made(tmp_path, loop)
    yield found
    loop.close()


def made(folder: Path, loop: asyncio.AbstractEventLoop) -> World:
    stage, coming, rebalances, looks = Asker(), list[Batch | None](), list[int](), list[int]()
    generation = [1]

    def read(room: int) -> Batch:
        looks.append(room)
        if len(looks) in rebalances:
            generation[0] += 1
        found = coming.pop(0) if coming else None
        if found is None and stage.waits and not coming:  # nothing more comes: now the answers do
            for one in stage.waits.values():
                if not one.done():
                    one.set_result(None)
        return found or Batch()

    def ends(spots: Collection[Spot]) -> bool:
        return any(topic == "leads.bulk" for topic, _ in spots)

    lookups = Lookups(cast(Stage, stage), loop, 60.0, RunnerMetrics(CollectorRegistry(), "enrich"))
    ahead = Ahead(
        lookups, Marker(folder), read, lambda: generation[0], ends, lambda: False, lambda: None, limit=3, seconds=60.0
    )
    return World(ahead, stage, coming, rebalances, looks)


def test_the_next_batch_is_asked_for_while_the_first_waits_and_not_again_in_its_turn(world: World) -> None:
    world.coming += [batch(1), None, batch(2)]
    assert world.ahead.has_answers(batch(0), lambda: STATES)
    assert world.stage.asked == [0, 1, 2]
    then = world.ahead.take()
    assert then is not None
    assert [event.offset for event in then.events] == [1, 2]
    assert then.began_ns > 0, "its span begins with its first question"
    assert (then.first_offsets, then.next_offsets) == ({("leads.raw", 0): 1}, {("leads.raw", 0): 3})
    assert world.ahead.has_answers(then, lambda: STATES)
    assert world.stage.asked == [0, 1, 2]
    assert world.ahead.take() is None


def test_no_more_is_read_ahead_than_one_batch(world: World) -> None:
    world.coming += [batch(1, 2), batch(3), batch(4)]

    def states() -> Mapping[int, StateView]:
        if len(world.stage.asked) >= 3:  # the next batch is about to be full
            world.answer(0)
        return STATES

    assert world.ahead.has_answers(batch(0), states)
    assert world.looks == [3, 1], "room for three, then for one, then none"
    assert world.coming == [batch(4)]


def test_nothing_is_read_beyond_records_that_wait_for_others(world: World) -> None:
    bulk = batch(7, topic="leads.bulk")
    world.coming += [bulk]

    def states() -> Mapping[int, StateView]:
        if 0 in world.stage.waits:
            world.answer(0)
        return STATES

    assert world.ahead.has_answers(batch(0), states)
    assert world.looks == [3]
    assert (then := world.ahead.take()) is not None
    world.answer(7)
    assert world.ahead.has_answers(then, lambda: STATES)
    assert world.looks == [3], "and none while they are handled"


def test_a_rebalance_voids_what_was_read_before_it_and_keeps_what_came_after(world: World) -> None:
    world.coming += [batch(1), batch(5)]
    world.rebalances.append(2)
    assert not world.ahead.has_answers(batch(0), lambda: STATES)
    assert world.stage.asked == [0, 1]
    then = world.ahead.take()
    assert then is not None
    assert [event.offset for event in then.events] == [5]
    assert world.ahead.has_answers(then, lambda: STATES)
    assert world.stage.asked == [0, 1, 5]


def test_after_a_death_nothing_is_asked_before_its_turn(tmp_path: Path) -> None:
    dead = Marker(tmp_path)
    dead.enter(batch(0))
    dead.close()
    loop = asyncio.new_event_loop()
    world = made(tmp_path, loop)
    world.coming += [batch(1)]
    assert world.ahead.has_answers(batch(0), lambda: STATES)
    assert (world.stage.asked, world.looks) == ([], [])
    loop.close()


def test_a_process_that_ends_while_it_waits_leaves_the_note_that_it_was_inside(tmp_path: Path) -> None:
    loop = asyncio.new_event_loop()
    world = made(tmp_path, loop)
    noted: list[int] = []

    async def look(batch: Sequence[Event], state: StateView, deadline: float) -> None:
        found = Marker(tmp_path)
        noted.append(found.deaths)
        found.close()

    world.stage.ask_ahead = look  # type: ignore[assignment, method-assign]
    assert world.ahead.has_answers(batch(0), lambda: STATES)
    after = Marker(tmp_path)
    assert (noted, after.deaths) == ([1], 0)
    after.close()
    loop.close()


def test_a_stage_that_stumbles_ahead_of_the_turn_is_asked_again_in_it(world: World) -> None:
    world.stage.fault = KeyError("secret@example.com")
    assert world.ahead.has_answers(batch(0), lambda: STATES)


def test_a_stage_that_asks_nobody_outside_reads_nothing_ahead(world: World) -> None:
    world.stage.asks_ahead = False
    world.coming += [batch(1)]
    assert world.ahead.has_answers(batch(0), lambda: STATES)
    assert (world.stage.asked, world.looks) == ([], [])
