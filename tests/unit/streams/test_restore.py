"""When a store on disk can't be trusted."""

import pytest

from schemas.topics import DELETE_RETENTION_SECONDS
from streams.restore import reason_to_wipe
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
