import pytest

from routing.policy_examples import run_examples
from tests.unit.routing.policies import SHIPPED, edited, shipped


@pytest.mark.parametrize("name", SHIPPED)
def test_the_examples_of_a_shipped_policy_hold(name: str) -> None:
    results = run_examples(shipped(name))
    assert results
    assert [(result.name, result.wrong) for result in results if result.wrong] == []


def test_an_example_that_fails_says_what_differs() -> None:
    policy = edited("default", ("name: enterprise, from: 1000", "name: enterprise, from: 501"))
    results = {result.name: result for result in run_examples(policy)}
    assert results["a mid-size company in Texas"].wrong == (
        "to is pool ent-amer, expected pool mm-southwest",
        "segment is enterprise, expected mid_market",
    )
    assert results["a personal address"].wrong == ()


def test_what_became_of_an_example_names_its_segment_where_the_size_is_known() -> None:
    segments = {result.name: result.segment for result in run_examples(shipped())}
    assert segments["a mid-size company in Texas"] == "mid_market"
    assert segments["a personal address"] is None
