"""What is committed with a batch."""

from datetime import UTC, datetime

from streams.offsets import to_commit

NOW = datetime(2026, 3, 1, 12, 0, 0, 250, tzinfo=UTC)


def test_the_partitions_clock_is_committed_beside_its_offset() -> None:
    first, second = to_commit({("a", 0): 5, ("b", 1): 7}, {0: NOW})
    assert (first.topic, first.partition, first.offset) == ("a", 0, 5)
    assert first.metadata == "1772366400000250"
    assert second.metadata == "0"
