"""Named points to die at."""

import pytest

from streams.fault import FaultPoint


def test_no_text_is_no_fault() -> None:
    assert FaultPoint.parse("") is None
    assert FaultPoint.parse(None) is None


def test_a_misspelt_point_is_refused() -> None:
    with pytest.raises(ValueError, match="after-lunch"):
        FaultPoint.parse("after-lunch:1")
