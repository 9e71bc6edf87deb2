"""What is remembered of area codes is what the library says of each number."""

import random

import phonenumbers
import pytest

from enrichment.normalise.phone import parse

AREAS = tuple(range(200, 1000))


def numbers_of(area: int, count: int) -> list[phonenumbers.PhoneNumber]:
    """Return valid numbers of an area code of the North American plan, drawn at random; none where it is not given."""
    drawn = random.Random(area)
    made = (phonenumbers.PhoneNumber(1, area * 10**7 + drawn.randint(2_000_000, 9_999_999)) for _ in range(count))
    return [one for one in made if phonenumbers.number_type(one) != phonenumbers.PhoneNumberType.UNKNOWN]


def test_the_country_of_a_north_american_number_is_that_of_its_area_code() -> None:
    seen = 0
    for number in (one for area in AREAS for one in numbers_of(area, 8)):
        text = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        found = parse(text, None)
        assert found is not None
        assert (found.e164, found.country) == (text, phonenumbers.region_code_for_number(number))
        seen += 1
    assert seen > 2_000


@pytest.mark.parametrize(
    "text", ["+39 06 698 1234", "+44 1624 675663", "+7 701 234 5678", "+800 1234 5678", "+1 876 555 0123 ext. 5"]
)
def test_e164_is_what_the_library_writes(text: str) -> None:
    number = phonenumbers.parse(text)
    found = parse(text, None)
    assert found is not None
    assert found.e164 == phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
