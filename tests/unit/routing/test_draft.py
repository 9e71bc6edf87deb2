"""The overlay of one event: what it reads through to, in which order, and what comes out."""

from datetime import UTC, datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from routing.draft import Draft
from routing.replay import Memory
from schemas.effects import CancelWake, Delete, Put, Wake

NOW = datetime(2026, 3, 10, 18, 14, tzinfo=UTC)
KEYS = st.sampled_from(["a/1", "a/2", "a/20", "a/3", "a/é", "b/1"])


@settings(max_examples=80, deadline=None)
@given(st.dictionaries(KEYS, st.integers(0, 3)), st.lists(st.tuples(KEYS, st.none() | st.integers(0, 3)), max_size=8))
def test_a_draft_reads_as_a_store_that_took_its_writes(
    stored: dict[str, int], writes: list[tuple[str, int | None]]
) -> None:
    state = Memory()
    state.values |= stored
    draft, truth = Draft(state, NOW), dict[str, Any](stored)
    for key, value in writes:
        if value is None:
            draft.delete(key)
            truth.pop(key, None)
        else:
            draft.put(key, value)
            truth[key] = value
    expected = [(key, truth[key]) for key in sorted(truth, key=str.encode) if key.startswith("a/")]
    assert list(draft.scan("a/")) == expected
    assert {key: draft.get(key) for key in truth} == truth
    assert all(draft.get(key) is None for key in {"a/1", "a/2", "a/20", "a/3", "a/é", "b/1"} - set(truth))
    state.fold(draft.effects())
    assert state.values == truth


def test_a_value_of_another_kind_is_not_found() -> None:
    draft = Draft(Memory(), NOW)
    draft.put("key", 1)
    assert (draft.find(int, "key"), draft.find(str, "key"), draft.find(int, "none")) == (1, None, None)


def test_effects_come_once_a_key_in_the_order_of_first_writing_and_wake_ups_last() -> None:
    draft = Draft(Memory(), NOW)
    draft.put("b", 1)
    draft.wake("lead/x", NOW, "main", 3)
    draft.put("a", 2)
    draft.put("b", 3)
    draft.delete("c")
    draft.wake("lead/y", NOW, "main")
    draft.cancel_wake("lead/x")
    put_b, put_a, gone, *wakes = draft.effects()
    assert (put_b, put_a, gone) == (Put("b", 3, b"3"), Put("a", 2, b"2"), Delete("c"))
    assert wakes == [CancelWake("lead/x"), Wake("lead/y", NOW, "leads.scored", "main", {"epoch": 0})]


def test_who_watches_is_told_of_each_write() -> None:
    draft, told = Draft(Memory(), NOW), list[tuple[str, Any]]()
    draft.put("a", 1)
    draft.watch = lambda key, value: told.append((key, value))
    draft.put("a", 2)
    draft.delete("a")
    draft.put("b", 3)
    assert told == [("a", 2), ("b", 3)]
