"""What every store does, whatever keeps it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.store.memory import open_memory
from streams.store.rocks import open_rocks
from streams.store.store import OpenStore, Position, Store, StoreFailed

FACTORIES: dict[str, OpenStore] = {"memory": open_memory, "rocksdb": open_rocks}


@pytest.fixture(params=FACTORIES)
def open_store(request: pytest.FixtureRequest) -> OpenStore:
    return FACTORIES[request.param]


@pytest.fixture
def store(open_store: OpenStore, tmp_path: Path) -> Iterator[Store]:
    store = open_store(tmp_path / "store")
    yield store
    store.close()


def at(offset: int) -> Position:
    return Position("topic-1", offset, 1_000.5)


def test_a_new_store_is_empty_and_has_no_position(store: Store) -> None:
    assert store.get("lead/1") is None
    assert list(store.scan("")) == []
    assert store.position() is None
    assert store.entries() == 0


def test_a_fold_sets_removes_and_keeps_the_position(store: Store) -> None:
    store.fold({"lead/1": b"a", "lead/2": b"b"}, at(2))
    store.fold({"lead/1": None, "lead/2": b"c", "lead/none": None}, at(5))
    assert store.get("lead/1") is None
    assert store.get("lead/2") == b"c"
    assert store.position() == at(5)


def test_an_empty_value_is_not_an_absent_one(store: Store) -> None:
    store.fold({"lead/1": b""}, at(1))
    assert store.get("lead/1") == b""


def test_a_scan_gives_the_prefix_in_byte_order(store: Store) -> None:
    keys = ["rep/b", "rep/a", "rep/a/1", "rep/é", "rep/z", "reps/x", "re", "rep/😀", "lead/1"]
    store.fold({key: key.encode() for key in keys}, at(1))
    expected = sorted((key for key in keys if key.startswith("rep/")), key=str.encode)
    assert [key for key, _ in store.scan("rep/")] == expected
    assert all(value == key.encode() for key, value in store.scan("rep/"))


def test_a_scan_of_everything_leaves_the_stores_own_keys_out(store: Store) -> None:
    store.fold({"b/1": b"1", "a/1": b"2"}, at(1))
    assert list(store.scan("")) == [("a/1", b"2"), ("b/1", b"1")]


def test_a_scan_is_of_the_moment_it_began(store: Store) -> None:
    store.fold({"a/1": b"1", "a/2": b"2"}, at(1))
    rows = store.scan("a/")
    store.fold({"a/2": None, "a/3": b"3"}, at(2))
    assert list(rows) == [("a/1", b"1"), ("a/2", b"2")]


def test_a_load_takes_rows_in_their_order(store: Store) -> None:
    store.load([(b"a/1", b"1"), (b"a/2", b"2"), (b"a/1", None), (b"a/2", b"3")], at(4))
    store.flush()
    assert list(store.scan("a/")) == [("a/2", b"3")]
    assert store.position() == at(4)


def test_a_wiped_store_is_as_new(store: Store) -> None:
    store.fold({"a/1": b"1"}, at(1))
    store.wipe()
    assert list(store.scan("")) == []
    assert store.position() is None
    store.fold({"a/2": b"2"}, at(1))
    assert store.get("a/2") == b"2"


def test_a_store_on_disk_is_there_after_a_restart(tmp_path: Path) -> None:
    first = open_rocks(tmp_path)
    first.fold({"a/1": b"1"}, at(7))
    first.close()
    second = open_rocks(tmp_path)
    assert second.get("a/1") == b"1"
    assert second.position() == at(7)
    second.close()


def test_a_broken_store_on_disk_is_replaced_by_an_empty_one(tmp_path: Path) -> None:
    first = open_rocks(tmp_path)
    first.fold({"a/1": b"1"}, at(7))
    first.flush()
    first.close()
    (tmp_path / "CURRENT").write_text("MANIFEST-999999\n")
    second = open_rocks(tmp_path)
    assert second.position() is None
    second.close()


def test_a_store_in_use_by_another_is_refused(tmp_path: Path) -> None:
    first = open_rocks(tmp_path)
    with pytest.raises(StoreFailed, match=str(tmp_path)):
        open_rocks(tmp_path)
    first.close()


def test_a_folder_that_cannot_be_made_is_a_failed_store(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreFailed):
        open_rocks(tmp_path / "file" / "store")
