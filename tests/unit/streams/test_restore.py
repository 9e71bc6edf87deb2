"""When a store on disk can't be trusted, and that a restored one can."""

import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from schemas.topics import DELETE_RETENTION_SECONDS
from streams.restore import reason_to_wipe, seal
from streams.store.rocks import RocksStore, open_rocks
from streams.store.store import Position

HALF = DELETE_RETENTION_SECONDS / 2


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (Position("t", 5, 0.0), None),
        (Position("t", 10, 0.0), None),
        (Position("t", 2, 0.0), None),
        (Position("u", 5, 0.0), "made anew"),
        (Position("t", 11, 0.0), "ahead"),
        (Position("t", 1, 0.0), "no longer has"),
        (Position("t", 5, -1.0), "missed removals"),
    ],
    ids=["in the middle", "at the end", "at the start", "another topic", "ahead", "before the start", "old"],
)
def test_a_store_is_wiped_when_its_position_cannot_be_continued(found: Position, reason: str | None) -> None:
    said = reason_to_wipe(found, "t", first=2, end=10, now=HALF)
    assert (said is None) if reason is None else (reason in (said or ""))


class Killed(RocksStore):
    """A store whose files are copied right after each write, as a kill at that moment would leave them."""

    def __init__(self, folder: Path, remains: Path) -> None:
        super().__init__(folder)
        self._files, self._remains = folder, remains

    def fold(self, changes: Mapping[str, bytes | None], position: Position) -> None:
        super().fold(changes, position)
        shutil.copytree(self._files, self._remains)


def test_a_kill_right_after_a_restore_leaves_no_position_without_its_rows(tmp_path: Path) -> None:
    store = Killed(tmp_path / "store", tmp_path / "remains")
    store.load([(b"a", b"1"), (b"b", b"2")], Position("t", 7, 1.0))
    seal({0: store}, [0], {0: Position("t", 7, 0.0)}, 5.0)
    store.close()
    found = open_rocks(tmp_path / "remains")
    assert found.position() == Position("t", 7, 5.0)
    assert dict(found.scan("")) == {"a": b"1", "b": b"2"}
    found.close()


def test_a_store_that_had_nothing_to_read_is_whole_as_of_now(tmp_path: Path) -> None:
    store = open_rocks(tmp_path)
    seal({0: store}, [], {0: Position("t", 7, 0.0)}, 5.0)
    assert store.position() == Position("t", 7, 5.0)
    store.close()
