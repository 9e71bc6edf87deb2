"""The sales region of a country."""

import pytest

from schemas.region import region_of


@pytest.mark.parametrize(
    ("code", "region"), [("US", "amer"), ("BR", "amer"), ("DE", "emea"), ("ZA", "emea"), ("JP", "apac")]
)
def test_a_country_lies_in_the_region_that_sells_to_it(code: str, region: str) -> None:
    assert region_of(code) == region
