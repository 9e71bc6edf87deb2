"""The overlay of a batch over a store."""

from dataclasses import asdict, dataclass
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.stage import Kind
from streams.store.memory import MemoryStore
from streams.store.state import PartitionState, UnknownKind
from streams.store.store import Position


@dataclass(frozen=True, slots=True)
class Load:
    points: int


def decode(value: bytes) -> Load:
    return Load(**orjson.loads(value))


KINDS = {"lead": Kind(decode), "rep": Kind(decode, resident=True)}


def put(key: str, points: int) -> tuple[str, Any, bytes]:
    return key, Load(points), orjson.dumps(asdict(Load(points)))


def remove(key: str) -> tuple[str, None, None]:
    return key, None, None


def state_of(**points: int) -> tuple[PartitionState, MemoryStore]:
    store = MemoryStore()
    store.fold({key.replace("_", "/"): orjson.dumps({"points": n}) for key, n in points.items()}, Position("t", 1, 0.0))
    state = PartitionState(store, KINDS)
    state.read_residents()
    return state, store


@pytest.mark.parametrize("kind", KINDS)
def test_a_batch_sees_its_own_changes_and_the_store_does_not(kind: str) -> None:
    state, store = state_of(lead_1=1, rep_1=1)
    state.apply([put(f"{kind}/1", 5), put(f"{kind}/2", 6)])
    assert state.get(f"{kind}/1") == Load(5)
    assert list(state.scan(f"{kind}/")) == [(f"{kind}/1", Load(5)), (f"{kind}/2", Load(6))]
    assert store.get(f"{kind}/2") is None


@pytest.mark.parametrize("kind", KINDS)
def test_discarded_changes_never_were(kind: str) -> None:
    state, _ = state_of(lead_1=1, rep_1=1)
    state.apply([put(f"{kind}/1", 5), put(f"{kind}/2", 6)])
    state.apply([remove(f"{kind}/1")])
    state.discard()
    assert list(state.scan(f"{kind}/")) == [(f"{kind}/1", Load(1))]
    assert state.changes() == {}


@pytest.mark.parametrize("kind", KINDS)
def test_a_fold_moves_the_last_values_to_the_store_with_the_position(kind: str) -> None:
    state, store = state_of(lead_1=1, rep_1=1)
    state.apply([put(f"{kind}/2", 6)])
    state.apply([put(f"{kind}/2", 7), remove(f"{kind}/1")])
    assert dict(state.changes()) == {f"{kind}/2": b'{"points":7}', f"{kind}/1": None}
    state.fold(9, 4.0)
    assert store.position() == Position("t", 9, 4.0)
    assert store.get(f"{kind}/1") is None
    assert list(state.scan(f"{kind}/")) == [(f"{kind}/2", Load(7))]
    assert state.changes() == {}


def test_a_key_of_no_kind_is_refused_before_anything_is_taken() -> None:
    state, _ = state_of()
    with pytest.raises(UnknownKind, match="pool"):
        state.apply([put("lead/1", 1), put("pool/1", 1)])
    assert state.get("lead/1") is None


def test_a_scan_over_several_kinds_merges_them_in_byte_order() -> None:
    state, _ = state_of(lead_1=1, rep_1=1)
    state.apply([put("rep/2", 2), put("lead/0", 3), remove("lead/1")])
    assert list(state.scan("")) == [("lead/0", Load(3)), ("rep/1", Load(1)), ("rep/2", Load(2))]


operations = st.lists(
    st.tuples(st.sampled_from(["lead", "rep"]), st.sampled_from("abcde"), st.one_of(st.none(), st.integers(0, 9))),
    max_size=12,
)


@given(st.lists(st.tuples(operations, st.booleans()), max_size=6))
def test_a_state_is_a_dict_with_batches(batches: list[tuple[list[tuple[str, str, int | None]], bool]]) -> None:
    state, _ = state_of()
    model: dict[str, Load] = {}
    for changes, is_folded in batches:
        tried = dict(model)
        for kind, name, points in changes:
            key = f"{kind}/{name}"
            state.apply([remove(key) if points is None else put(key, points)])
            tried.pop(key, None)
            if points is not None:
                tried[key] = Load(points)
            assert state.get(key) == tried.get(key)
            for prefix in ("", "lead/", "rep/", "lead/a", "r"):
                expected = [(k, tried[k]) for k in sorted(tried) if k.startswith(prefix)]
                assert list(state.scan(prefix)) == expected
        if is_folded:
            state.fold(2, 0.0)
            model = tried
        else:
            state.discard()
        assert dict(state.scan("")) == model
