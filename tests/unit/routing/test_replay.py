"""A journal that is replayed: what differs is told, what cannot be decided says why (NEW-1)."""

import pytest

from routing.replay import before_event, replay
from schemas.decision import JournalEntry
from tests.worked.world import Arrival, World


def journalled() -> tuple[World, list[JournalEntry]]:
    world = World()
    world.arrives(Arrival("lone.example", 450))
    world.seal()
    return world, [row for record in world.journal for row in record.entries]


def test_an_entry_that_comes_out_otherwise_is_told_with_both() -> None:
    world, entries = journalled()
    last = entries[-1].model_copy(update={"outcome": entries[-1].outcome[1:]})
    (found,) = replay([*entries[:-1], last], world.policies.get)
    assert (found.event_id, found.offset) == (last.event_id, last.offset)
    assert len(found.recorded) < len(found.recomputed)
    assert replay(entries, world.policies.get) == []


def test_before_an_event_the_division_is_as_the_events_until_then_left_it() -> None:
    world, entries = journalled()
    before = before_event(entries, world.policies.get, entries[-1].event_id)
    assert before is not None
    assert (before.policy, before.now, before.event.id) == (world.policy, entries[-1].now, entries[-1].event_id)
    assert [key for key, _ in before.state.scan("lead/")] == []
    assert before.state.get("rep/main/M1") is not None


def test_nothing_is_known_of_before_an_event_that_is_not_there_or_came_before_any_policy() -> None:
    world, entries = journalled()
    assert before_event(entries, world.policies.get, "another") is None
    roster = next(row for row in entries if row.type == "rep.changed")
    assert before_event([roster], world.policies.get, roster.event_id) is None


def test_a_journal_whose_policy_is_not_there_says_which_one_it_is() -> None:
    world, entries = journalled()
    with pytest.raises(LookupError, match=f"decided by policy {world.policy.hash}, which is not there"):
        replay(entries, {}.get)
