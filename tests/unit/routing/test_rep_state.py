"""An entry of the roster as a division keeps it: whole numbers, UTC, no addresses."""

from datetime import UTC, date, datetime, timedelta, timezone

from routing.rep_state import Leave, RampStep, Standby, row_of
from schemas.rep import Absence, Backup, Caps, Ramp, Rep

PARIS = timezone(timedelta(hours=1))
NINE, TEN = (datetime(2026, 3, 10, hour, tzinfo=PARIS) for hour in (9, 10))


def test_what_is_written_in_points_and_shares_is_kept_in_whole_numbers() -> None:
    row = row_of(
        Rep(
            id="a",
            name="A",
            weight=1.15,
            limit=37.25,
            caps=Caps(day=3),
            ramp=(Ramp(start=date(2026, 4, 1), share=0.57), Ramp(start=date(2026, 3, 1), share=0.29)),
            close_rate=0.999,
            activity_rate=0.9,
        )
    )
    assert (row.weight, row.limit, row.caps) == (115, 3725, {"day": 3})
    assert row.ramp == (RampStep(date(2026, 3, 1), 29), RampStep(date(2026, 4, 1), 57))
    assert (row.close_permille, row.activity_permille) == (999, 900)


def test_what_is_not_written_is_left_to_the_policy() -> None:
    row = row_of(Rep(id="a", name="A"))
    assert (row.weight, row.limit, row.caps, row.hours, row.ramp) == (None, None, {}, None, ())
    assert (row.close_permille, row.activity_permille, row.manager) == (None, None, None)


def test_leave_and_backups_are_kept_in_utc() -> None:
    absences, backups = (
        (Absence(start=NINE, until=TEN, reason="leave"),),
        (Backup(rep="b", start=NINE), Backup(rep="c")),
    )
    row = row_of(Rep(id="a", name="A", absences=absences, backups=backups))
    nine, ten = (at.astimezone(UTC) for at in (NINE, TEN))
    assert row.leaves == (Leave(nine, ten, "leave"),)
    assert row.backups == (Standby("b", nine), Standby("c"))
    assert all(at is not None and at.tzinfo is UTC for at in (row.leaves[0].start, row.backups[0].start))
