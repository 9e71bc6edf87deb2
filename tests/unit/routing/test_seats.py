"""What is remembered of a pool between decisions: when it is forgotten, and how it follows what is written."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from routing.docket import Docket
from routing.draft import Draft
from routing.groups import Group, group_key, pool_group
from routing.lead_state import UNKNOWN_LEAD, lead_key
from routing.lineup import Kind, Lineup
from routing.pool_state import Turn, turn_key
from routing.rep_state import rep_key
from routing.seats import Seat, Seats, Turned
from schemas.rep import Backup, Caps
from tests.worked.world import DEFAULT, ROSTER, World, at, on_leave

POOL = "mm-southwest"
KIND = cast(Kind, "of a kind")


def beside(world: World, seats: Seats) -> Docket:
    return Docket(Draft(world.state, at("14:14")), world.policy, "main", "e1", at("14:14"), seats)


def seat(docket: Docket, rep: str) -> Seat:
    return next(one for one in docket.seats.of(docket, POOL) if one.rep == rep)


@pytest.mark.parametrize(
    ("then", "is_known"),
    [
        ((6, "p", "2026-03-10"), True),
        ((5, "p", "2026-03-10"), False),
        ((7, "p", "2026-03-10"), False),
        ((6, "q", "2026-03-10"), False),
        ((6, "p", "2026-03-11"), False),
    ],
    ids=["the next revision", "the same again", "one left out", "another policy", "another day"],
)
def test_a_pool_is_known_until_the_division_is_not_what_was_expected(
    then: tuple[int, str, str], is_known: bool
) -> None:
    seats = Seats()
    docket = beside(World(), seats)
    seats.begin("main", 5, "p", "2026-03-10")
    before = seats.of(docket, POOL)
    assert seats.of(docket, POOL) is before
    seats.begin("main", *then)
    assert (seats.of(docket, POOL) is before) is is_known


def test_the_turns_taken_are_those_of_the_latest_event() -> None:
    seats = Seats()
    seats.turned.append(Turned("main", POOL, "T1", "M1", {}, 1))
    seats.begin("main", 1, "p", "2026-03-10")
    assert seats.turned == []


def test_what_is_written_of_a_member_is_followed_and_lineups_are_told_who_moved() -> None:
    seats = Seats()
    docket = beside(World(), seats)
    lineup = cast(Lineup, SimpleNamespace(moved=set[str]()))
    before = seats.of(docket, POOL)
    seats.keep("main", POOL, KIND, lineup)
    state = docket.rep("M1")
    assert state is not None
    docket.draft.put(rep_key("main", "M1"), replace(state, load=2_100))
    assert (seat(docket, "M1").candidate.load, seat(docket, "M1").state) == (2_100, replace(state, load=2_100))
    assert lineup.moved == {"M1"}
    turn = Turn(1, 2, 100, 0, True, at("14:14"))
    docket.draft.put(turn_key("main", POOL, "M2"), turn)
    docket.draft.put(turn_key("main", "smb-sdr", "M3"), turn)
    assert (seat(docket, "M2").turn, seat(docket, "M2").candidate.last_at) == (turn, at("14:14"))
    assert lineup.moved == {"M1", "M2"}
    docket.draft.put(lead_key("main.x.1"), UNKNOWN_LEAD)
    assert seats.of(docket, POOL) is before
    assert seats.lineup("main", POOL, KIND) is lineup


def test_a_new_row_of_the_roster_or_of_a_group_makes_lineups_anew() -> None:
    seats = Seats()
    docket = beside(World(), seats)
    before = seats.of(docket, POOL)
    state = docket.rep("M1")
    assert state is not None and state.row is not None
    seats.keep("main", POOL, KIND, cast(Lineup, SimpleNamespace(moved=set())))
    docket.draft.put(rep_key("main", "M1"), replace(state, row=replace(state.row, limit=6_000)))
    assert seat(docket, "M1").candidate.limit == 6_000
    assert (seats.lineup("main", POOL, KIND), seats.of(docket, POOL) is before) == (None, True)
    docket.draft.put(group_key("main", pool_group(POOL)), Group(("M2",)))
    assert [one.rep for one in seats.of(docket, POOL)] == ["M2"]


def test_a_lineup_is_kept_by_kind_until_it_is_forgotten() -> None:
    seats = Seats()
    seats.of(beside(World(), seats), POOL)
    lineup = cast(Lineup, SimpleNamespace(moved=set()))
    assert seats.lineup("main", POOL, KIND) is None
    seats.keep("main", POOL, KIND, lineup)
    assert seats.lineup("main", POOL, KIND) is lineup
    assert seats.lineup("main", "smb-sdr", KIND) is None
    seats.keep("main", POOL, KIND, None)
    assert seats.lineup("main", POOL, KIND) is None


@pytest.mark.parametrize(
    ("more", "is_special"),
    [
        ({}, False),
        ({"caps": Caps(day=3)}, True),
        ({"weight": 0.0}, True),
        ({"weight": 0.01}, False),
        ({"absences": on_leave("M1", 20, 22).absences}, True),
        ({"backups": (Backup(rep="M2"),)}, False),
    ],
    ids=["plain", "caps", "no weight", "hardly any weight", "leave to come", "a backup"],
)
def test_who_needs_a_closer_look(more: dict[str, Any], is_special: bool) -> None:
    row = ROSTER["M1"][0].model_copy(update=more)
    docket = beside(World(DEFAULT, changed={"M1": row}), Seats())
    one = seat(docket, "M1")
    assert one.is_special is is_special
    assert (one.candidate.seniority, one.hours is not None, one.away) == ("senior", True, None)
