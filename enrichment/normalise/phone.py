"""Phone numbers, to E.164. The geocoder of phonenumbers is never imported: 5 s and 200 MB."""

import re
from dataclasses import dataclass
from functools import cache

import phonenumbers
from phonenumbers import PhoneNumberType

_NORTH_AMERICA = 1  # its country code, which 25 countries share

_KINDS = {
    PhoneNumberType.FIXED_LINE: "fixed",
    PhoneNumberType.MOBILE: "mobile",
    PhoneNumberType.FIXED_LINE_OR_MOBILE: "fixed_or_mobile",
    PhoneNumberType.TOLL_FREE: "toll_free",
    PhoneNumberType.PREMIUM_RATE: "premium",
    PhoneNumberType.VOIP: "voip",
}
_BETWEEN = re.compile(r"\s+/\s+|[;,|]|\bor\b")
_ASIDE = re.compile(r"\([^()\d]*\)")
_INTERNATIONAL = re.compile(r"^(?:\+|00|011)\s*\(?[1-9]")


@dataclass(frozen=True, slots=True)
class Phone:
    """A number that its country's plan knows. country: ISO alpha-2, or None ("001" networks). kind: see _KINDS."""

    e164: str
    country: str | None
    kind: str


def parse(text: str, country: str | None) -> Phone | None:
    """Return the number in `text`, read as one of `country` where it has no international prefix. None: no number.

    Of several ("… / …", "… or …") the first.
    """
    found = _parse(text, country)
    if found is None and (plain := _ASIDE.sub(" ", text).strip()) != text:  # "… (mobile)"
        return parse(plain, country)
    if found is None and (first := _BETWEEN.split(text, maxsplit=1)[0]) != text:
        return _parse(first, country)
    return found


def _parse(text: str, country: str | None) -> Phone | None:
    number = _read(text, country)
    if number is None and country is None and not _INTERNATIONAL.match(text):
        number = _read("+" + text, None)
    if number is None:
        return None
    kind = phonenumbers.number_type(number)
    if kind == PhoneNumberType.UNKNOWN:  # no plan knows it: not valid; asking is_valid_number too doubles the cost
        return None
    digits = phonenumbers.national_significant_number(number)
    where = _region_of_area(digits[:3]) if number.country_code == _NORTH_AMERICA else None
    where = where or phonenumbers.region_code_for_number(number)
    return Phone(
        e164=f"+{number.country_code}{digits}",  # E.164 is no more than that; `format_number` takes four times as long
        country=where if where and where != "001" else None,
        kind=_KINDS.get(kind, "other"),
    )


@cache
def _region_of_area(area: str) -> str | None:
    """Return the country of an area code of the North American plan: asked of the library once, not at each number.

    Each code of the plan lies in one of them. There are 800 at most.
    """
    return phonenumbers.region_code_for_number(
        phonenumbers.PhoneNumber(country_code=_NORTH_AMERICA, national_number=int(f"{area}2345678"))
    )


def _read(text: str, country: str | None) -> phonenumbers.PhoneNumber | None:
    if text.startswith("00") and not text.startswith("000"):
        text = "+" + text[2:]
    elif text.startswith("011") and country in (None, "US", "CA"):
        text = "+" + text[3:]
    try:
        return phonenumbers.parse(text[:80], country)
    except phonenumbers.NumberParseException:
        return None
