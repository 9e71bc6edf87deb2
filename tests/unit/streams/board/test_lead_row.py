"""A lead on the board is a fold of its decisions."""

from datetime import timedelta

import orjson

from schemas.decision import DecisionKind
from schemas.wire import encode
from streams.board.lead_row import MOST_MOVES, LeadRow, Row, after_decision, lead_row
from tests.unit.streams.board.decisions import AT, decided, standing


def folded(*decisions: object) -> LeadRow:
    row: Row | None = None
    for decision in decisions:
        row = after_decision(row, orjson.loads(encode(decision) or b""))
    assert row is not None
    return lead_row(row)


def test_an_assigned_lead_has_an_owner_and_its_next_step() -> None:
    row = folded(decided())
    assert (row.state, row.owner, row.placed_at) == ("assigned", "r-1", AT + timedelta(seconds=1))
    assert (row.next_do, row.next_at) == ("remind_owner", AT + timedelta(seconds=150))


def test_contact_ends_the_countdown_and_keeps_the_owner() -> None:
    contacted = AT + timedelta(seconds=60)
    row = folded(decided(), decided(DecisionKind.CONTACTED, seconds=61, sla=standing(contacted_at=contacted)))
    assert (row.contacted_at, row.next_at, row.owner, row.state) == (contacted, None, "r-1", "assigned")


def test_a_closed_lead_keeps_no_contact() -> None:
    row = folded(decided(), decided(DecisionKind.CLOSED, seconds=90, owner=None, sla=None))
    assert row.contact is None
    assert (row.owner, row.state, row.is_open) == ("r-1", "closed", False)


def test_the_board_keeps_who_it_is_but_not_what_they_wrote() -> None:
    contact = folded(decided()).contact
    assert contact is not None
    assert (contact.name, contact.message, contact.raw) == ("Ada Byron", None, {})


def test_each_change_of_owner_is_remembered_and_those_by_hand_are_counted() -> None:
    row = folded(
        decided(),
        decided(DecisionKind.REASSIGNED, seconds=600, owner="r-2", reason="No contact by r-1."),
        decided(DecisionKind.REASSIGNED, seconds=700, owner="r-3", reason="Moved by ada: knows them."),
    )
    assert (len(row.moved_at), row.by_hand, row.owner) == (2, 1, "r-3")


def test_the_moves_that_are_kept_are_bounded() -> None:
    moves = [
        decided(DecisionKind.REASSIGNED, seconds=number, owner=f"r-{number}") for number in range(2, MOST_MOVES + 10)
    ]
    assert len(folded(decided(), *moves).moved_at) == MOST_MOVES


def test_a_breach_is_dated_by_its_deadline_and_goes_when_it_was_none() -> None:
    late = decided(DecisionKind.ESCALATED, seconds=301, sla=standing(breach="not_contacted", breach_charged_to="r-1"))
    row = folded(decided(), late)
    assert (row.breach, row.charged_to, row.breached_at) == ("not_contacted", "r-1", AT + timedelta(seconds=300))
    learned = decided(DecisionKind.CONTACTED, seconds=310, sla=standing(contacted_at=AT + timedelta(seconds=200)))
    assert folded(decided(), late, learned).breach is None


def test_a_lead_that_comes_again_under_a_closed_id_is_open_again() -> None:
    row = folded(
        decided(), decided(DecisionKind.CLOSED, seconds=90, owner=None, sla=None), decided(seconds=200, touch=2)
    )
    assert row.is_open
    assert row.contact is not None
