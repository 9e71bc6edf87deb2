"""Laws of a division's log: batches, aborted ones too, and the order of the roster change nothing; caps hold."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from functools import cache
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.activity import ActivityKind
from schemas.decision import Decision, OwnerKind
from schemas.rep import Caps
from schemas.wire import encode
from streams.outbox import Outbox
from streams.stage import Event, Handled
from streams.stages.assign import KINDS, AssignStage
from streams.store.memory import MemoryStore
from streams.store.state import PartitionState
from tests.worked.world import ROSTER, Arrival, World, at

EVENTS = 60


@cache
def history() -> tuple[World, tuple[Handled, ...]]:
    """A division's day: every event with the clock it was handled at."""
    world = World(loads={"M1": 39.5, "M2": 39.5, "M3": 19.5})
    sizes, actions = (5000, 450, 450, 80, None), ("demo", "webinar", "content")
    for number in range(30):
        when = at("14:14") + timedelta(minutes=number)
        lead = world.arrives(Arrival(f"c{number}.example", sizes[number % 5], action=actions[number % 3], when=when))
        if number % 4 == 1 and lead.owner.kind is OwnerKind.REP:
            world.does(ActivityKind.CALLED, lead.lead_id, lead.owner.id, when + timedelta(seconds=20))
        if number == 20:
            world.opportunity("M2", "big", "closed", when + timedelta(seconds=30))
        world.until(when + timedelta(seconds=50))
    return world, tuple(world.handled)


@settings(max_examples=10, deadline=None)
@given(ends=st.sets(st.integers(1, EVENTS), max_size=8), aborted=st.sets(st.integers(0, EVENTS), max_size=4))
def test_batches_cut_anywhere_and_aborted_ones_give_the_same_entries_and_state(
    ends: set[int], aborted: set[int]
) -> None:
    assert _driven(sorted(ends), aborted) == _whole()


@settings(max_examples=8, deadline=None)
@given(order=st.permutations(sorted(ROSTER)))
def test_the_order_of_the_roster_changes_no_decision(order: Sequence[str]) -> None:
    assert _decided(order) == _by_name()


@settings(max_examples=8, deadline=None)
@given(hour=st.integers(0, 3), day=st.integers(0, 6), minutes=st.lists(st.integers(0, 40), min_size=5, max_size=25))
def test_no_cap_of_an_hour_or_a_day_is_ever_passed_by_a_turn(hour: int, day: int, minutes: list[int]) -> None:
    capped = {rep: ROSTER[rep][0].model_copy(update={"caps": Caps(hour=hour, day=day)}) for rep in ("M1", "M2", "M3")}
    world = World(changed=capped, loads=dict.fromkeys(capped, 0))
    now = at("14:14")
    for number, later in enumerate(minutes):
        now += timedelta(minutes=later)
        world.until(now)
        world.arrives(Arrival(f"c{number}.example", 450, action="webinar", when=now))
    used: Counter[tuple[str | None, str]] = Counter()
    for decision in world.decisions:
        if decision.uses_turn and decision.owner.id in capped:
            used[decision.owner.id, f"{decision.at:%d %H}"] += 1
            used[decision.owner.id, f"{decision.at - timedelta(hours=5):%d}"] += 1  # the reps' day begins at 05:00 UTC
    assert all(count <= (hour if " " in window else day) for (_, window), count in used.items())


@cache
def _whole() -> tuple[list[bytes], dict[str, bytes]]:
    return _driven([], set())


@cache
def _by_name() -> list[tuple[Any, ...]]:
    return _decided(sorted(ROSTER))


def _driven(ends: Sequence[int], aborted: set[int]) -> tuple[list[bytes], dict[str, bytes]]:
    """The history through the stage on a real state, batch by batch; some batches are done, taken back and done again.

    Returns the journal's entries and what the store holds, but for where the journal stands.
    """
    world, handled = history()
    stage, store = AssignStage(world.policies.get), MemoryStore()
    state, outbox = PartitionState(store, KINDS), Outbox("assign", "test")
    entries: list[bytes] = []
    start = 0
    for end in [*(end for end in ends if end < len(handled)), len(handled)]:
        batch = handled[start:end]
        if any(start <= place < end for place in aborted):
            _handle(stage, state, outbox, batch)
            state.discard()
        for emit in _handle(stage, state, outbox, batch):
            entries += [bytes(encode(row) or b"") for row in emit["entries"]]
        state.fold(0, 0.0)
        start = end
    return entries, {key: value for key, value in store.scan("") if not key.startswith("division/")}


def _handle(stage: AssignStage, state: PartitionState, outbox: Outbox, batch: Sequence[Handled]) -> list[Any]:
    outbox.clear()
    done = []
    for place, one in enumerate(batch):
        effects = tuple(stage.handle(state, one.event, {}, one.now))
        outbox.take(place, one.event, effects, one.now, state)
        done.append(Handled(one.event, one.now, effects))
    if not done:
        return []
    sealed = stage.seal(done)
    outbox.take(len(batch), _sealing(batch[-1].event), sealed, batch[-1].now, state)
    return [effect.value for effect in sealed if hasattr(effect, "topic")]


def _sealing(event: Event) -> Event:
    return event._replace(id=f"{event.id}/seal", value=None)


def _decided(order: Sequence[str]) -> list[tuple[Any, ...]]:
    world = World(without=tuple(ROSTER))
    world.decisions.clear()
    for rep in order:
        world.roster(ROSTER[rep][0])
    made: list[Decision] = []
    for number in range(24):
        when = at("14:14") + timedelta(seconds=number)
        size, action = (5000, 450, 80)[number % 3], ("demo", "webinar")[number % 2]
        made.append(world.arrives(Arrival(f"c{number}.example", size, action=action, when=when)))
    made += world.until(at("14:40"))
    return [(row.lead_id, row.kind, row.owner, row.epoch, row.trace.get("pools")) for row in made]
