"""What TIMERS does between two records: a backlog that comes in never holds up what is due."""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from schemas.timer import TimerArmed
from schemas.wire import encode
from streams.health import Health
from streams.kafka.config import ClusterSettings
from streams.metrics import RunnerMetrics
from streams.stopping import Stop
from streams.store.store import Position
from streams.timers.index import microseconds, open_index
from streams.timers.loop import FIRE_LIMIT, INTAKE, READ_LIMIT, READ_LIMIT_FIRING, SLICE, TimersLoop
from streams.timers.metrics import TimersMetrics
from streams.timers.partitions import Partitions
from streams.transaction import Row
from tests.incoming import Made

NOW = datetime(2026, 3, 10, 18, 14, tzinfo=UTC)
FAR = NOW + timedelta(days=2)
BACKLOG = 20_000


def arming(key: str, due_at: datetime, offset: int) -> Made:
    timer = TimerArmed(due_at=due_at, topic="leads.scored", to_key="main", data={}, armed_at=NOW)
    return Made("leads.timers", 0, offset, key.encode(), encode(timer), [])


class Backlog:
    """A consumer that always has as many records as it is asked for, to the end of the backlog."""

    def __init__(self, records: Sequence[Made]) -> None:
        self.records = list(records)
        self.taken = 0

    def poll(self, seconds: float) -> Made | None:
        return next(iter(self.consume(1, seconds)), None)

    def consume(self, limit: int, seconds: float) -> list[Made]:
        found = self.records[self.taken : self.taken + limit]
        self.taken += len(found)
        return found


class Log:
    """A transactor that remembers what was committed, and how much of the backlog had been taken by then."""

    def __init__(self, backlog: Backlog) -> None:
        self.backlog = backlog
        self.fired: list[tuple[bytes, int]] = []

    def run(
        self, records: Sequence[Row], offsets: Any, changelog: Any, meanwhile: Callable[[], None]
    ) -> dict[int, int]:
        self.fired += [(key, self.backlog.taken) for _, key, value, _, _ in records if value is None]  # type: ignore[misc]
        meanwhile()

    def poll(self) -> None:
        pass


class Still:
    """A clock that stands, and a lag that is not known."""

    def now(self) -> datetime:
        return NOW

    def seconds(self) -> None:
        return None


class Slow:
    """A clock on a machine where each slice of the intake takes longer than the intake may."""

    def __init__(self, backlog: Backlog) -> None:
        self.backlog = backlog

    def now(self) -> datetime:
        return NOW + (self.backlog.taken // SLICE) * 2 * INTAKE


@pytest.fixture
def partitions(tmp_path: Path) -> Any:
    registry = CollectorRegistry()
    runner, metrics = RunnerMetrics(registry, "timers"), TimersMetrics(registry)
    found = Partitions(ClusterSettings(bootstrap="none"), tmp_path, Health(), runner, metrics, lambda: False)
    index = open_index(tmp_path / "0")
    index.fold({}, Position("topic", 0, 0.0))
    found.indexes = {0: index}
    found.measures = (runner, metrics)  # type: ignore[attr-defined]
    yield found
    found.close()


def loop(partitions: Any, backlog: Backlog, clock: Any = None) -> tuple[TimersLoop, Log]:
    runner, metrics = partitions.measures
    log = Log(backlog)
    made: Any = TimersLoop
    return made("", backlog, log, partitions, Still(), clock or Still(), Health(), runner, metrics, Stop()), log


def rounds(turning: TimersLoop, backlog: Backlog) -> None:
    while backlog.taken < len(backlog.records):
        turning.turn()
    turning.turn()


@pytest.mark.parametrize("place", [0, 1, READ_LIMIT - 1, READ_LIMIT, 12_345, BACKLOG - 1])
def test_what_is_due_fires_before_a_bounded_number_of_records_more_is_taken(partitions: Any, place: int) -> None:
    """Ten minutes of armings come in at once; the one that is due now is somewhere in it."""
    records = [arming(f"lead/{n}", FAR + timedelta(milliseconds=n), n) for n in range(BACKLOG)]
    records[place] = arming("lead/now", NOW, place)
    backlog = Backlog(records)
    turning, log = loop(partitions, backlog)
    rounds(turning, backlog)
    ((key, taken),) = log.fired
    assert key == b"lead/now"
    assert place < taken <= place + READ_LIMIT


def test_what_fell_due_before_the_backlog_came_fires_first(partitions: Any) -> None:
    backlog = Backlog([arming(f"lead/{n}", FAR, n) for n in range(1, BACKLOG)])
    partitions.take([arming("lead/now", NOW, 0)])
    turning, log = loop(partitions, backlog)
    turning.turn()
    assert [key for key, _ in log.fired] == [b"lead/now"]
    assert backlog.taken <= READ_LIMIT


def test_while_an_outage_is_fired_off_the_armings_keep_coming_in(partitions: Any) -> None:
    """Each fire leaves a tombstone to read back: the intake of a round is larger than what its fires write."""
    overdue = 3 * FIRE_LIMIT
    partitions.take([arming(f"late/{n}", NOW - timedelta(hours=1), n) for n in range(overdue)])
    backlog = Backlog([arming(f"lead/{n}", FAR, overdue + n) for n in range(4 * READ_LIMIT_FIRING)])
    turning, _ = loop(partitions, backlog)
    assert [turning.turn() for _ in range(4)] == [FIRE_LIMIT] * 3 + [0]
    assert backlog.taken == READ_LIMIT + 3 * READ_LIMIT_FIRING
    assert READ_LIMIT_FIRING > FIRE_LIMIT


def test_on_a_slow_machine_the_intake_ends_by_the_clock_and_what_fell_due_meanwhile_fires(partitions: Any) -> None:
    """What falls due during an intake of four thousand fires after a slice or two."""
    due_at = NOW + 3 * INTAKE
    partitions.take([arming("lead/soon", due_at, 0)])
    backlog = Backlog([arming(f"lead/{n}", FAR + timedelta(days=1), n) for n in range(1, BACKLOG)])
    turning, log = loop(partitions, backlog, Slow(backlog))
    rounds(turning, backlog)
    ((key, taken),) = log.fired
    assert key == b"lead/soon"
    assert taken == 2 * SLICE


def test_what_is_found_ahead_fires_once_oldest_first(partitions: Any) -> None:
    """The second and the third transaction's fires are found while the one before is under way."""
    overdue = 2 * FIRE_LIMIT + 10
    partitions.take([arming(f"late/{n}", NOW - timedelta(milliseconds=overdue - n), n) for n in range(overdue)])
    turning, log = loop(partitions, Backlog([]))
    assert [turning.turn() for _ in range(4)] == [FIRE_LIMIT, FIRE_LIMIT, 10, 0]
    assert [key for key, _ in log.fired] == [f"late/{n}".encode() for n in range(overdue)]


@pytest.mark.parametrize("change", ["cancelled", "armed for later", "armed for earlier", "another, due before it"])
def test_what_changes_after_it_was_found_ahead_fires_as_it_stands_when_its_turn_comes(
    partitions: Any, change: str
) -> None:
    overdue = FIRE_LIMIT + 20
    partitions.take([arming(f"late/{n:05}", NOW - timedelta(milliseconds=overdue - n), n) for n in range(overdue)])
    key = f"late/{FIRE_LIMIT + 10:05}"  # of the second transaction
    changed, fires = {
        "cancelled": (Made("leads.timers", 0, overdue, key.encode(), None, []), []),
        "armed for later": (arming(key, FAR, overdue), []),
        "armed for earlier": (arming(key, NOW - timedelta(hours=2), overdue), [key]),
        "another, due before it": (arming("early", NOW - timedelta(hours=2), overdue), [key, "early"]),
    }[change]
    backlog = Backlog([])
    turning, log = loop(partitions, backlog)
    assert turning.turn() == FIRE_LIMIT
    backlog.records = [changed]
    while turning.turn():
        pass
    second = Counter(found.decode() for found, _ in log.fired[FIRE_LIMIT:])
    assert {name: second[name] for name in (key, "early") if name in second} == dict.fromkeys(fires, 1)
    assert set(second) - {key, "early"} == {f"late/{n:05}" for n in range(FIRE_LIMIT, overdue)} - {key}
    assert partitions.indexes[0].due(microseconds(NOW), 10) == []


def test_what_was_found_ahead_does_not_fire_once_its_partition_was_given_back(partitions: Any) -> None:
    overdue = FIRE_LIMIT + 20
    partitions.take([arming(f"late/{n}", NOW - timedelta(milliseconds=overdue - n), n) for n in range(overdue)])
    turning, log = loop(partitions, Backlog([]))
    assert turning.turn() == FIRE_LIMIT
    partitions.close()
    assert turning.turn() == 0
    assert len(log.fired) == FIRE_LIMIT


def test_many_latenesses_at_once_are_counted_as_one_by_one() -> None:
    values = [0.0, 0.004, 0.005, 0.3, 0.3, 1.0, 2_000.0, 3_000.0]
    many, single = CollectorRegistry(), CollectorRegistry()
    TimersMetrics(many).lateness.observe_all(values)
    one_by_one = TimersMetrics(single).lateness
    for value in values:
        one_by_one.observe(value)
    name = "leadstream_streams_timer_lateness_seconds"
    assert _samples(many, name) == _samples(single, name)


def _samples(registry: CollectorRegistry, name: str) -> list[tuple[str, str, float]]:
    (family,) = (found for found in registry.collect() if found.name == name)
    kept = [sample for sample in family.samples if not sample.name.endswith("_created")]
    return [(sample.name, sample.labels.get("le", ""), sample.value) for sample in kept]
