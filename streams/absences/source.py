"""Where people's calendars are: a file that names each one's ICS file or secret address, and how it is fetched."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import aiohttp
import yaml
from pydantic import TypeAdapter, ValidationError

from streams.absences.ics import MOST_BYTES, CalendarUnreadable

_SECONDS = 20.0
_AT_ONCE = 8
_NAMES = TypeAdapter(dict[str, str])


class CalendarsUnreadable(ValueError):
    """The file of calendars is no mapping of rep ids to paths or https addresses. The message says what is wrong."""


def places_in(path: Path) -> dict[str, str]:
    """Return rep id -> path or address. A relative path is seen from the file's folder. Raises CalendarsUnreadable."""
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
        names = _NAMES.validate_python(data.get("calendars", data) if isinstance(data, dict) else data, strict=True)
    except (yaml.YAMLError, UnicodeDecodeError, ValidationError) as error:
        raise CalendarsUnreadable(f"{path} is no mapping of rep ids to ICS files or addresses") from error
    return {rep: name if is_address(name) else str(path.parent / name) for rep, name in names.items()}


def is_address(place: str) -> bool:
    return place.startswith(("https://", "http://"))


async def fetched(places: Mapping[str, str]) -> dict[str, bytes | CalendarUnreadable]:
    """Return each person's calendar, or why it could not be had. Addresses are secrets: no message holds one."""
    limit = asyncio.Semaphore(_AT_ONCE)
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_SECONDS)) as session:

        async def one(place: str) -> bytes | CalendarUnreadable:
            async with limit:
                return await _over_http(session, place) if is_address(place) else await asyncio.to_thread(_file, place)

        found = await asyncio.gather(*(one(place) for place in places.values()))
    return dict(zip(places, found, strict=True))


async def _over_http(session: aiohttp.ClientSession, address: str) -> bytes | CalendarUnreadable:
    try:
        async with session.get(address) as answer:
            if answer.status != 200:
                return CalendarUnreadable(f"its server answered {answer.status}")
            body = await answer.content.read(MOST_BYTES + 1)
            while len(body) <= MOST_BYTES and (more := await answer.content.read(MOST_BYTES + 1 - len(body))):
                body += more
            return body
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        return CalendarUnreadable(f"its server could not be reached ({type(error).__name__})")


def _file(place: str) -> bytes | CalendarUnreadable:
    try:
        return Path(place).read_bytes()
    except OSError as error:
        return CalendarUnreadable(f"its file cannot be read ({error.strerror})")
