"""A turn: who gets it among equals, what it writes, and what a level near the store's limit does."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from routing.candidates import Survey
from routing.docket import Docket
from routing.draft import Draft
from routing.picking import Pick, draw_hash, pick, take_turn, tie, tie_hash
from routing.policy import Policy, compile_policy
from routing.pool_state import LEVEL_LIMIT, LaneDay, PoolState, Turn, pool_key, turn_key
from routing.replay import Memory
from routing.seats import Seat, Seats
from routing.strategies.candidate import Asked, Candidate
from tests.worked.world import DEFAULT

NOW = datetime(2026, 3, 10, 18, 14, tzinfo=UTC)
POLICY = compile_policy(DEFAULT)
CATCHING_UP = compile_policy(DEFAULT + "\noptions: {vacation_catch_up: true}\n")
CAPPED = compile_policy(DEFAULT.replace("  mm-southwest:\n", "  mm-southwest:\n    caps: {day: 9}\n", 1))
LANED = compile_policy(DEFAULT.replace("    strategy: weighted\n", "    strategy: weighted\n    senior_lane: {}\n"))
POOL = "mm-southwest"


class Table:
    """A pool's counters and turns, and one pick among its members."""

    def __init__(self, state: PoolState | None = None, policy: Policy = POLICY, **turns: Turn) -> None:
        self.memory = Memory()
        self.policy = policy
        self.turns = turns
        if state is not None:
            self.memory.values[pool_key("main", POOL)] = state
        for rep, turn in turns.items():
            self.memory.values[turn_key("main", POOL, rep)] = turn

    def pick(self, *fit: Candidate, strategy: str = "weighted", tier: str = "T2", **refused: str) -> Pick:
        self.seats = Seats()
        docket = Docket(Draft(self.memory, NOW), self.policy, "main", "e1", NOW, self.seats)
        names = [*(one.rep for one in fit), *refused]
        seats = [
            Seat(rep, None, None, None, False, None, Candidate(rep, 0, 0, 0), self.turns.get(rep)) for rep in names
        ]
        found = Survey(POOL, list(fit), refused, seats)
        pool, asked = self.policy.file.pools[POOL], Asked(tier)
        picked = pick(docket, pool, found, asked, strategy, "lead-1")
        take_turn(docket, pool, picked, asked)
        self.memory.fold(docket.draft.effects())
        return picked

    def turn(self, rep: str) -> Turn:
        found: Turn = self.memory.values[turn_key("main", POOL, rep)]
        return found

    @property
    def state(self) -> PoolState:
        found: PoolState = self.memory.values[pool_key("main", POOL)]
        return found


def one(rep: str, weight: int = 100, **more: Any) -> Candidate:
    return Candidate(rep, weight, more.pop("load", 0), 4000, **more)


def ago(minutes: int) -> datetime:
    return NOW - timedelta(minutes=minutes)


def test_a_first_turn_seats_everybody_and_moves_the_winner_on() -> None:
    table = Table()
    picked = table.pick(one("a", 150), one("b", 50))
    assert (picked.rep, picked.tied, table.state) == ("a", 1, PoolState(level=3, base=600, turns=1))
    assert table.turn("a") == Turn(start=4, base=600, weight=150, given=1, last_at=NOW)
    assert table.turn("b") == Turn(start=0, base=600, weight=50, given=0, last_at=None)
    assert picked.counters == {"pool": {"turns": [0, 1], "level": ["0/600", "3/600"]}, "rep": {"turns": [0, 1]}}
    (turned,) = table.seats.turned
    assert (turned.rep, turned.shares, turned.total, turned.tier) == ("a", {"a": 150, "b": 50}, 200, "T2")


def test_counters_go_on_from_what_was_given() -> None:
    table = Table(PoolState(level=600, base=600, turns=7), a=Turn(600, 600, 100, 3), b=Turn(606, 600, 100, 4))
    picked = table.pick(one("a"), one("b", last_at=ago(5)))
    assert picked.rep == "a"
    assert table.turn("a") == Turn(606, 600, 100, 4, True, NOW)
    assert table.turn("b") == Turn(606, 600, 100, 4)  # seated already: not written again
    assert picked.counters["rep"] == {"turns": [3, 4]}
    assert picked.counters["pool"]["turns"] == [7, 8]


@pytest.mark.parametrize(
    ("last", "among"),
    [
        pytest.param((None, None, None), "abc", id="none had a turn"),
        pytest.param((ago(3), None, None), "bc", id="two never had one"),
        pytest.param((ago(3), ago(9), ago(5)), "b", id="the longest ago"),
        pytest.param((ago(3), ago(9), ago(9)), "bc", id="two equally long ago"),
    ],
)
def test_a_tie_goes_to_who_waited_longest_else_to_the_recorded_draw(
    last: tuple[datetime | None, ...], among: str
) -> None:
    three = [one(rep, last_at=at) for rep, at in zip("abc", last, strict=True)]
    expected = among[int(draw_hash("lead-1"), 16) % len(among)]
    for fit in (three, three[::-1]):
        picked = Table().pick(*(replace(row) for row in fit), strategy="least_loaded")
        assert (picked.rep, picked.tied) == (expected, len(among))


@pytest.mark.parametrize("last", [(ago(3), ago(9)), (ago(3), None)])
def test_of_two_alike_whoever_waited_longer_gets_the_lead(last: tuple[datetime | None, ...]) -> None:
    fit = [one(rep, last_at=at) for rep, at in zip("ab", last, strict=True)]
    picked = Table().pick(*fit, strategy="least_loaded")
    assert (picked.rep, picked.tied) == ("b", 1)


def test_hashes_of_a_tie_are_sixteen_digits_and_differ_by_lead_and_by_rep() -> None:
    assert len({draw_hash("lead-1"), draw_hash("lead-2"), tie_hash("lead-1", "a"), tie_hash("lead-1", "b")}) == 4
    assert {len(draw_hash("lead-1")), len(tie_hash("lead-1", "a"))} == {16}
    assert tie("lead-1", 1) == {}
    assert tie("lead-1", 2) == {"tie": draw_hash("lead-1"), "among": 2}


def test_who_is_refused_keeps_what_is_owed_and_gains_nothing() -> None:
    seated = {"a": Turn(590, 600, 100, 3), "b": Turn(596, 600, 100, 3), "c": Turn(10, 600, 100, 1, False)}
    table = Table(PoolState(600, 600, 9), **seated)
    picked = table.pick(one("a"), b="full", c="full", d="full")
    assert picked.rep == "a"
    assert table.turn("b") == Turn(4, 600, 100, 3, False)
    assert table.turn("c") == seated["c"]
    assert turn_key("main", POOL, "d") not in table.memory.values


@pytest.mark.parametrize(
    ("policy", "why", "keeps_turns"),
    [
        pytest.param(POLICY, "absent", False, id="as shipped"),
        pytest.param(CATCHING_UP, "absent", True, id="catching up"),
        pytest.param(CATCHING_UP, "leave before the contact deadline", True, id="catching up before leave"),
        pytest.param(CATCHING_UP, "full", False, id="full, not on leave"),
    ],
)
def test_who_is_on_leave_goes_on_being_owed_where_the_policy_lets_them_catch_up(
    policy: Policy, why: str, keeps_turns: bool
) -> None:
    table = Table(PoolState(600, 600, 9), policy, a=Turn(600, 600, 100), b=Turn(600, 600, 100))
    table.pick(one("a"), b=why)
    assert table.turn("b").is_seated is keeps_turns
    assert table.state.level == 600 + (3 if keeps_turns else 6)  # a turn is shared by two, or by one
    if keeps_turns:
        assert table.seats.turned[0].total == 200


def test_who_is_on_leave_and_was_not_eligible_before_is_owed_nothing_of_this_turn() -> None:
    table = Table(PoolState(600, 600, 9), CATCHING_UP, a=Turn(600, 600, 100), b=Turn(3, 600, 100, 1, False))
    table.pick(one("a"), b="absent", c="absent")
    assert table.state.level == 606
    assert table.turn("b") == Turn(3, 600, 100, 1, False)


def test_a_level_beyond_the_stores_limit_is_brought_back_and_distances_stay() -> None:
    top = LEVEL_LIMIT
    turns = {"a": Turn(top - 10, 600, 100), "b": Turn(top - 4, 600, 100), "c": Turn(top - 7, 600, 100)}
    table = Table(PoolState(top, 600, 9), CATCHING_UP, **turns)
    picked = table.pick(one("a"), one("b"), c="absent")
    level = table.state.level
    assert (picked.rep, level) == ("a", 12)  # a third of a turn over 600, from a's place on
    assert [level - table.turn(rep).start for rep in "abc"] == [6, 6, 9]
    assert [table.turn(rep).base for rep in "abc"] == [600, 600, 600]


def test_a_level_at_the_limit_is_left_alone() -> None:
    table = Table(PoolState(LEVEL_LIMIT - 6, 600, 9), a=Turn(LEVEL_LIMIT - 6, 600, 100))
    table.pick(one("a"))
    assert table.state.level == LEVEL_LIMIT


def test_a_turn_of_another_base_or_weight_is_brought_to_this_ones() -> None:
    table = Table(PoolState(600, 600), a=Turn(100, 100, 100), b=Turn(600, 600, 50), c=Turn(598, 600, 100))
    picked = table.pick(one("a"), one("b"), one("c"))
    assert picked.rep == "c"
    assert {rep: table.turn(rep).weight for rep in "abc"} == {"a": 100, "b": 100, "c": 100}
    assert table.turn("b") == Turn(600, 600, 100)
    assert table.turn("a") == Turn(100, 100, 100)  # the same place, over another base: not written
    assert table.turn("c").start == 604


def test_a_capped_pool_counts_its_leads() -> None:
    table = Table(None, CAPPED)
    table.pick(one("a"))
    table.turns = {"a": table.turn("a")}
    table.pick(one("a"))
    (used,) = table.state.used.values()
    assert (used.window, used.leads, list(table.state.used)) == ("2026-03-10", 2, ["day"])


SENIOR, JUNIOR = {"seniority": "senior"}, {"seniority": "normal"}


@pytest.mark.parametrize(
    ("tier", "juniors", "had", "rep", "lane"),
    [
        pytest.param("T1", ("b",), LaneDay(3, 0), "a", "senior lane", id="a hot lead"),
        pytest.param("T1", ("b",), LaneDay(9, 0), "b", "junior floor", id="the tenth"),
        pytest.param("T1", (), LaneDay(9, 0), "a", "senior lane", id="the tenth without juniors"),
        pytest.param("T2", ("b",), LaneDay(9, 0), "b", None, id="a warm lead"),
    ],
)
def test_hot_leads_are_for_seniors_and_every_fifth_from_the_tenth_on_for_others(
    tier: str, juniors: tuple[str, ...], had: LaneDay, rep: str, lane: str | None
) -> None:
    """Seniors by load against limit, others by turns: `a` has more load than `b`, `b` the next turn."""
    state = PoolState(600, 600, 9, {"2026-03-10": had})
    turns = {"a": Turn(606, 600, 100, 1), "b": Turn(590, 600, 100, 1), "c": Turn(580, 600, 100, 1)}
    table = Table(state, LANED, **turns)
    rows = [one("a", load=20, **SENIOR), one("c", load=30, **SENIOR), *(one(name, **JUNIOR) for name in juniors)]
    picked = table.pick(*(rows if tier == "T1" else [rows[0], *rows[2:]]), tier=tier)
    assert (picked.rep, picked.lane) == (rep, lane)
    seniors_say = "available seniors first, least loaded"
    assert (picked.says == seniors_say) is (lane == "senior lane")
    is_junior = rep == "b"
    after = LaneDay(had.all + 1, had.junior + is_junior) if tier == "T1" else had
    assert table.state.lane == {"2026-03-10": after}


def test_a_hot_lead_without_seniors_takes_a_turn_of_all_and_is_counted_as_theirs() -> None:
    table = Table(None, LANED)
    picked = table.pick(one("b", **JUNIOR), tier="T1")
    assert (picked.rep, picked.lane) == ("b", None)
    assert table.state.lane == {"2026-03-10": LaneDay(1, 1)}
