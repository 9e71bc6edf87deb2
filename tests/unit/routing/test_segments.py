import pytest

from routing.segments import segment_of
from tests.unit.routing.policies import edited, shipped


@pytest.mark.parametrize(
    ("employees", "segment"),
    [
        (1000, "enterprise"),
        (999, "mid_market"),
        (200, "mid_market"),
        (199, "smb"),
        (50, "smb"),
        (49, "self_serve"),
        (0, "self_serve"),
        (None, None),
    ],
)
def test_headcount_gives_the_segment(employees: int | None, segment: str | None) -> None:
    assert segment_of(shipped(), employees) == segment


def test_with_enterprise_above_500_the_edge_moves() -> None:
    policy = edited("default", ("name: enterprise, from: 1000", "name: enterprise, from: 501"))
    assert segment_of(policy, 501) == "enterprise"
    assert segment_of(policy, 500) == "mid_market"


def test_a_policy_without_bands_has_no_segments() -> None:
    assert segment_of(shipped("starter"), 5000) is None
