"""Why a deadline was missed and whom it is charged to, as the story of the lead tells it (MET-1)."""

from datetime import timedelta

import pytest

from routing.explain import story
from schemas.activity import ActivityKind
from schemas.delivery import Settlement
from schemas.lead import MailKind
from tests.worked.world import DEFAULT, ROSTER, Arrival, World, at, told

FULL = {"M1": 40.0, "M2": 40.0, "M3": 20.0}
UNTIL_TOLD = timedelta(hours=18)  # a queue's next decision after the deadline is the one at 3x, the next morning


def told_after(world: World, arrival: Arrival, settled: Settlement | None = None) -> str:
    lead = world.arrives(arrival)
    if settled is not None:
        world.settles(lead, settled, at("14:14:30"))
    assert lead.sla is not None and lead.sla.contact_due_at is not None
    world.until(lead.sla.contact_due_at + UNTIL_TOLD)
    return story([row for row in world.decisions if row.lead_id == lead.lead_id])


@pytest.mark.parametrize(
    ("arrival", "loads", "settled", "cause"),
    [
        (Arrival("lone.example", 450), {}, None, "not_contacted, charged to M1"),
        (Arrival("lone.example", 450), {}, Settlement.ALL_FAILED, "notification_failed, charged to nobody"),
        (Arrival("x.example", 450, action="webinar"), FULL, None, "not_contacted, charged to MM"),
        (Arrival("gmail.com", None, mail=MailKind.PERSONAL), {}, None, "unclaimed, charged to nobody"),
    ],
    ids=["a silent rep", "all channels failed", "a team lead who got it for want of room", "a queue nobody looks at"],
)
def test_a_missed_deadline_has_its_cause_in_the_story(
    arrival: Arrival, loads: dict[str, float], settled: Settlement | None, cause: str
) -> None:
    assert f"The deadline was missed: {cause}." in told_after(World(DEFAULT, loads=loads), arrival, settled)


def test_a_lead_that_came_to_its_first_owner_after_the_route_deadline_is_charged_to_leadstream() -> None:
    """A stage was away for an hour: nobody held the lead up but us."""
    late = Arrival("lone.example", 450, delay_seconds=3_600)
    assert "The deadline was missed: leadstream_late, charged to nobody." in told_after(World(), late)


def test_a_lead_whose_owner_was_not_on_duty_for_a_moment_of_the_window_is_charged_to_nobody() -> None:
    """At night there is no team of the night here: the team lead has it, asleep."""
    away = [rep for rep in ("H1", "H2") if rep in ROSTER]
    world = World(DEFAULT, without=(*away, "HM"))
    night = Arrival("lone.example", 450, when=at("02:00"))
    assert "The deadline was missed: no_hours, charged to nobody." in told_after(world, night)


def test_a_reminder_of_an_owner_who_is_away_goes_one_level_up() -> None:
    world = World()
    lead = world.arrives(Arrival("lone.example", 450))
    assert lead.owner.id == "M1"
    world.roster(ROSTER["M1"][0].model_copy(update={"status": "sick"}), at("14:15"))
    (reminder,) = world.until(at("14:16:30"))
    assert (told(reminder, "owner"), told(reminder, "manager")) == (set(), {"MM"})
    assert "M1 is away; MM is reminded instead." in story([reminder])


def test_lead_clock_and_owner_clock_stand_side_by_side() -> None:
    """EX-11: the lead has waited for 17 minutes, its second owner for 7."""
    world = World()
    lead = world.arrives(Arrival("silent.example", 450, delay_seconds=3)).lead_id
    world.until(at("14:29"))
    world.does(ActivityKind.CALLED, lead, "M2", at("14:31:10"))
    (told_of,) = [line for line in story(world.decisions).splitlines() if "17 min 10 s since" in line]
    assert "Lead clock: 17 min 10 s since 2026-03-10 19:14:00." in told_of
    assert "Owner clock: 7 min 10 s since 2026-03-10 19:24:00." in told_of


def test_hours_in_which_the_clock_stood_are_told() -> None:
    world = World()
    lead = world.arrives(Arrival("lone.example", 450, action="webinar", when=at("17:30")))
    assert "Contact is due by 2026-03-11 14:30:00, 15 h of closed hours in it." in story([lead])


def test_a_deadline_that_was_met_has_no_cause() -> None:
    world = World()
    lead = world.arrives(Arrival("lone.example", 450))
    assert "missed" not in story([lead])
