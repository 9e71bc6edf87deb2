"""A clock difference is told only when it is surely there."""

import pytest

from streams.kafka.clock import ClockDifference, clock_findings


@pytest.mark.parametrize(
    ("ahead", "uncertainty", "said"),
    [
        (0.2, 0.01, None),
        (1.4, 0.5, None),
        (3.0, 0.01, "3.0 s ahead of"),
        (-7.5, 0.01, "7.5 s behind"),
    ],
    ids=["close enough", "perhaps only a slow answer", "ahead", "behind"],
)
def test_a_difference_is_told_with_its_direction(ahead: float, uncertainty: float, said: str | None) -> None:
    found = clock_findings(ClockDifference(ahead, uncertainty))
    assert [said in finding.what for finding in found if said] == ([True] if said else [])
    assert bool(found) is bool(said)
