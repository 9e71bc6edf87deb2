"""The parts of a working calendar as people write them, each checked where it is read: zone, shift, holidays."""

import re
from functools import lru_cache
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

_WALL = re.compile(r"([01]\d|2[0-3]):[0-5]\d|24:00")


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, OSError, ValueError) as error:  # unknown names, names of folders, names with ".."
        allowed = "Write one such as America/New_York or UTC."
        raise PydanticCustomError(
            "zone.unknown", "{zone} is no time zone", {"zone": repr(name), "allowed": allowed}
        ) from error
    return name


def _shift(shift: tuple[str, str]) -> tuple[str, str]:
    start, end = shift
    for wall in shift:
        if not _WALL.fullmatch(wall):
            allowed = 'Write times as "09:00"; the end of a day is "24:00".'
            raise PydanticCustomError(
                "calendar.time", "{wall} is no time of day", {"wall": repr(wall), "allowed": allowed}
            )
    if end <= start:
        says = "the shift {start} to {end} ends before it starts"
        allowed = 'Split a night shift at "24:00" and "00:00".'
        raise PydanticCustomError("calendar.shift", says, {"start": start, "end": end, "allowed": allowed})
    return shift


@lru_cache(maxsize=512)
def _holiday_code(code: str) -> str:
    import holidays  # not every process that reads a roster looks at days

    country, _, subdivision = code.partition("-")
    try:
        whole = holidays.country_holidays(country)
    except NotImplementedError as error:
        raise _unknown_holidays(code, "Write countries as US, parts of them as US-TX or DE-BY.") from error
    if subdivision and subdivision not in whole.subdivisions:
        raise _unknown_holidays(
            code, f"Known of {country}: {', '.join(whole.subdivisions) or 'the whole country only'}."
        )
    return code


def _unknown_holidays(code: str, allowed: str) -> PydanticCustomError:
    says = "the public holidays of {code} are not known"
    return PydanticCustomError("calendar.holidays", says, {"code": repr(code), "allowed": allowed})


Zone = Annotated[str, AfterValidator(_zone)]
"""A name of the IANA time zone database."""

Shift = Annotated[tuple[str, str], AfterValidator(_shift)]
"""Start and end of a shift as "HH:MM" local time of one day; the end may be "24:00"."""

HolidayCode = Annotated[str, AfterValidator(_holiday_code)]
"""Whose public holidays: a country, or a subdivision of it."""
