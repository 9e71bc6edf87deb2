"""The common base of a rotation: exact as long as it fits, never past what the store can hold."""

import pytest

from routing.pool_state import BASE_LIMIT, Turn, finer, place


@pytest.mark.parametrize(("base", "weights", "total"), [(1, {150, 100, 50}, 300), (300, {70}, 70), (7, {100}, 300)])
def test_a_base_that_fits_is_divided_by_every_weight_and_their_sum(base: int, weights: set[int], total: int) -> None:
    found = finer(base, weights, total)
    assert found % base == 0
    assert all(found % each == 0 for each in (*weights, total))


def test_a_base_that_would_pass_the_limit_grows_by_a_whole_factor_and_then_stays() -> None:
    primes = {99_991, 99_989, 99_971, 99_961}
    grown = finer(1_000, primes, sum(primes))
    assert grown % 1_000 == 0
    assert BASE_LIMIT - 1_000 < grown <= BASE_LIMIT
    assert finer(grown, primes, sum(primes)) == grown
    edge = BASE_LIMIT >> 8
    assert finer(edge, primes, sum(primes)) == edge
    assert finer(edge - 1, primes, sum(primes)) > edge


def test_a_base_of_the_limit_itself_still_fits() -> None:
    assert finer(BASE_LIMIT >> 1, {BASE_LIMIT}, 1) == BASE_LIMIT


def test_a_newcomer_starts_at_the_level_and_who_returns_with_what_was_owed() -> None:
    assert place(None, 100, 600, 300) == 600
    assert place(Turn(start=100, base=300, weight=100), 100, 600, 300) == 100
    assert place(Turn(start=50, base=300, weight=100, is_seated=False), 100, 600, 300) == 550
    assert place(Turn(start=300, base=300, weight=100), 50, 600, 300) == 0
