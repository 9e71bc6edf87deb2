"""Named points to die at."""

import pytest

from streams.fault import FaultPoint


def test_no_text_is_no_fault() -> None:
    assert FaultPoint.parse("") is None
    assert FaultPoint.parse(None) is None


def test_a_misspelt_point_is_refused() -> None:
    with pytest.raises(ValueError, match="after-lunch"):
        FaultPoint.parse("after-lunch:1")


def test_a_misspelt_way_to_fail_is_refused() -> None:
    with pytest.raises(ValueError, match="nap"):
        FaultPoint.parse("after-produce:1:nap")
    assert FaultPoint.parse("after-produce:1:pause") is not None
