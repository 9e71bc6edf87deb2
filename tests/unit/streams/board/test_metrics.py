"""What the board tells Prometheus: numbers, and nobody's name."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from schemas.account import Account
from streams.board.fold import fold
from streams.board.store import Store
from streams.intake.api_key import digest
from tests.unit.streams.board.decisions import decided, seen
from tests.unit.streams.board.test_login import board, browser

WEEK_SECONDS = 7 * 86_400


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "board.sqlite")


async def test_the_numbers_need_no_login_and_name_nobody(store: Store) -> None:
    since = datetime.fromtimestamp(datetime.now(UTC).timestamp() - WEEK_SECONDS, UTC)
    letters = seen([None, None, None], topic="leads.dlq", key="k")
    times = (since.isoformat(timespec="milliseconds"), None, "yesterday")
    stated = [replace(one, headers={"dlq_time": at} if at else {}) for one, at in zip(letters, times, strict=True)]
    account = Account(domain="halden.example", name="Halden Group", owner="x-gone", is_named=True)
    with store.writing() as connection:
        fold(connection, [*stated, *seen([account], topic="accounts", key=account.domain), *seen([decided()])], {})
    async with browser(board(store, digests={"ada": digest("k")})) as client:
        said = (await client.get("/metrics")).text
    store.close()
    assert 'leadstream_board_flags{kind="stale account"} 1.0' in said
    assert 'leadstream_board_flags{kind="ghost user"} 0.0' in said
    assert "leadstream_board_dead_letters 3.0" in said  # two state no time: they are counted all the same
    (age,) = re.findall(r"^leadstream_board_dead_letter_age_seconds (\S+)$", said, re.MULTILINE)
    assert WEEK_SECONDS <= float(age) < WEEK_SECONDS + 3_600
    assert not [one for one in ("Halden", "halden", "x-gone", "Acme", decided().lead_id) if one in said]
