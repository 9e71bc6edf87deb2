"""One suite over every strategy: a new one joins by its line in the registry."""

import pytest

from routing.strategies.registry import STRATEGIES
from schemas.policy_pool import Strategy
from tests.property.rotation import Rotating

EVERY = sorted(STRATEGIES)
WEIGHTS = {"a": 150, "b": 100, "c": 50}


def test_the_policy_and_the_registry_name_the_same_strategies() -> None:
    assert set(STRATEGIES) == {strategy.value for strategy in Strategy}


@pytest.mark.parametrize("strategy", EVERY)
def test_a_single_candidate_gets_the_lead(strategy: str) -> None:
    assert Rotating(strategy).turn({"a": 100}) == "a"


@pytest.mark.parametrize("strategy", EVERY)
def test_the_order_of_candidates_changes_nothing(strategy: str) -> None:
    one, other = Rotating(strategy), Rotating(strategy)
    backwards = dict(reversed(WEIGHTS.items()))
    assert [one.turn(WEIGHTS) for _ in range(20)] == [other.turn(backwards) for _ in range(20)]


@pytest.mark.parametrize("strategy", EVERY)
def test_who_is_away_gets_nothing(strategy: str) -> None:
    pool = Rotating(strategy)
    assert "a" not in {pool.turn(WEIGHTS, away=["a"]) for _ in range(12)}


@pytest.mark.parametrize("strategy", EVERY)
def test_everybody_gets_a_turn_when_loads_are_equal(strategy: str) -> None:
    pool = Rotating(strategy)
    assert {pool.turn(WEIGHTS) for _ in range(12)} == set(WEIGHTS)


@pytest.mark.parametrize("strategy", EVERY)
def test_a_tie_goes_to_whoever_waited_longest(strategy: str) -> None:
    pool = Rotating(strategy)
    first = pool.turn({"a": 100, "b": 100})
    assert pool.turn({"a": 100, "b": 100}) != first


def test_least_loaded_overrides_the_rotation() -> None:
    pool = Rotating("least_loaded")
    assert [pool.turn(WEIGHTS, loads={"a": 10, "b": 10}) for _ in range(3)] == ["c", "c", "c"]
