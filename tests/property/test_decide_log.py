"""Laws of a division's log: batches, aborted ones too, and the order of the roster change nothing; caps hold."""

import json
import math
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.rep import Caps
from schemas.wire import encode
from streams.outbox import Outbox
from streams.stage import Event, Handled
from streams.stages.assign import KINDS, AssignStage
from streams.store.memory import MemoryStore
from streams.store.state import PartitionState
from tests.property.history import Move, moves, played
from tests.worked.world import CHICAGO, DEFAULT, ROSTER, World


@settings(max_examples=10, deadline=None)
@given(log=moves(), ends=st.sets(st.integers(1, 90), max_size=8), aborted=st.sets(st.integers(0, 90), max_size=4))
def test_batches_cut_anywhere_and_aborted_ones_give_the_same_entries_and_state(
    log: list[Move], ends: set[int], aborted: set[int]
) -> None:
    world = played([move for move in log if move[0] != "seal"])
    assert _driven(world, sorted(ends), aborted) == _driven(world, [], set())


@settings(max_examples=10, deadline=None)
@given(log=moves(), order=st.permutations(sorted(ROSTER)))
def test_the_order_of_the_roster_changes_no_decision(log: list[Move], order: Sequence[str]) -> None:
    assert _decided(log, order) == _decided(log, sorted(ROSTER))


CAPPED = ("M1", "M2", "M3")
WARM = (1, 2, 7, 8, 13, 14)  # of those that `played` knows: mid-size companies of Texas, urgent ones among them
SOME = st.integers(1, 4)
CAPS = st.fixed_dictionaries({}, optional={"hour": SOME, "day": SOME, "week": SOME, "month": SOME})
BUSY = st.lists(
    st.tuples(
        st.sampled_from(["lead"] * 6 + ["decline", "deal", "by hand"]),
        st.sampled_from(WARM),
        st.sampled_from([0, 0, 3, 40, 300, 1_440, 4_000]),  # minutes: windows of every kind end on the way
    ),
    min_size=12,
    max_size=40,
)


@settings(max_examples=25, deadline=None)
@given(caps=CAPS, pool=CAPS, log=BUSY)
def test_no_cap_of_an_hour_a_day_a_week_or_a_month_is_ever_passed_by_a_turn(
    caps: dict[str, int], pool: dict[str, int], log: list[Move]
) -> None:
    """The windows are worked out here anew, by the calendar of the reps' zone."""
    capped = {rep: ROSTER[rep][0].model_copy(update={"caps": Caps(**caps)}) for rep in CAPPED}
    head = "  mm-southwest:\n"
    text = DEFAULT.replace(head, f"{head}    caps: {json.dumps(pool)}\n") if pool else DEFAULT
    world = played(log, World(text, changed=capped, loads=dict.fromkeys(capped, 0)))
    used: Counter[tuple[str, str, str]] = Counter()
    for decision in world.decisions:
        if decision.uses_turn and decision.owner.id in capped:
            for name, start in _windows(decision.at).items():
                used[decision.owner.id, name, start] += 1
                used["the pool", name, start] += decision.pool == "mm-southwest"
    for (who, name, start), count in used.items():
        limit = (pool if who == "the pool" else caps).get(name, math.inf)
        assert count <= limit, f"{who} took {count} in the {name} of {start}, {limit} at most"


def _windows(at: datetime) -> dict[str, str]:
    here = at.astimezone(CHICAGO)
    monday = here.date() - timedelta(days=here.weekday())
    return {"hour": f"{here:%d.%m %H %z}", "day": f"{here:%d.%m}", "week": str(monday), "month": f"{here:%m.%Y}"}


def _driven(world: World, ends: Sequence[int], aborted: set[int]) -> tuple[list[bytes], dict[str, bytes]]:
    """What the world handled, through the stage on a real state; some batches are done, taken back and done again.

    Returns the journal's entries and what the store holds, but for where the journal stands.
    """
    handled = world.handled
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


def _decided(log: list[Move], order: Sequence[str]) -> list[tuple[Any, ...]]:
    world = World(without=tuple(ROSTER))
    world.decisions.clear()
    for rep in order:
        world.roster(ROSTER[rep][0])
    played(log, world)
    return [
        (row.lead_id, row.kind, row.owner, row.epoch, row.notices, row.trace.get("pools")) for row in world.decisions
    ]
