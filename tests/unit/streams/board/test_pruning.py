"""What is past its time is dropped; what is open, and the figures of the past, stay."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from schemas.decision import DecisionKind
from streams.board import pruning
from streams.board.fold import Seen, fold
from streams.board.pruning import Keep, prune
from streams.board.store import Store
from streams.board.views.funnel import funnel
from tests.unit.streams.board.decisions import AT, decided, seen, settled

KEEP = Keep()
DAY = timedelta(days=1)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(tmp_path / "board.sqlite")
    yield made
    made.close()


def take(store: Store, records: Sequence[Seen]) -> None:
    with store.writing() as connection:
        fold(connection, records, {})


def pruned(store: Store, after: timedelta) -> bool:
    with store.writing() as connection:
        return prune(connection, AT + after, KEEP)


def asked(store: Store, query: str) -> list[Any]:
    return [row[0] for row in store._writer.execute(query)]


def day(leads: int) -> list[Any]:
    """Return leads of one day; every second is closed."""
    rows: list[Any] = [decided(number=number) for number in range(leads)]
    return rows + [decided(DecisionKind.CLOSED, number, 90, None, sla=None) for number in range(0, leads, 2)]


def test_a_closed_lead_goes_after_its_days_and_an_open_one_stays(store: Store) -> None:
    take(store, [*seen(day(6)), *seen([settled(decided(number=0)), settled(decided(number=1))])])
    assert pruned(store, KEEP.closed)
    assert len(asked(store, "SELECT lead_id FROM leads")) == 6
    assert pruned(store, KEEP.closed + DAY)
    assert sorted(asked(store, "SELECT lead_id FROM leads")) == sorted(decided(number=n).lead_id for n in (1, 3, 5))
    assert asked(store, "SELECT lead_id FROM told") == [decided(number=1).lead_id]
    assert asked(store, "SELECT count FROM counts WHERE kind='state'") == [3]
    with store.reading() as connection:
        assert funnel(connection, AT - DAY, AT).counts["closed"] == 3


def test_a_lead_that_nothing_is_decided_on_any_more_goes_and_counts_no_longer(store: Store) -> None:
    take(store, seen([decided()]))
    assert pruned(store, KEEP.still + DAY)
    assert asked(store, "SELECT lead_id FROM leads") == []
    assert asked(store, "SELECT id FROM counts WHERE kind='owner' AND count > 0") == []


def test_many_that_are_past_their_time_go_in_turns(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning, "AT_ONCE", 2)
    take(store, seen(day(6)))
    turns = [pruned(store, KEEP.closed + DAY) for _ in range(3)]
    assert turns == [False, True, True]
    assert len(asked(store, "SELECT lead_id FROM leads")) == 3


def test_counts_notices_and_letters_have_an_end(store: Store) -> None:
    shown = settled(decided(), channel="in_app", is_first=False)
    told = {"dlq_stage": "enrich", "dlq_reason": "not JSON", "dlq_time": AT.isoformat()}
    take(store, [*seen([decided(), shown]), Seen("leads.dlq", 0, 0, b"k", b"{", told)])
    assert pruned(store, DAY)
    tables = ("minutes", "notices", "counts")
    assert all(asked(store, f"SELECT count(*) FROM {table}") != [0] for table in tables)
    assert asked(store, "SELECT count(*) FROM entities") == [1]
    assert pruned(store, KEEP.still + DAY)
    assert pruned(store, KEEP.still + DAY)
    assert [asked(store, f"SELECT count(*) FROM {table}") for table in tables] == [[0]] * 3
    assert asked(store, "SELECT count(*) FROM entities") == [0]
