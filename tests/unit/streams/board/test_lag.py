"""How far behind the board is: from when on it is worth saying, and when it is not."""

from datetime import UTC, datetime, timedelta

from streams.board.lag import NOTICED_SECONDS, LagGauge

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


class Clock:
    """A clock that stands until it is set."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now

    def after(self, seconds: float) -> datetime:
        self.now = NOON + timedelta(seconds=seconds)
        return self.now


def test_a_board_that_has_read_everything_is_not_behind() -> None:
    gauge = LagGauge(Clock())
    gauge.note(0, None)
    assert (gauge.lag().seconds, gauge.lag().is_noticeable) == (0.0, False)


def test_it_says_since_when_it_is_behind_until_it_has_caught_up() -> None:
    clock = Clock()
    gauge = LagGauge(clock)
    gauge.note(10, NOON)
    assert not gauge.lag().is_noticeable
    since = clock.after(NOTICED_SECONDS)
    gauge.note(900, NOON)
    clock.after(34)
    gauge.note(4_000, NOON)
    lag = gauge.lag()
    assert (lag.records, lag.seconds, lag.since) == (4_000, 34.0, since)
    gauge.note(0, None)
    assert gauge.lag().since is None


def test_a_follower_that_takes_nothing_down_any_more_is_behind_whatever_it_said_last() -> None:
    clock = Clock()
    gauge = LagGauge(clock)
    gauge.note(0, None)
    clock.after(60)
    assert (gauge.lag().seconds, gauge.lag().since) == (60.0, NOON)


def test_a_board_that_never_reached_kafka_is_behind_since_it_noticed() -> None:
    clock = Clock()
    gauge = LagGauge(clock)
    gauge.away()
    clock.after(90)
    assert (gauge.lag().seconds, gauge.lag().since) == (90.0, NOON)


def test_that_kafka_is_away_is_said_with_the_first_moment_until_it_answers() -> None:
    clock = Clock()
    gauge = LagGauge(clock)
    gauge.away()
    clock.after(9)
    gauge.away()
    assert gauge.lag().away_since == NOON
    gauge.back()
    assert gauge.lag().away_since is None
