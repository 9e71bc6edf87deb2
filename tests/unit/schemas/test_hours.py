"""Hours are checked where they are read: one wrong zone in a roster must not stop the leads of its pool."""

from typing import Any

import pytest
from pydantic import ValidationError

from schemas.rep import Absence, Hours


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"timezone": "America/NewYork"}, "zone.unknown"),
        ({"timezone": "../etc/passwd"}, "zone.unknown"),
        ({"timezone": "America"}, "zone.unknown"),
        ({"timezone": ""}, "zone.unknown"),
        ({"week": {"mon": [["18:00", "09:00"]]}}, "calendar.shift"),
        ({"week": {"mon": [["09:00", "09:00"]]}}, "calendar.shift"),
        ({"week": {"mon": [["9", "17"]]}}, "calendar.time"),
        ({"week": {"mon": [["09:00", "24:01"]]}}, "calendar.time"),
        ({"holidays": ["XX"]}, "calendar.holidays"),
        ({"holidays": ["US-XX"]}, "calendar.holidays"),
    ],
)
def test_hours_that_no_calendar_can_follow_are_refused(wrong: dict[str, Any], code: str) -> None:
    with pytest.raises(ValidationError) as error:
        Hours.model_validate({"timezone": "UTC", **wrong})
    assert [(row["type"], bool(row["ctx"]["allowed"])) for row in error.value.errors()] == [(code, True)]


def test_a_shift_may_last_until_midnight() -> None:
    hours = Hours.model_validate(
        {"timezone": "Asia/Kolkata", "week": {"mon": [["00:00", "24:00"]]}, "holidays": ["DE-BY"]}
    )
    assert hours.week["mon"] == (("00:00", "24:00"),)


def test_an_absence_ends_after_it_starts() -> None:
    with pytest.raises(ValidationError, match="not after it starts"):
        Absence.model_validate({"start": "2026-03-08T00:00:00Z", "until": "2026-03-08T00:00:00Z"})
