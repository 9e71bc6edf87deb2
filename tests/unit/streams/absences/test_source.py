"""Where calendars come from: files, addresses, and servers that don't answer."""

from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from streams.absences.ics import MOST_BYTES, CalendarUnreadable
from streams.absences.source import CalendarsUnreadable, fetched, places_in


async def test_files_and_addresses_are_fetched_and_what_fails_is_said_without_the_address(tmp_path: Path) -> None:
    (tmp_path / "ada.ics").write_bytes(b"from a file")
    application = web.Application()

    async def good(_request: web.Request) -> web.Response:
        return web.Response(body=b"from a server" * 1000)

    async def large(_request: web.Request) -> web.Response:
        return web.Response(body=b"x" * (MOST_BYTES + 10))

    application.add_routes([web.get("/good.ics", good), web.get("/large.ics", large)])
    async with TestServer(application) as server:
        places = {
            "ada": str(tmp_path / "ada.ics"),
            "ben": str(server.make_url("/good.ics")),
            "large": str(server.make_url("/large.ics")),
            "gone": str(server.make_url("/secret-token.ics")),
            "none": str(tmp_path / "none.ics"),
            "dead": "http://127.0.0.1:1/secret-token.ics",
        }
        found = await fetched(places)
    assert (found["ada"], found["ben"]) == (b"from a file", b"from a server" * 1000)
    assert isinstance(found["large"], bytes) and len(found["large"]) == MOST_BYTES + 1
    for name, said in (("gone", "answered 404"), ("none", "cannot be read"), ("dead", "could not be reached")):
        why = found[name]
        assert isinstance(why, CalendarUnreadable)
        assert said in str(why) and "secret" not in str(why)


def test_the_file_of_calendars_maps_people_to_places(tmp_path: Path) -> None:
    file = tmp_path / "calendars.yaml"
    file.write_text("calendars:\n  r-1: ada.ics\n  r-2: https://x.example/b.ics\n")
    assert places_in(file) == {"r-1": str(tmp_path / "ada.ics"), "r-2": "https://x.example/b.ics"}


@pytest.mark.parametrize("text", ["- r-1", "r-1: [a]", "just words", "a: b: c", ""])
def test_a_file_that_is_no_mapping_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "calendars.yaml"
    file.write_text(text)
    with pytest.raises(CalendarsUnreadable):
        places_in(file)
