"""Records become rows exactly once, in whatever order two topics are read."""

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.decision import DecisionKind
from schemas.delivery import Outcome
from streams.board.batch import row_of
from streams.board.fold import Seen, fold
from streams.board.store import SCHEMA_VERSION, Store, discard
from tests.unit.streams.board.decisions import decided, seen, settled, standing

TABLES = ("leads", "told", "counts", "minutes", "notices", "entities")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(tmp_path / "board.sqlite")
    yield made
    made.close()


def take(store: Store, records: Sequence[Seen]) -> int:
    with store.writing() as connection:
        return fold(connection, records, store.positions())


def rows(connection: sqlite3.Connection) -> dict[str, list[Any]]:
    found = {name: [tuple(row) for row in connection.execute(f"SELECT * FROM {name} ORDER BY 1, 2")] for name in TABLES}
    for name in ("minutes", "counts"):
        found[name] = [row for row in found[name] if row[-1]]
    return found


def day() -> list[Any]:
    """A few leads from arrival to end."""
    records: list[Any] = []
    for number in range(1, 9):
        first = decided(number=number)
        records.append(first)
        if number % 2:
            records.append(decided(DecisionKind.REASSIGNED, number, 600, "r-2", epoch=2))
        if number % 3:
            records.append(decided(DecisionKind.CONTACTED, number, 700, "r-2", sla=standing(breach="not_contacted")))
        if number % 4 == 0:
            records.append(decided(DecisionKind.CLOSED, number, 800, None, sla=None))
    return records


def test_a_record_that_comes_again_changes_nothing(store: Store) -> None:
    records = seen(day())
    take(store, records)
    before = rows(store._writer)
    take(store, records[3:])
    assert rows(store._writer) == before


STEPS = st.lists(st.tuples(st.booleans(), st.integers(1, 6), st.integers(0, 6)), max_size=30)


@settings(max_examples=40, deadline=None)
@given(steps=STEPS)
def test_batches_repeats_and_the_order_of_topics_change_nothing(
    steps: list[tuple[bool, int, int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    decisions = seen(day())
    notices = seen([settled(one) for one in day() if one.kind is DecisionKind.ASSIGNED])
    expected = Store(tmp_path_factory.mktemp("a") / "board.sqlite")
    take(expected, [*decisions, *notices])
    found = Store(tmp_path_factory.mktemp("b") / "board.sqlite")
    left = {True: list(decisions), False: list(notices)}
    for which, count, repeated in steps:
        take(found, left[which][:count])
        del left[which][: max(0, min(count, len(left[which])) - repeated)]  # the rest comes again
    take(found, left[False])
    take(found, left[True])
    assert rows(found._writer) == rows(expected._writer)
    expected.close()
    found.close()


def test_contact_data_goes_with_the_lead(store: Store) -> None:
    take(store, seen([decided()]))
    assert b"ada@acme.example" in _bytes(store)
    take(store, seen([decided(DecisionKind.CLOSED, seconds=90, owner=None, sla=None)], first=1))
    store._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert b"ada@acme.example" not in _bytes(store)
    assert b"Ada Byron" not in _bytes(store)


def test_a_failed_notice_leaves_the_owner_untold_until_one_gets_through(store: Store) -> None:
    first = decided()
    failed = settled(first, outcome=Outcome.FAILED, channel="all", all_failed=True, is_first=False)
    take(store, seen([failed]))
    assert _told(store) == (None, 0, 1)
    take(store, seen([settled(first)], first=1))
    assert _told(store)[1:] == (1, 1)


def test_a_test_lead_counts_nowhere(store: Store) -> None:
    take(store, seen([decided(is_test=True)]))
    assert rows(store._writer)["minutes"] == []


def test_a_record_that_cannot_be_read_is_counted_and_passed_over(store: Store) -> None:
    broken = Seen("leads.assigned", 0, 0, b"p", b"{", {})
    newer = Seen("leads.assigned", 0, 1, b"p", b"{}", {"ce_schemaversion": "99"})
    assert take(store, [broken, newer, *seen([decided()], first=2)]) == 2
    assert len(rows(store._writer)["leads"]) == 1


def test_a_resolved_dead_letter_is_gone(store: Store) -> None:
    take(store, [Seen("leads.dlq", 0, 0, b"k", b"{", {"dlq_stage": "enrich", "dlq_reason": "not JSON"})])
    assert len(rows(store._writer)["entities"]) == 1
    take(store, [Seen("leads.dlq", 0, 1, b"k", None, {"dlq_resolves": "0/0"})])
    assert rows(store._writer)["entities"] == []


def test_of_the_state_of_assign_only_loads_and_turns_are_kept(store: Store) -> None:
    take(
        store, [Seen("state.assign", 0, 0, b"lead/x", b"{}", {}), Seen("state.assign", 0, 1, b"rep/main/r", b"{}", {})]
    )
    assert [row[:2] for row in rows(store._writer)["entities"]] == [("assign.rep", "main/r")]


def test_a_batch_that_fails_leaves_nothing_behind(store: Store) -> None:
    with pytest.raises(KeyError):
        take(store, [*seen([decided()]), Seen("a topic of no fold", 0, 0, b"", b"", {})])
    assert rows(store._writer)["leads"] == []
    assert store.positions() == {}


def test_a_file_of_another_version_is_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "board.sqlite"
    first = Store(path)
    take(first, seen([decided()]))
    first._writer.execute(f"PRAGMA user_version={SCHEMA_VERSION + 1}")
    first.close()
    second = Store(path)
    assert second.id != first.id
    assert second.positions() == {}
    second.close()
    discard(path)
    assert list(tmp_path.iterdir()) == []


def test_a_lead_is_read_back_as_it_was_written(store: Store) -> None:
    take(store, seen([decided()]))
    row = row_of(*store._writer.execute("SELECT row, contact FROM leads").fetchone())
    assert (row.company, row.contact.name if row.contact else None) == ("Acme", "Ada Byron")


def _told(store: Store) -> tuple[Any, ...]:
    found: tuple[Any, ...] = store._writer.execute("SELECT told_at, told_epoch, failed_epoch FROM told").fetchone()
    return found


def _bytes(store: Store) -> bytes:
    files = store.path.parent.iterdir()
    return b"".join(file.read_bytes() for file in files if not file.name.endswith("-shm"))
