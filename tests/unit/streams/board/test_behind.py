"""A board that does not show all that happened says so, on every page, whole or in part."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pytest

from schemas.rep import Rep
from streams.board.fold import fold
from streams.board.lag import Lag
from streams.board.store import Store
from streams.board.web.board import Board
from streams.board.web.pages import FURTHER, PAGES
from tests.unit.streams.board.decisions import decided, seen
from tests.unit.streams.board.test_login import StillFollower, board, browser

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
NOTICES = {
    "behind": (Lag(records=4_200, seconds=34, since=NOON), "34 s behind"),
    "away": (Lag(away_since=NOON), "Kafka has not answered since"),
    "catching up": (Lag(records=9_000, seconds=900, since=NOON, catching_up=9_000), "9,000 records to go"),
}
PATHS = [page.path.format(lead_id=decided().lead_id, rep_id="r-1") for page in (*PAGES, *FURTHER)]


def with_lag(store: Store, lag: Lag) -> Board:
    made = board(store, is_open=True)
    cast(StillFollower, made.follower).lag = lag
    return made


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(tmp_path / "board.sqlite")
    with made.writing() as connection:
        fold(connection, [*seen([decided()]), *seen([Rep(id="r-1", name="Ada")], topic="reps", key="r-1")], {})
    yield made
    made.close()


@pytest.mark.parametrize("kind", NOTICES)
async def test_every_page_says_how_far_it_is_behind(store: Store, kind: str) -> None:
    lag, words = NOTICES[kind]
    assert lag.notice == kind
    async with browser(with_lag(store, lag)) as client:
        for path in (*PATHS, "/leads/main.unknown.1"):
            assert words in (await client.get(path)).text, path
        for path in PATHS:
            part = (await client.get(path, headers={"HX-Request": "true"})).text
            assert words in part, path
            assert "<html" not in part


async def test_a_board_that_is_up_to_date_says_nothing(store: Store) -> None:
    async with browser(board(store, is_open=True)) as client:
        for path in PATHS:
            answer = await client.get(path)
            assert answer.status_code == 200
            assert 'id="behind"' not in answer.text, path


async def test_browsers_hear_of_it_when_nothing_else_is_new(store: Store) -> None:
    made = with_lag(store, Lag())
    events = made.live.events()
    assert [await anext(events), await anext(events)] == [
        b"retry: 1000\n\n",
        b'event: changed\ndata: {"version":0}\n\n',
    ]
    cast(StillFollower, made.follower).lag = NOTICES["behind"][0]
    async with asyncio.timeout(60):
        assert b'"version":1' in await anext(events)
    await events.aclose()
