from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.duration import ClockPoint, clock_point, duration, duration_text


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("5m", 300), ("1h30m", 5_400), ("0.5h", 1_800), ("7d", 604_800), ("0s", 0)]
)
def test_a_duration_is_read(text: str, seconds: int) -> None:
    assert duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("value", ["", "5", "5 m", "-5m", "m5", "5minutes", 5, None, "401d", "1e3s"])
def test_what_is_no_duration_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"is (no duration|too long)"):
        duration(value)


@settings(deadline=None)
@given(st.integers(0, 400 * 86_400))
def test_a_duration_is_written_as_it_is_read(seconds: int) -> None:
    value = timedelta(seconds=seconds)
    assert duration(duration_text(value)) == value


def test_a_point_on_the_clock_is_a_multiple_of_the_window_or_a_time() -> None:
    window = timedelta(minutes=5)
    assert clock_point("0.5x").of(window) == timedelta(seconds=150)
    assert clock_point("30m").of(window) == timedelta(minutes=30)
    assert str(ClockPoint(multiple=2.0)) == "2x"
    with pytest.raises(ValueError, match="no point on a clock"):
        clock_point("twice")
