"""Law of bytes: a log gives the same decisions, journal and state in any process, hash seed, locale and zone."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings

from tests.property.history import Move, digest_of, moves, played

ROOT = Path(__file__).parents[2]
ENVIRONMENTS = (
    {"PYTHONHASHSEED": "0", "LC_ALL": "C", "TZ": "UTC"},
    {"PYTHONHASHSEED": "4242", "LC_ALL": "C.UTF-8", "TZ": "Asia/Kolkata"},
)


class Player:
    """A process that plays logs."""

    def __init__(self, environ: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.property.player"],
            cwd=ROOT,
            env={**os.environ, **environ},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def digest(self, log: list[Move]) -> str:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None and stdout is not None
        print(json.dumps(log), file=stdin, flush=True)
        answer = stdout.readline()
        assert answer, f"the player ended with {self._process.wait(120)}"
        return answer.strip()

    def end(self) -> None:
        self._process.communicate(timeout=120)


@pytest.fixture(scope="module")
def players() -> Iterator[list[Player]]:
    started = [Player(environ) for environ in ENVIRONMENTS]
    yield started
    for player in started:
        player.end()


@settings(max_examples=8, deadline=None)
@given(log=moves())
def test_one_log_gives_the_same_bytes_in_every_process(players: list[Player], log: list[Move]) -> None:
    here = digest_of(played(log))
    assert [player.digest(log) for player in players] == [here, here]


def test_logs_that_differ_are_told_apart(players: list[Player]) -> None:
    log: list[Move] = [("lead", 1, 0), ("lead", 2, 1)]
    assert len({players[0].digest(log), players[0].digest(log[:1]), players[0].digest(log[::-1])}) == 3
