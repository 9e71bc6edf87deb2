"""The parts of a working calendar as people write them, each checked where it is read: zone, shift, holidays."""

import re
from difflib import get_close_matches
from functools import lru_cache
from typing import Annotated
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

_WALL = re.compile(r"([01]\d|2[0-3]):[0-5]\d|24:00")


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, OSError, ValueError) as error:  # unknown names, names of folders, names with ".."
        allowed = f"{_zone_meant(name)}Write one such as America/New_York or UTC."
        raise PydanticCustomError(
            "zone.unknown", "{zone} is no time zone", {"zone": repr(name), "allowed": allowed}
        ) from error
    return name


def _zone_meant(name: str) -> str:
    """Return a guess by spelling or city; names of Windows and abbreviations by their own tables."""
    city = name.rpartition("/")[2].strip().replace(" ", "_").lower()
    known = {zone.rpartition("/")[2].lower(): zone for zone in sorted(available_timezones()) if "/" in zone}
    known |= {zone.lower(): zone for zone in known.values()}
    found = _OTHER_NAMES.get(name.strip()) or known.get(name.strip().lower()) or known.get(city)
    if found is None:
        near = get_close_matches(name.lower(), known, n=1, cutoff=0.8)
        found = known[near[0]] if near else None
    return f"Did you mean {found!r}? " if found else ""


_OTHER_NAMES = {
    "IST": "Asia/Kolkata",
    "India Standard Time": "Asia/Kolkata",
    "+05:30": "Asia/Kolkata",
    "PST": "America/Los_Angeles",
    "Pacific Standard Time": "America/Los_Angeles",
    "PT": "America/Los_Angeles",
    "CST": "America/Chicago",
    "Central Standard Time": "America/Chicago",
    "CT": "America/Chicago",
    "ET": "America/New_York",
    "EDT": "America/New_York",
    "Eastern Standard Time": "America/New_York",
    "CEST": "Europe/Berlin",
    "W. Europe Standard Time": "Europe/Berlin",
    "Romance Standard Time": "Europe/Paris",
    "BST": "Europe/London",
    "GMT Standard Time": "Europe/London",
    "Singapore Standard Time": "Asia/Singapore",
}
"""What people and Windows call a zone: the ones that stand in roster files most."""


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
