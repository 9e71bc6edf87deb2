"""Why a deadline was missed and whom it is charged to, as the story of the lead tells it (MET-1)."""

from datetime import timedelta

import pytest

from routing.explain import story
from schemas.delivery import Settlement
from schemas.lead import MailKind
from tests.worked.world import DEFAULT, Arrival, World, at

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


def test_a_deadline_that_was_met_has_no_cause() -> None:
    world = World()
    lead = world.arrives(Arrival("lone.example", 450))
    assert "missed" not in story([lead])
