"""The weights, ranks, lanes and floors that strategies are made of, number by number."""

from dataclasses import replace
from datetime import date

import pytest

from routing.pool_state import LaneDay
from routing.rep_state import RosterRow
from routing.strategies.candidate import NO_LIMIT_RANK, ROUNDING_BITS, Asked, Candidate, Rotation, due_first, load_share
from routing.strategies.lane import counted, junior_is_due, recent
from routing.strategies.performance import merit
from routing.strategies.registry import STRATEGIES
from schemas.policy_pool import Performance, SeniorLane

TODAY = date(2026, 3, 30)
PLAN = SeniorLane(junior_floor=0.2, floor_days=30, floor_from=10)


def days(seniors: int, juniors: int, day: str = "2026-03-30") -> dict[str, LaneDay]:
    return {day: LaneDay(seniors + juniors, juniors)}


@pytest.mark.parametrize(
    ("lane", "is_due"),
    [
        pytest.param({}, False, id="the first hot lead"),
        pytest.param(days(8, 0), False, id="the ninth"),
        pytest.param(days(9, 0), True, id="the tenth, none of them a junior's"),
        pytest.param(days(8, 1), True, id="the tenth, one of them a junior's"),
        pytest.param(days(7, 2), False, id="the tenth, two: a fifth exactly"),
        pytest.param(days(8, 2), True, id="the eleventh, two: less than a fifth"),
        pytest.param(days(8, 0, "2026-03-29") | days(1, 0), True, id="over two days"),
        pytest.param(days(9, 0, "2026-03-01"), True, id="the first of the last 30 days"),
        pytest.param(days(9, 0, "2026-02-28"), False, id="the day before those"),
    ],
)
def test_the_floor_binds_from_the_tenth_hot_lead_of_the_last_thirty_days(
    lane: dict[str, LaneDay], is_due: bool
) -> None:
    assert junior_is_due(lane, TODAY, PLAN) is is_due


def test_a_shorter_floor_looks_at_fewer_days() -> None:
    lane = days(9, 0, "2026-03-29")
    assert junior_is_due(lane, TODAY, PLAN.model_copy(update={"floor_days": 2}))
    assert not junior_is_due(lane, TODAY, PLAN.model_copy(update={"floor_days": 1}))


@pytest.mark.parametrize("floor", [0.07, 0.29, 0.57])
def test_a_floor_in_whole_percent_is_exact(floor: float) -> None:
    plan = PLAN.model_copy(update={"junior_floor": floor, "floor_from": 1})
    juniors = round(floor * 100)
    assert not junior_is_due(days(99 - juniors, juniors), TODAY, plan)
    assert junior_is_due(days(100 - juniors, juniors - 1), TODAY, plan)


def test_a_floor_of_half_is_missed_by_less_than_a_percent() -> None:
    plan = PLAN.model_copy(update={"junior_floor": 0.5})
    assert junior_is_due(days(100, 100), TODAY, plan)  # with this one 100 of 201
    assert not junior_is_due(days(99, 100), TODAY, plan)


def test_no_floor_keeps_no_lead_from_seniors() -> None:
    assert not junior_is_due(days(99, 0), TODAY, PLAN.model_copy(update={"junior_floor": 0.0}))


def test_of_hot_leads_thirty_days_are_kept_today_the_last() -> None:
    lane = days(1, 0, "2026-02-28") | days(2, 1, "2026-03-01") | days(3, 0)
    assert recent(lane, TODAY) == days(2, 1, "2026-03-01") | days(3, 0)


@pytest.mark.parametrize(
    ("lane", "is_senior", "today"),
    [
        ({}, True, LaneDay(1, 0)),
        ({}, False, LaneDay(1, 1)),
        (days(2, 1), True, LaneDay(4, 1)),
        (days(2, 1), False, LaneDay(4, 2)),
    ],
)
def test_a_hot_lead_is_counted_today(lane: dict[str, LaneDay], is_senior: bool, today: LaneDay) -> None:
    before = days(1, 0, "2026-03-29") | days(5, 5, "2026-02-01")
    assert counted(before | lane, TODAY, is_senior) == days(1, 0, "2026-03-29") | {"2026-03-30": today}


ROW = RosterRow()


@pytest.mark.parametrize(
    ("close", "activity", "permille"),
    [
        pytest.param(None, None, None, id="nothing known"),
        pytest.param(300, None, 300, id="close rate alone"),
        pytest.param(None, 700, 700, id="activity alone"),
        pytest.param(300, 700, 400, id="a quarter activity"),
        pytest.param(301, 702, 401, id="rounded down"),
        pytest.param(0, 400, 100, id="never closed"),
    ],
)
def test_merit_is_what_is_known_of_close_and_activity_rate(
    close: int | None, activity: int | None, permille: int | None
) -> None:
    row = replace(ROW, close_permille=close, activity_permille=activity)
    assert merit(row, Performance(activity_weight=0.25)) == permille


def test_a_larger_share_of_activity_counts_for_more() -> None:
    assert merit(replace(ROW, close_permille=0, activity_permille=1000), Performance(activity_weight=0.6)) == 600


def pool(*merits: int | None, load: int = 0) -> list[Candidate]:
    return [
        Candidate(rep, 150 if at == 0 else 100, load, 1000, merit=known)
        for at, (rep, known) in enumerate(zip("abcdefghij", merits, strict=False))
    ]


def weights(candidates: list[Candidate], asked: Asked) -> list[int]:
    return list(STRATEGIES["performance"].weights(candidates, asked))


GOOD = Asked("T1", is_high_quality=True, performance=Performance(best_share=0.4, bonus=0.3, coach_share=0.4))
BOTH = replace(GOOD, is_to_learn_on=True)
TO_LEARN = replace(GOOD, is_high_quality=False, is_to_learn_on=True)


@pytest.mark.parametrize(
    ("merits", "asked", "expected"),
    [
        pytest.param((500, 400, 300, 200, 100), GOOD, [195, 130, 100, 100, 100], id="the best two of five"),
        pytest.param((100, 200, 300, 400, 500), GOOD, [150, 100, 100, 130, 130], id="in any order"),
        pytest.param((500, 400, 400, 200, 100), GOOD, [195, 130, 130, 100, 100], id="a tie for the last of them"),
        pytest.param((None, 400, 300, None, 100), GOOD, [150, 130, 130, 100, 100], id="who has no rate is passed over"),
        pytest.param((None, None), GOOD, [150, 100], id="nobody has a rate"),
        pytest.param((None, 10, None, None, None), GOOD, [150, 130, 100, 100, 100], id="fewer than that have a rate"),
        pytest.param((300,), GOOD, [195], id="one alone"),
        pytest.param((500, 400, 300, 200, 100), TO_LEARN, [150, 100, 100, 130, 130], id="the last two, to learn on"),
        pytest.param((500, 400, 300, 200, 100), BOTH, [195, 130, 100, 100, 100], id="both"),
        pytest.param((500, 400), Asked("T2"), [150, 100], id="neither"),
        pytest.param((0, 0), GOOD, [195, 130], id="merits of nothing"),
    ],
)
def test_the_share_that_a_lead_is_meant_for_gets_the_bonus(
    merits: tuple[int | None, ...], asked: Asked, expected: list[int]
) -> None:
    assert weights(pool(*merits), asked) == expected


def test_at_least_one_gets_the_bonus_and_none_where_the_share_is_nothing() -> None:
    small = Performance(best_share=0.1, coach_share=0.0, bonus=0.5)
    three = pool(300, 200, 100)
    assert weights(three, Asked("T1", is_high_quality=True, performance=small)) == [225, 100, 100]
    assert weights(three, Asked("T3", is_to_learn_on=True, performance=small)) == [150, 100, 100]


@pytest.mark.parametrize(("load", "has_bonus"), [(800, True), (801, False)])
def test_the_bonus_ends_above_the_load_cap(load: int, has_bonus: bool) -> None:
    asked = Asked("T1", is_high_quality=True, performance=Performance(best_share=1, bonus=0.3, load_cap=0.8))
    assert weights(pool(1, 1, load=load), asked) == ([195, 130] if has_bonus else [150, 100])


def test_the_bonus_to_learn_on_is_its_own() -> None:
    plan = Performance(best_share=1, bonus=0.3, coach_share=1, coach_bonus=0.1)
    assert weights(pool(1, 1), Asked("T3", is_to_learn_on=True, performance=plan)) == [165, 110]


def test_equal_turns_weigh_all_alike_and_the_others_by_their_own_weight() -> None:
    two, asked = pool(None, None), Asked("T1")
    assert {name: list(strategy.weights(two, asked)) for name, strategy in STRATEGIES.items()} == {
        "round_robin": [100, 100],
        "weighted": [150, 100],
        "least_loaded": [150, 100],
        "performance": [150, 100],
    }


def test_who_is_owed_of_this_turn_comes_first_then_whoever_falls_due() -> None:
    rotation = Rotation(level=1000, base=600, step=6)
    one = [Candidate("a", 100, 0, 0, share=100, start=start) for start in (1005, 1006, 1000)]
    assert due_first(one, rotation) == [(False, 1011), (True, 1012), (False, 1006)]
    assert due_first([replace(one[0], share=50)], rotation) == [(False, 1017)]


def test_a_rounded_base_keeps_equal_turns_equal() -> None:
    base = 1 << (ROUNDING_BITS + 2)
    rotation = Rotation(level=0, base=base, step=base // 2)
    starts = [base // 2 - 5, base // 2 - 4, base // 2]
    ranks = due_first([Candidate("a", 1, 0, 0, share=1, start=start) for start in starts], rotation)
    assert [late for late, _ in ranks] == [False, True, True]


def test_load_is_ranked_against_the_limit_and_who_may_have_none_comes_last() -> None:
    rows = [Candidate("a", 100, 30, 40), Candidate("b", 100, 10, 40), Candidate("c", 100, 5, 0)]
    assert load_share(rows, Rotation(0, 1, 1)) == [(0.75,), (0.25,), (NO_LIMIT_RANK,)]
