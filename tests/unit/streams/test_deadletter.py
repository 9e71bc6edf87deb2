"""What a dead letter holds, and when there are too many."""

from datetime import UTC, datetime

import orjson
import pytest

from streams.deadletter import ORIGINAL_MAX_BYTES, DeadLetterFlood, FloodLimit, dead_letter
from streams.inbox import SetAside
from tests.incoming import Made

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def test_a_letter_is_the_original_with_where_and_why() -> None:
    message = Made(partition_=2, offset_=9, value_=b"\xff", headers_=[("mine", b"\x00"), ("ce_id", b"e1")])
    record = dead_letter("t.leads.dlq", SetAside(message, "Poison", "not JSON"), "enrich", "leads.raw", NOW)
    assert (record.topic, record.key, record.value) == ("t.leads.dlq", b"k", b"\xff")
    assert record.headers == [
        ("mine", b"\x00"),
        ("ce_id", b"e1"),
        ("dlq_topic", b"leads.raw"),
        ("dlq_partition", b"2"),
        ("dlq_offset", b"9"),
        ("dlq_stage", b"enrich"),
        ("dlq_error", b"Poison"),
        ("dlq_reason", b"not JSON"),
        ("dlq_attempts", b"1"),
        ("dlq_time", b"2026-03-01T00:00:00.000+00:00"),
    ]


def test_a_replayed_letter_that_dies_again_has_only_its_last_reasons() -> None:
    message = Made(headers_=[("dlq_reason", b"old"), ("dlq_offset", b"1")])
    record = dead_letter("d", SetAside(message, "Poison", "new"), "enrich", "leads.raw", NOW)
    assert [value for name, value in record.headers or [] if name == "dlq_reason"] == [b"new"]


def test_an_original_that_leaves_no_room_becomes_a_pointer() -> None:
    message = Made(partition_=1, offset_=4, value_=b"x" * (ORIGINAL_MAX_BYTES + 1))
    record = dead_letter("d", SetAside(message, "Poison", "big"), "enrich", "leads.raw", NOW)
    pointer = orjson.loads(record.value or b"")
    assert pointer == {"topic": "leads.raw", "partition": 1, "offset": 4, "size_bytes": ORIGINAL_MAX_BYTES + 1}
    assert ("dlq_pointer", b"true") in (record.headers or [])


def test_a_tombstone_stays_one() -> None:
    record = dead_letter("d", SetAside(Made(value_=None), "Poison", "no value"), "enrich", "leads.raw", NOW)
    assert record.value is None


def test_a_run_of_dead_letters_is_a_flood() -> None:
    limit = FloodLimit(run=10, ratio=1.0, window=1_000)
    limit.count(9, 9)
    limit.count(5, 4)
    limit.count(9, 9)
    with pytest.raises(DeadLetterFlood, match="10 records in a row"):
        limit.count(1, 1)


def test_a_large_part_of_dead_letters_is_a_flood() -> None:
    limit = FloodLimit(run=1_000, ratio=0.1, window=100)
    limit.count(99, 9)
    with pytest.raises(DeadLetterFlood, match="over 10%"):
        limit.count(10, 9)


def test_a_few_dead_letters_are_none() -> None:
    limit = FloodLimit(run=10, ratio=0.1, window=100)
    for _ in range(1_000):
        limit.count(100, 1)
