"""The order of turns kept between decisions, against what sorting anew gives."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.turn_order import NEVER, Spot, TurnOrder

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


def row(place: int) -> bytes:
    return b"%d" % place


def spot(due: int, start: int | None = None, waited: int = 0) -> Spot:
    return Spot(due, NOON + timedelta(minutes=waited), start)


def order(*spots: Spot, ahead: int | None = None) -> TurnOrder:
    made = TurnOrder()
    for place, one in enumerate(spots):
        made.put(place, one)
    if ahead is not None:
        made.advance(ahead)
    return made


def test_a_member_that_stays_is_told_from_one_that_moves() -> None:
    turns = order(spot(3))
    assert not turns.put(0, spot(3))
    assert turns.put(0, spot(4))
    assert turns.spot(0) == spot(4)


def test_the_row_of_who_is_put_again_is_made_anew() -> None:
    turns, made = order(spot(1), spot(2), spot(3)), []

    def noted(place: int) -> bytes:
        made.append(place)
        return row(place)

    assert turns.nearest(2, 0, noted) == [b"1", b"2"]
    turns.nearest(2, 0, noted)
    assert made == [0, 1, 2]
    turns.put(1, spot(2))
    turns.nearest(2, 0, noted)
    assert made == [0, 1, 2, 1]


@pytest.mark.parametrize(
    ("due", "ahead", "first"),
    [(20, None, 1), (20, 5, 1), (20, 6, 0), (8, 100, 0)],
    ids=["none released", "just before", "one released", "all released"],
)
def test_a_released_turn_comes_before_one_that_falls_due_earlier(due: int, ahead: int | None, first: int) -> None:
    turns = order(spot(due, start=5), spot(10, start=50), ahead=ahead)
    assert turns.first(0) == first
    assert turns.tied() == 1


def test_a_turn_put_at_the_level_itself_is_not_released_yet() -> None:
    turns = TurnOrder()
    turns.advance(5)
    turns.put(0, spot(9, start=4))
    turns.put(1, spot(8, start=5))
    assert turns.first(0) == 0


def test_ties_are_of_equal_due_and_equal_wait_by_place() -> None:
    turns = order(spot(5, waited=1), spot(5), spot(5), spot(6))
    assert turns.tied() == 2
    assert [turns.first(number) for number in range(2)] == [1, 2]


def test_who_never_had_a_turn_comes_before_who_had_one() -> None:
    turns = order(spot(5), Spot(5, NEVER, None))
    assert (turns.first(0), turns.tied()) == (1, 1)


def test_who_moves_while_they_wait_is_released_by_their_new_start_alone() -> None:
    turns = order(spot(20, start=5), spot(30, start=40))
    turns.put(0, spot(40, start=25))
    turns.advance(20)
    assert turns.nearest(2, 1, row) == [b"0"]
    assert not turns.is_ready(turns.spot(0))
    turns.advance(26)
    assert turns.is_ready(turns.spot(0))
    assert turns.first(0) == 0


def test_the_nearest_are_the_released_then_the_others_without_the_winner() -> None:
    turns = order(spot(9, start=1), spot(4, start=1), spot(3, start=50), spot(2, start=60), ahead=10)
    assert turns.nearest(9, 1, row) == [b"0", b"3", b"2"]
    assert turns.nearest(2, 1, row) == [b"0", b"3"]
    assert turns.nearest(1, 0, row) == [b"1"]
    assert turns.nearest(3, 3, row) == [b"1", b"0", b"2"]
    assert turns.nearest(2, 2, row) == [b"1", b"0"]


SPOTS = st.builds(
    Spot,
    st.integers(0, 6),
    st.integers(0, 3).map(lambda minute: NOON + timedelta(minutes=minute)),
    st.none() | st.integers(0, 12),
)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 5), SPOTS, st.integers(0, 2)), min_size=1, max_size=25),
    st.integers(1, 7),
)
def test_the_order_is_that_of_sorting_anew_after_any_changes(moves: list[tuple[int, Spot, int]], most: int) -> None:
    turns, known, ahead = TurnOrder(), dict[int, Spot](), 0
    turns.advance(ahead)
    for place, one, further in moves:
        turns.put(place, one)
        known[place] = one
        ahead += further
        turns.advance(ahead)
        late = {at: one.start is not None and one.start >= ahead for at, one in known.items()}
        best = min((late[at], one.due, one.last_at) for at, one in known.items())
        first = sorted(at for at, one in known.items() if (late[at], one.due, one.last_at) == best)
        assert [turns.first(number) for number in range(turns.tied())] == first
        near = sorted((late[at], one.due, at) for at, one in known.items())
        for winner in known:
            expected = [b"%d" % at for _, _, at in near if at != winner][:most]
            assert turns.nearest(most, winner, row) == expected
