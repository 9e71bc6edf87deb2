"""Daylight saving in Chicago, both ways: steps fall due at the same time on the wall, or after the same time passed."""

from datetime import datetime, timedelta

import pytest

from schemas.decision import DecisionKind
from tests.worked.world import ALWAYS, CHICAGO, ROSTER, Arrival, World

# Clocks go forward on Sunday 14 March 2027 at 02:00, back on Sunday 1 November 2026 at 02:00.
SPRING, AUTUMN = (datetime(2027, 3, 12), datetime(2027, 3, 15)), (datetime(2026, 10, 30), datetime(2026, 11, 2))
WEEKENDS = pytest.mark.parametrize(("friday", "monday"), [SPRING, AUTUMN], ids=["an hour less", "an hour more"])
NIGHTS = pytest.mark.parametrize(
    "night", [datetime(2027, 3, 14, 1, 58), datetime(2026, 11, 1, 1, 58)], ids=["an hour less", "an hour more"]
)


def on(day: datetime, hour: int, minute: int = 0) -> datetime:
    return day.replace(hour=hour, minute=minute, tzinfo=CHICAGO)


@WEEKENDS
def test_working_hours_resume_at_the_opening_on_the_wall(friday: datetime, monday: datetime) -> None:
    world = World()
    lead = world.arrives(Arrival("lone.example", 450, action="webinar", when=on(friday, 17, 30)))
    assert (lead.tier, lead.kind) == ("T2", DecisionKind.ASSIGNED)
    assert lead.sla is not None
    assert lead.sla.contact_due_at == on(monday, 9, 30)
    world.until(on(friday, 18))
    assert world.until(on(monday, 9, 29)) == []
    (alert,) = [row for row in world.until(on(monday, 9, 30)) if row.kind is DecisionKind.ESCALATED]
    assert alert.at == on(monday, 9, 30)


@WEEKENDS
def test_a_working_day_ends_at_the_same_time_on_the_wall(friday: datetime, monday: datetime) -> None:
    world = World()
    lead = world.arrives(Arrival("lone.example", 450, action="newsletter", when=on(friday, 16)))
    assert (lead.tier, lead.kind) == ("T3", DecisionKind.ASSIGNED)
    assert lead.sla is not None
    assert lead.sla.contact_due_at == on(monday, 16)


@NIGHTS
def test_a_clock_that_never_stops_counts_the_time_that_passed(night: datetime) -> None:
    world = World()
    submitted = night.replace(tzinfo=CHICAGO)
    lead = world.arrives(Arrival("lone.example", 450, when=submitted))
    start = lead.at
    assert lead.sla is not None and lead.sla.contact_due_at is not None
    assert lead.sla.contact_due_at - start == timedelta(minutes=5)
    rows = world.until(start + timedelta(minutes=20))
    passed = [(row.at - start).total_seconds() / 60 for row in rows if row.lead_id == lead.lead_id]
    assert passed == [2.5, 5, 10, 15, 20]


@NIGHTS
def test_an_owner_who_works_through_the_change_has_the_whole_window(night: datetime) -> None:
    awake = {rep: ROSTER[rep][0].model_copy(update={"hours": ALWAYS}) for rep in ("M1", "M2", "M3")}
    world = World(changed=awake)
    lead = world.arrives(Arrival("lone.example", 450, action="webinar", when=night.replace(tzinfo=CHICAGO)))
    assert lead.sla is not None and lead.sla.contact_due_at is not None
    assert lead.owner.id in awake
    assert lead.sla.contact_due_at - lead.sla.clock_at == timedelta(hours=1)
