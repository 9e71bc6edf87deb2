"""The index of TIMERS on disk, and from a record to an entry to what is written when it fires."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest

from schemas.poison import Poison
from schemas.timer import TimerArmed, WakeUp
from schemas.topics import TOPICS
from schemas.wire import decode, encode
from streams.store.store import Position
from streams.timers.fires import next_due
from streams.timers.index import Pending, TimerIndex, entry, instant, microseconds, open_index
from streams.timers.record import Firing, NewerTimers, row
from streams.transaction import Record
from tests.incoming import Made

NOW = datetime(2026, 3, 10, 18, 14, 0, 123_456, tzinfo=UTC)
NAMES = {name: f"ns.{name}" for name in TOPICS}


def at(offset: int) -> Position:
    return Position("topic", offset, 0.0)


@pytest.fixture
def index(tmp_path: Path) -> Iterator[TimerIndex]:
    opened = open_index(tmp_path / "0")
    yield opened
    opened.close()


def dues(index: TimerIndex, now_us: int = 10**9, limit: int = 100) -> list[tuple[bytes, int]]:
    return [(pending.key, pending.due_us) for pending in index.due(now_us, limit)]


def test_what_is_due_comes_oldest_first_and_not_before_its_time(index: TimerIndex) -> None:
    index.take([(b"c", entry(30, b"")), (b"a", entry(20, b"")), (b"b", entry(10, b""))], at(3))
    assert dues(index, 9) == []
    assert dues(index, 10) == [(b"b", 10)]
    assert dues(index, 25) == [(b"b", 10), (b"a", 20)]
    assert dues(index, 99, limit=1) == [(b"b", 10)]
    assert index.next_due_us() == 10


def test_equal_dues_come_in_the_order_of_their_keys(index: TimerIndex) -> None:
    index.take([(b"b", entry(10, b"")), (b"a", entry(10, b""))], at(2))
    assert dues(index) == [(b"a", 10), (b"b", 10)]


def test_a_later_arming_replaces_and_a_tombstone_removes(index: TimerIndex) -> None:
    index.take([(b"a", entry(10, b"one")), (b"b", entry(10, b""))], at(2))
    index.take([(b"a", entry(50, b"two")), (b"b", None), (b"never", None)], at(5))
    assert [(p.key, p.due_us, p.body) for p in index.scan()] == [(b"a", 50, b"two")]


def test_of_one_key_in_one_batch_the_last_record_counts(index: TimerIndex) -> None:
    index.take(
        [(b"a", entry(10, b"")), (b"a", None), (b"a", entry(30, b"")), (b"b", entry(1, b"")), (b"b", None)], at(5)
    )
    assert dues(index) == [(b"a", 30)]


def test_what_fired_is_gone_and_what_was_armed_meanwhile_stays(index: TimerIndex) -> None:
    index.take([(b"a", entry(10, b"")), (b"b", entry(20, b""))], at(2))
    index.remove(index.due(10, 100))
    assert dues(index) == [(b"b", 20)]
    index.remove(())
    assert index.next_due_us() == 20


def test_an_arming_before_all_that_fired_is_found(index: TimerIndex) -> None:
    """Scans start at a remembered bound; an earlier due must lower it."""
    index.take([(b"a", entry(1_000, b""))], at(1))
    index.remove(index.due(1_000, 100))
    index.take([(b"late", entry(5, b""))], at(2))
    assert index.next_due_us() == 5
    assert dues(index) == [(b"late", 5)]


def test_the_bound_survives_a_restart(tmp_path: Path) -> None:
    first = open_index(tmp_path / "0")
    first.take([(b"a", entry(1_000, b"")), (b"b", entry(2_000, b""))], at(2))
    first.remove(first.due(1_000, 100))
    first.take([(b"c", entry(7, b""))], at(3))
    first.close()
    second = open_index(tmp_path / "0")
    assert dues(second) == [(b"c", 7), (b"b", 2_000)]
    assert second.position() == at(3)
    second.close()


def test_what_was_loaded_over_an_earlier_arming_fires_once_and_leaves_nothing_behind(index: TimerIndex) -> None:
    """An arming is written without a look at what it replaces; the old place in time is found when it is due."""
    index.load([(b"a", entry(10, b"one")), (b"b", entry(20, b"")), (b"c", entry(5, b""))], at(3))
    index.load([(b"a", entry(30, b"two")), (b"b", None)], at(5))
    assert dues(index, 15) == [(b"c", 5)]
    assert dues(index, 25) == [(b"c", 5)]
    assert [(p.key, p.due_us, p.body) for p in index.scan()] == [(b"c", 5, b""), (b"a", 30, b"two")]
    index.remove(index.due(30, 10))
    assert (index.next_due_us(), list(index.scan())) == (None, [])


def test_thousands_that_were_replaced_do_not_hide_the_one_that_counts(index: TimerIndex) -> None:
    index.load([(b"%05d" % n, entry(n, b"")) for n in range(2_000)], at(2_000))
    index.load([(b"%05d" % n, None) for n in range(1_999)], at(3_999))
    assert dues(index, 10_000) == [(b"01999", 1_999)]
    assert index.next_due_us() == 1_999, "what no longer counts was dropped, and the bound has risen"


def test_an_arming_for_the_same_instant_counts_with_its_new_data(index: TimerIndex) -> None:
    index.take([(b"a", entry(10, b"one"))], at(1))
    index.take([(b"a", None)], at(2))
    index.take([(b"a", entry(10, b"two"))], at(3))
    assert [p.body for p in index.due(10, 5)] == [b"two"]


def test_an_index_of_another_layout_is_made_anew(tmp_path: Path) -> None:
    first = open_index(tmp_path / "0")
    first.take([(b"a", entry(10, b""))], at(1))
    first._db.delete(b"\x00layout")  # as builds before it had it
    first.close()
    second = open_index(tmp_path / "0")
    assert (second.position(), list(second.scan())) == (None, [])
    second.close()


def test_a_wiped_index_is_new(index: TimerIndex) -> None:
    index.take([(b"a", entry(10, b""))], at(1))
    index.wipe()
    assert index.position() is None
    assert list(index.scan()) == [] and index.next_due_us() is None


def test_a_long_random_history_leaves_what_a_dict_would(index: TimerIndex) -> None:
    """Large enough for several files on disk: a scan must see them all."""
    chance = random.Random(7)
    expected: dict[bytes, int] = {}
    for step in range(60):
        rows = []
        for _ in range(500):
            key = b"lead/%05d" % chance.randrange(20_000)
            due = None if chance.random() < 0.2 else chance.randrange(10**6)
            rows.append((key, None if due is None else entry(due, b"x" * 200)))
            expected.pop(key, None)
            if due is not None:
                expected[key] = due
        index.load(rows, at(step)) if step % 2 else index.take(rows, at(step))
        until = chance.randrange(10**5)
        fired = index.due(until, 400)
        assert [p.due_us for p in fired] == sorted(due for due in expected.values() if due <= until)[:400]
        index.remove(fired)
        for pending in fired:
            assert expected.pop(pending.key) == pending.due_us
    assert {p.key: p.due_us for p in index.scan()} == expected
    assert len(dues(index, limit=10**6)) == len(expected)


def test_over_partitions_the_oldest_fire_first(tmp_path: Path) -> None:
    one, two = open_index(tmp_path / "1"), open_index(tmp_path / "2")
    one.take([(b"a", entry(10, b"")), (b"c", entry(30, b""))], at(2))
    two.take([(b"b", entry(20, b"")), (b"d", entry(40, b""))], at(2))
    due = next_due({1: one, 2: two}, 99, 3)
    assert [(partition, pending.key) for _, partition, pending in due] == [(1, b"a"), (2, b"b"), (1, b"c")]
    one.close()
    two.close()


def armed(due_at: datetime = NOW, topic: str = "leads.scored") -> bytes:
    timer = TimerArmed(due_at=due_at, topic=topic, to_key="main", data={"epoch": 2}, armed_at=NOW)
    return encode(timer) or b""


def message(value: bytes | None, key: bytes | None = b"lead/a", offset: int = 5, version: bytes = b"1") -> Made:
    return Made("ns.leads.timers", 1, offset, key, value, [("ce_schemaversion", version)])


def test_a_due_is_kept_to_the_microsecond() -> None:
    assert instant(microseconds(NOW)) == NOW
    zone = NOW.astimezone(tz=None)
    assert microseconds(zone) == microseconds(NOW)


def fired(firing: Firing, pending: Pending, partition: int) -> tuple[Record, Record]:
    wake, tombstone = firing.records(pending, partition)
    return Record(*wake), Record(*tombstone)


def test_a_record_becomes_an_entry_and_fires_as_the_wake_up_it_was_armed_for() -> None:
    kept = row(message(armed()))
    assert kept is not None and kept[1] is not None
    pending = Pending(kept[0], microseconds(NOW), kept[1][8:])
    fired_at = NOW + timedelta(seconds=2)
    wake, tombstone = fired(Firing(NAMES, fired_at, 1.5), pending, 1)
    assert (wake.topic, wake.key) == ("ns.leads.scored", b"main")
    value = decode("wake.up", 1, wake.value)
    assert value == WakeUp(waker="lead/a", due_at=NOW, fired_at=fired_at, activity_lag_seconds=1.5, data={"epoch": 2})
    assert dict(wake.headers or ())["ce_type"] == b"wake.up"
    assert (tombstone.topic, tombstone.key, tombstone.value, tombstone.partition) == (
        "ns.leads.timers",
        b"lead/a",
        None,
        1,
    )


@pytest.mark.parametrize("us", [0, 1, 10, 123_456, 999_999], ids=str)
def test_a_wake_up_tells_its_due_to_the_microsecond(us: int) -> None:
    due_at = NOW.replace(microsecond=us)
    kept = row(message(armed(due_at)))
    assert kept is not None and kept[1] is not None
    firing = Firing(NAMES, NOW, None)
    for _ in range(2):  # the second time from what is kept of its second
        wake, _tombstone = fired(firing, Pending(kept[0], microseconds(due_at), kept[1][8:]), 1)
        written = orjson.loads(wake.value or b"")["due_at"]
        assert written == orjson.loads(orjson.dumps(due_at, option=orjson.OPT_UTC_Z))


def test_a_wake_up_has_one_id_an_arming_whenever_it_fires() -> None:
    def event_id(offset: int, fired_at: datetime) -> bytes | str | None:
        kept = row(message(armed(), offset=offset))
        assert kept is not None and kept[1] is not None
        wake, _ = fired(Firing(NAMES, fired_at, None), Pending(kept[0], 0, kept[1][8:]), 1)
        assert "activity_lag_seconds" not in orjson.loads(wake.value or b"")
        return dict(wake.headers or ())["ce_id"]

    assert event_id(5, NOW) == event_id(5, NOW + timedelta(hours=1))
    assert event_id(5, NOW) != event_id(6, NOW)


@pytest.mark.parametrize(
    ("given", "passed_on"),
    [
        (b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",) * 2,
        (b'00-","topic":"decisions', None),
        (None, None),
    ],
    ids=["a trace", "no trace", "none"],
)
def test_a_wake_up_is_part_of_the_trace_that_armed_it(given: bytes | None, passed_on: bytes | None) -> None:
    record = message(armed())
    if given is not None:
        record.headers_.append(("traceparent", given))
    kept = row(record)
    assert kept is not None and kept[1] is not None
    wake, _ = fired(Firing(NAMES, NOW, None), Pending(kept[0], 0, kept[1][8:]), 1)
    assert dict(wake.headers or ()).get("traceparent") == passed_on
    assert wake.topic == "ns.leads.scored"


def test_a_tombstone_has_no_entry() -> None:
    assert row(message(None)) == (b"lead/a", None)


@pytest.mark.parametrize(
    "broken",
    [
        message(armed(), key=None),
        message(armed(), key=b"\xff"),
        message(b"{"),
        message(b""),
        message(armed(topic="leads.nowhere")),
        message(armed(), version=b"x"),
    ],
    ids=["no key", "key not UTF-8", "no JSON", "empty", "no topic of ours", "version is no number"],
)
def test_what_can_never_fire_is_poison(broken: Made) -> None:
    with pytest.raises(Poison):
        row(broken)


def test_a_newer_schema_ends_the_process_before_it_could_miss_a_wake_up() -> None:
    with pytest.raises(NewerTimers):
        row(message(armed(), version=b"2"))


def test_a_tombstone_that_lands_behind_a_newer_arming_takes_that_with_it(index: TimerIndex) -> None:
    """Armed again between the choice of what is due and the tombstone's offset. Each fire makes the waker arm anew."""
    index.take([(b"lead/a", entry(100, b"first"))], at(1))
    fired = index.due(100, 10)
    index.remove(fired)
    index.take([(b"lead/a", entry(200, b"second")), (b"lead/a", None)], at(3))
    assert dues(index) == []
    index.take([(b"lead/a", entry(200, b"by the waker"))], at(4))
    assert dues(index) == [(b"lead/a", 200)]
