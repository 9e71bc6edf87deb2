"""Who kills the process is found by halving."""

from pathlib import Path

from streams.inbox import Batch, Inbox
from streams.marker import Marker
from tests.incoming import Made

LOG = 64


def batch_from(first: int, limit: int) -> Batch:
    return Inbox("", ["leads.raw"]).open([Made(offset_=offset) for offset in range(first, min(LOG, first + limit))])


def lives(folder: Path, culprit: int, deaths_at_most: int) -> tuple[list[int], int]:
    """Run a process again and again over a log of which one record kills; return what was set aside, and the deaths."""
    committed, deaths, set_aside = 0, 0, []
    while committed < LOG:
        assert deaths <= deaths_at_most
        marker = Marker(folder)
        while committed < LOG:
            batch = batch_from(committed, marker.limit(16))
            offsets = [event.offset for event in batch.events]
            dead = [offsets[place] for place in marker.culprits(batch)]
            marker.enter(batch)
            if culprit in offsets and culprit not in dead:
                deaths += 1
                break
            marker.leave(batch)
            set_aside += dead
            committed += len(offsets)
        marker.close()
    return set_aside, deaths


def test_only_the_culprit_is_set_aside_wherever_it_is(tmp_path: Path) -> None:
    for culprit in range(LOG):
        set_aside, _ = lives(tmp_path / str(culprit), culprit, deaths_at_most=9)
        assert set_aside == [culprit]


def test_two_deaths_change_nothing_and_the_third_halves(tmp_path: Path) -> None:
    limits = []
    for _ in range(4):
        marker = Marker(tmp_path)
        limits.append(marker.limit(16))
        marker.enter(batch_from(0, marker.limit(16)))
        marker.close()
    assert limits == [16, 16, 16, 8]


def test_a_death_elsewhere_is_not_counted(tmp_path: Path) -> None:
    for _ in range(5):
        marker = Marker(tmp_path)
        batch = batch_from(0, 16)
        marker.enter(batch)
        marker.leave(batch)
        marker.close()
    assert Marker(tmp_path).deaths == 0


def test_an_end_for_another_reason_is_forgiven(tmp_path: Path) -> None:
    marker = Marker(tmp_path)
    marker.enter(batch_from(0, 16))
    marker.forgive()
    marker.close()
    assert Marker(tmp_path).deaths == 0


def test_suspects_that_were_handled_are_cleared(tmp_path: Path) -> None:
    first = Marker(tmp_path)
    first.enter(batch_from(0, 4))
    first.close()
    second = Marker(tmp_path)
    assert second.deaths == 1
    batch = batch_from(0, 4)
    second.enter(batch)
    second.leave(batch)
    assert second.deaths == 0
    second.close()
