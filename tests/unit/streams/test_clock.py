"""The clock of a process."""

from streams.clock import SteadyClock


def test_the_clock_is_utc_and_does_not_run_backwards() -> None:
    clock = SteadyClock()
    readings = [clock.now() for _ in range(100)]
    assert readings == sorted(readings)
    assert readings[0].utcoffset() is not None
    assert abs(clock.drift_seconds()) < 1
