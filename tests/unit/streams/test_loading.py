"""Stores filled side by side by a restore."""

import threading
from collections.abc import Iterable
from pathlib import Path

import pytest

from streams.store.loading import Loading, a_thread_each
from streams.store.memory import MemoryStore
from streams.store.rocks import open_rocks
from streams.store.store import Position, StoreFailed

DEADLINE_SECONDS = 60.0


class Meeting(MemoryStore):
    """A store whose load ends only once another's has begun."""

    def __init__(self, both: threading.Barrier) -> None:
        super().__init__()
        self._both = both

    def load(self, rows: Iterable[tuple[bytes, bytes | None]], position: Position) -> None:
        self._both.wait(DEADLINE_SECONDS)
        super().load(rows, position)


class Full(MemoryStore):
    """A store whose disk takes no more."""

    def load(self, rows: Iterable[tuple[bytes, bytes | None]], position: Position) -> None:
        raise StoreFailed("full")


def test_of_a_key_in_several_reads_the_last_counts_and_so_does_its_position(tmp_path: Path) -> None:
    stores = {number: open_rocks(tmp_path / str(number)) for number in range(3)}
    with a_thread_each(stores) as threads:
        loading = Loading(stores, threads)
        for read in range(20):
            rows = {number: [(b"a", b"%d" % read), (b"read-%02d" % read, b"")] for number in stores}
            loading.begin(rows, {number: Position("t", read + 1, 0.0) for number in stores})
        loading.begin({0: [(b"a", None)]}, {0: Position("t", 21, 0.0)})
        loading.finish()
    assert [store.get("a") for store in stores.values()] == [None, b"19", b"19"]
    assert [store.position() for store in stores.values()] == [Position("t", end, 0.0) for end in (21, 20, 20)]
    assert len(list(stores[1].scan("read-"))) == 20
    for store in stores.values():
        store.close()


def test_stores_are_written_at_the_same_time() -> None:
    both = threading.Barrier(2)
    stores = {0: Meeting(both), 1: Meeting(both)}
    with a_thread_each(stores) as threads:
        loading = Loading(stores, threads)
        loading.begin({}, {0: Position("t", 1, 0.0), 1: Position("t", 1, 0.0)})
        loading.finish()
    assert {store.position() for store in stores.values()} == {Position("t", 1, 0.0)}


def test_a_store_that_fails_is_told_before_anything_more_is_written() -> None:
    good = MemoryStore()
    stores = {0: good, 1: Full()}
    with a_thread_each(stores) as threads:
        loading = Loading(stores, threads)
        loading.begin({}, {1: Position("t", 1, 0.0)})
        with pytest.raises(StoreFailed):
            loading.begin({0: [(b"a", b"1")]}, {0: Position("t", 1, 0.0)})
    assert good.position() is None
