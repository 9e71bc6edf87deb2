"""Wake-ups that come when nothing is due."""

from datetime import timedelta

from routing.lead_state import Phase
from schemas.activity import ActivityKind
from tests.worked.world import Arrival, World, at


def test_a_fire_that_crossed_the_end_of_a_lead_leaves_its_end_for_late_events() -> None:
    world = World()
    lead = world.arrives(Arrival("lone.example", 450, action="webinar"))
    key = f"lead/{lead.lead_id}"
    world.does(ActivityKind.WON, lead.lead_id, "M1", at("14:30"))
    del world.wakes[key]  # the tombstone of the fire crossed the new arming
    assert world.fire(key, at("14:31"), {"epoch": 1}) == []
    assert world.state.get(key).phase is Phase.CLOSED
    world.until(at("14:30") + timedelta(days=31))
    assert world.state.get(key) is None
