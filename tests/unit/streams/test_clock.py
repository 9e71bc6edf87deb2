"""The clock of a process."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from streams.clock import SteadyClock
from streams.store.store import Position
from streams.timers.index import TimerIndex, entry, microseconds, open_index

START = datetime(2026, 3, 8, 7, 59, tzinfo=UTC)
HOUR = timedelta(hours=1)


@dataclass
class Machine:
    """A machine whose wall clock somebody sets."""

    wall: datetime = START
    uptime_seconds: float = 5_000.0

    def passes(self, seconds: float) -> None:
        self.wall += timedelta(seconds=seconds)
        self.uptime_seconds += seconds

    def steady(self) -> SteadyClock:
        return SteadyClock(lambda: self.wall, lambda: self.uptime_seconds)


@pytest.fixture
def index(tmp_path: Path) -> Iterator[TimerIndex]:
    opened = open_index(tmp_path / "0")
    yield opened
    opened.close()


def test_the_clock_is_utc_and_does_not_run_backwards() -> None:
    clock = SteadyClock()
    readings = [clock.now() for _ in range(100)]
    assert readings == sorted(readings)
    assert readings[0].utcoffset() is not None
    assert abs(clock.drift_seconds()) < 1


@pytest.mark.parametrize("step", [HOUR, -HOUR], ids=["an hour ahead", "an hour back"])
def test_a_stepped_wall_clock_moves_nothing_and_is_told(step: timedelta) -> None:
    machine = Machine()
    clock = machine.steady()
    machine.passes(10)
    machine.wall += step
    assert clock.now() == START + timedelta(seconds=10)
    assert clock.drift_seconds() == step.total_seconds()
    machine.passes(10)
    assert clock.now() == START + timedelta(seconds=20)


@pytest.mark.parametrize("step", [HOUR, -HOUR], ids=["an hour ahead", "an hour back"])
def test_a_stepped_wall_clock_makes_no_wake_up_early_and_none_late(index: TimerIndex, step: timedelta) -> None:
    machine = Machine()
    clock = machine.steady()
    due_us = microseconds(START + timedelta(seconds=60))
    index.take([(b"lead/a", entry(due_us, b""))], Position("topic", 1, 0.0))
    machine.passes(30)
    machine.wall += step
    machine.passes(29.999)
    assert index.due(microseconds(clock.now()), 10) == []
    machine.passes(0.001)
    assert [one.key for one in index.due(microseconds(clock.now()), 10)] == [b"lead/a"]
