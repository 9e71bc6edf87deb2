"""Who is there, to the minute: leave, backups with dates, standing absence, shifts (AVL-1 to AVL-3)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from routing.availability import Shifts, absence, backups_now, leave, standing_absence
from routing.calendar.business_time import calendar_of
from routing.lineup import Window
from routing.rep_state import Leave, RepState, RosterRow, Standby
from routing.turn_order import NEVER
from schemas.rep import Hours

NOW = datetime(2026, 3, 10, 18, 14, tzinfo=UTC)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
NEEDED = NOW + HOUR
ROW = RosterRow()


@pytest.mark.parametrize(
    ("start", "until", "why"),
    [
        pytest.param(NOW, NOW + HOUR, "absent", id="begins now"),
        pytest.param(NOW - HOUR, NOW + MINUTE, "absent", id="ends in a minute"),
        pytest.param(NOW - HOUR, NOW, None, id="has just ended"),
        pytest.param(NEEDED - MINUTE, NEEDED + HOUR, "leave before the contact deadline", id="before the deadline"),
        pytest.param(NOW + MINUTE, NEEDED, "leave before the contact deadline", id="in a minute"),
        pytest.param(NEEDED, NEEDED + HOUR, None, id="at the deadline"),
    ],
)
def test_leave_counts_from_its_start_to_its_end_and_ahead_of_the_deadline(
    start: datetime, until: datetime, why: str | None
) -> None:
    away = Leave(start, until, "vacation")
    row = replace(ROW, leaves=(Leave(NOW - 9 * HOUR, NOW - 8 * HOUR, "sick"), away))
    assert leave(row, NOW, NEEDED) == why
    assert absence(RepState("a", row), NOW, NEEDED) == why


@pytest.mark.parametrize(
    ("state", "why"),
    [
        pytest.param(None, "not on the roster", id="unknown"),
        pytest.param(RepState("a"), "not on the roster", id="only a load"),
        pytest.param(RepState("a", moved_to="emea"), "moved to another division", id="moved"),
        pytest.param(RepState("a", ROW, moved_to="emea"), None, id="moved back"),
        pytest.param(RepState("a", replace(ROW, active=False, vacant=True)), "inactive", id="inactive"),
        pytest.param(RepState("a", replace(ROW, vacant=True, status="sick")), "vacant", id="vacant"),
        pytest.param(RepState("a", replace(ROW, status="sick")), "absent", id="sick"),
        pytest.param(RepState("a", replace(ROW, status="away")), "absent", id="away"),
        pytest.param(RepState("a", replace(ROW, status="busy")), None, id="in a call"),
        pytest.param(RepState("a", ROW), None, id="there"),
    ],
)
def test_who_is_absent_at_any_hour(state: RepState | None, why: str | None) -> None:
    assert standing_absence(state) == why
    assert absence(state, NOW, NEEDED) == why


def test_backups_hold_from_their_first_instant_to_just_before_their_last() -> None:
    rows = (
        Standby("always"),
        Standby("begins", NOW),
        Standby("later", NOW + MINUTE),
        Standby("ends", None, NOW + MINUTE),
        Standby("ended", None, NOW),
        Standby("between", NOW - HOUR, NOW + HOUR),
        Standby("before", NOW - 2 * HOUR, NOW - HOUR),
    )
    assert backups_now(replace(ROW, backups=rows), NOW) == ("always", "begins", "ends", "between")


def test_hours_are_asked_once_a_decision_and_none_means_those_of_the_pool() -> None:
    asked = []
    never, always = Hours(timezone="UTC"), Hours(timezone="UTC", week={"tue": (("00:00", "24:00"),)})

    def calendar_from(name: str) -> object:
        asked.append(name)
        return calendar_of(always if name == "open" else never)

    shifts = Shifts(NOW, calendar_from, calendar_of(never))  # type: ignore[arg-type]
    found = [shifts(name) for name in (None, "open", "closed", "open", "closed", None)]
    assert found == [False, True, False, True, False, False]
    assert asked == ["open", "closed"]
    assert Shifts(NOW, calendar_from, None)(None)  # type: ignore[arg-type]


def test_what_is_known_of_a_pool_holds_from_its_beginning_to_just_before_its_end() -> None:
    kept = Window(NOW)
    assert kept.holds(NOW, NEEDED) and kept.holds(NOW + 999 * HOUR, NEEDED)
    assert not kept.holds(NOW - MINUTE, NEEDED)
    kept.until(NOW + HOUR)
    assert kept.holds(NOW + HOUR - MINUTE, NEEDED)
    assert not kept.holds(NOW + HOUR, NEEDED)


@pytest.mark.parametrize("later", [None, NOW, NOW - HOUR, NOW + 2 * HOUR])
def test_no_end_that_is_past_or_later_moves_an_earlier_one(later: datetime | None) -> None:
    kept = Window(NOW)
    kept.until(NOW + HOUR)
    kept.until(later)
    assert kept.ends == NOW + HOUR
    kept.until(NOW + MINUTE)
    assert kept.ends == NOW + MINUTE


def test_leave_ahead_splits_what_holds_by_when_somebody_is_needed() -> None:
    """Between starts of leaves, the same reps have leave before the deadline."""
    kept = Window(NOW)
    for hours in (1, 2, 5, 6):
        kept.leave(NOW + hours * HOUR, NOW + 99 * HOUR, needed_until=NOW + 3 * HOUR)
    assert (kept.needed_after, kept.needed_by, kept.ends) == (NOW + 2 * HOUR, NOW + 5 * HOUR, NOW + HOUR)
    assert kept.holds(NOW, NOW + 5 * HOUR)
    assert not kept.holds(NOW, NOW + 5 * HOUR + MINUTE)
    assert kept.holds(NOW, NOW + 2 * HOUR + MINUTE)
    assert not kept.holds(NOW, NOW + 2 * HOUR)


def test_leave_at_the_deadline_itself_begins_the_other_side() -> None:
    kept = Window(NOW)
    kept.leave(NOW + HOUR, NOW + 9 * HOUR, needed_until=NOW + HOUR)
    assert (kept.needed_after, kept.needed_by) == (NEVER, NOW + HOUR)


def test_leave_that_has_begun_ends_what_holds_at_its_end() -> None:
    kept = Window(NOW)
    kept.leave(NOW - HOUR, NOW + HOUR, needed_until=NEEDED)
    kept.leave(NOW, NOW + 2 * HOUR, needed_until=NEEDED)
    kept.leave(NOW - 3 * HOUR, NOW - HOUR, needed_until=NEEDED)
    assert (kept.ends, kept.needed_after) == (NOW + HOUR, NEVER)
