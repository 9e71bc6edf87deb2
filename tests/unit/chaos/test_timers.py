"""The laws of the run of TIMERS object to each thing that may go wrong, and the plan does what it says."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.chaos.timers.laws import Disturbed, Fire, Lateness, Phase, identity, latenesses, verdicts
from tests.chaos.timers.plan import Plan, armings

DUE = 1_773_166_440.25
CALM = Disturbed()


def fired(waker: str, due_at: float = DUE, late: float = 0.1) -> Fire:
    return Fire(waker, due_at, due_at + late / 2, due_at + late)


RIGHT = [fired("a"), fired("b", DUE + 1), fired("a", DUE + 2)]
EXPECTED = [one.id for one in RIGHT]


def objections(fires: list[Fire], disturbed: Disturbed = CALM, still_armed: tuple[str, ...] = ()) -> list[str]:
    found = verdicts(EXPECTED, fires, disturbed, still_armed)
    return [f"{one.law}: {violation.what}" for one in found for violation in one.violations]


def test_a_run_in_which_all_went_well_is_passed() -> None:
    assert objections(RIGHT) == []


def test_a_lost_wake_up_is_noticed() -> None:
    assert objections(RIGHT[:2]) == [f"each wake-up once: lost {identity('a', DUE + 2)}"]


def test_a_doubled_wake_up_is_noticed() -> None:
    assert objections([*RIGHT, RIGHT[1]]) == [f"each wake-up once: {RIGHT[1].id} seen 2 times"]


def test_a_cancelled_wake_up_that_fires_is_noticed() -> None:
    cancelled = fired("c")
    assert objections([*RIGHT, cancelled]) == [f"each wake-up once: invented {cancelled.id}"]


def test_a_replaced_due_that_fires_in_place_of_the_new_one_is_noticed() -> None:
    assert len(objections([*RIGHT[:2], fired("a", DUE + 1.5)])) == 2


@pytest.mark.parametrize("by", [0.002, 0.5, 3600.0])
def test_an_early_wake_up_is_noticed(by: float) -> None:
    early = replace(RIGHT[1], written_at=RIGHT[1].due_at - by)
    (said,) = objections([RIGHT[0], early, RIGHT[2]])
    assert said.startswith("none early")


def test_the_part_of_a_millisecond_that_kafka_drops_is_not_early() -> None:
    assert objections([replace(RIGHT[0], written_at=DUE - 0.0009), *RIGHT[1:]]) == []


def test_a_late_wake_up_is_noticed() -> None:
    (said,) = objections([replace(RIGHT[0], seen_at=DUE + 1.1), *RIGHT[1:]])
    assert said.startswith("late within limits: live")


def test_who_is_late_around_a_kill_has_longer_but_not_for_ever() -> None:
    killed = Disturbed(kills=[DUE - 4])
    assert objections([replace(RIGHT[0], seen_at=DUE + 4), *RIGHT[1:]], killed) == []
    (said,) = objections([replace(RIGHT[0], seen_at=DUE + 11), *RIGHT[1:]], killed)
    assert "within 5 s of a kill" in said


def test_after_an_outage_lateness_counts_from_the_brokers_return() -> None:
    away = Disturbed(outages=[(DUE - 1, DUE + 120)])
    late = [replace(one, written_at=DUE + 121, seen_at=DUE + 145) for one in RIGHT]
    assert objections(late, away) == []
    assert latenesses(late, away) == [Lateness(Phase.OUTAGE, 3, 25.0, 25.0, 25.0)]
    (said,) = objections([replace(late[0], seen_at=DUE + 151), *late[1:]], away)
    assert "after the outage" in said


def test_an_arming_that_nobody_fires_is_noticed() -> None:
    assert objections(RIGHT, still_armed=("lead/x",)) == ["nothing stays armed: lead/x is still armed"]


def test_a_plan_arms_each_wake_up_once_for_good_and_none_outside_its_time() -> None:
    plan = Plan(1_000, 60.0, 10)
    first_due = datetime(2026, 3, 10, tzinfo=UTC)
    planned = armings(plan, first_due)
    wakers = Counter(one.waker for one in planned.final)
    assert set(wakers.values()) == {1}
    assert len(planned.final) + len(planned.again) == plan.wake_ups
    assert planned.again.keys() < wakers.keys()
    dues = [*(one.due_at for one in planned.final if one.due_at), *planned.again.values()]
    assert all(timedelta() <= due - first_due <= timedelta(seconds=60) for due in dues)
    assert len({one.waker for one in planned.before} - wakers.keys()) == 50, "these are cancelled"


@pytest.mark.parametrize("kills", [1, 2, 10])
def test_a_plan_kills_as_often_as_asked_and_clear_of_the_outage(kills: int) -> None:
    plan = Plan(100_000, 300.0, kills, outage_seconds=120.0)
    moments = plan.kill_moments()
    assert len(moments) + len(plan.faults()) == kills
    assert plan.outage_at is not None
    assert all(not plan.outage_at - 5 < at < plan.outage_at + 125 for at in moments)
    assert all(0 < at < 300 for at in moments)
