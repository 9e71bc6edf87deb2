"""Laws of events: late, repeated and shuffled ones converge (EDG-6); nobody gets a lead off shift."""

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from routing.calendar.business_time import is_open
from routing.lead_state import LeadState, lead_key
from routing.rep_state import calendar_from, rep_key
from schemas.activity import ActivityKind
from schemas.decision import OwnerKind
from tests.worked.world import Arrival, World, at

SEEN = ((ActivityKind.CALLED, None), *((ActivityKind.STAGE_CHANGED, stage) for stage in ("mid", "late", "early")))


@settings(max_examples=20, deadline=None)
@given(order=st.permutations(range(4)), again=st.lists(st.integers(0, 3), max_size=4))
def test_activity_out_of_order_or_repeated_ends_in_the_same_state(order: list[int], again: list[int]) -> None:
    first = _after(range(4))
    assert _after([*order, *again]) == first


@settings(max_examples=40, deadline=None)
@given(hours=st.integers(0, 24 * 14), employees=st.sampled_from([80, 450, 5000]))
def test_a_hot_lead_goes_to_nobody_off_shift(hours: int, employees: int) -> None:
    world = World()
    decision = world.arrives(Arrival(employees=employees, when=at("00:00") + timedelta(hours=hours)))
    assert decision.tier == "T1"
    if decision.owner.kind is OwnerKind.REP:
        row = world.state.values[rep_key("main", decision.owner.id or "")].row
        assert is_open(calendar_from(row.hours), decision.at)


def _after(order: object) -> tuple[object, ...]:
    world = World()
    decision = world.arrives(Arrival(employees=450))
    rep = decision.owner.id or ""
    learned = at("14:18")
    for number in order:  # type: ignore[attr-defined]
        kind, stage = SEEN[number]
        when = at("14:15") + timedelta(seconds=20 * number)
        world.does(kind, decision.lead_id, rep, when, stage=stage, learned=learned)
    lead = world.state.get(lead_key(decision.lead_id))
    assert isinstance(lead, LeadState)
    return lead.contacted_at, lead.stage, lead.points, lead.owner, lead.epoch, lead.breach, world.load(rep)
