"""What the board holds has a bound, however many leads there were and however often its pages were made."""

import asyncio
import gc
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from schemas.rep import Rep
from streams.board.fold import fold
from streams.board.server import tidied
from streams.board.store import Store
from streams.board.web.board import Board
from streams.board.web.live import _MOST_KEPT
from tests.unit.streams.board.decisions import decided, seen, settled
from tests.unit.streams.board.test_login import StillFollower, board, browser

LEADS = 300  # of a round: more than any list shows; kept by anything, they would be as many objects
PATHS = ("/", "/risk", "/reps", "/waiting", "/missed", "/flags", "/notices", "/letters", "/search?q=acme", "/metrics")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(tmp_path / "board.sqlite")
    with made.writing() as connection:
        fold(connection, seen([Rep(id="r-1", name="Ada")], topic="reps", key="r-1"), {})
    yield made
    made.close()


def more_leads(of: Board, number: int) -> None:
    """Take in the leads of round `number`, each with its decision and its notice."""
    decisions = [decided(number=number * LEADS + one) for one in range(LEADS)]
    with of.store.writing() as connection:
        fold(connection, seen(decisions, first=number * LEADS), {})
        fold(connection, seen(map(settled, decisions), first=number * LEADS), {})
    cast(StillFollower, of.follower).version += 1
    of.live.version += 1


async def test_rounds_of_leads_and_pages_leave_nothing_behind(store: Store) -> None:
    made = board(store, is_open=True)
    held = []
    async with browser(made) as client:
        for number in range(5):
            more_leads(made, number)
            for path in PATHS:
                assert (await client.get(path)).status_code == 200
            gc.collect()
            held.append(len(gc.get_objects()))
    # From the second round on what is loaded, compiled and cached once is there.
    assert held[-1] - held[1] < LEADS, held
    assert len(made.live._parts) <= len(PATHS)


async def test_pages_that_differ_do_not_pile_up(store: Store) -> None:
    made = board(store, is_open=True)
    async with browser(made) as client:
        for number in range(_MOST_KEPT + 40):
            assert (await client.get(f"/search?q=word{number}")).status_code == 200
    assert len(made.live._parts) <= _MOST_KEPT
    assert set(made.live._aging) == {"flags"}


async def test_garbage_in_cycles_does_not_wait_for_the_collector() -> None:
    class Page:
        macro: object

    gc.disable()
    tidying = asyncio.create_task(tidied(0.01))
    try:
        let_go = asyncio.Event()
        page = Page()
        page.macro = page
        known = weakref.ref(page, lambda _: let_go.set())
        del page
        assert known() is not None
        await asyncio.wait_for(let_go.wait(), 60)
    finally:
        gc.enable()
        tidying.cancel()
