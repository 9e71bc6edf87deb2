"""Laws of events: late, repeated and shuffled ones converge (EDG-6); nobody gets a lead off shift."""

from collections import Counter
from collections.abc import Iterable
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from routing.calendar.business_time import is_open
from routing.lead_state import LeadState, lead_key
from routing.rep_state import calendar_from, rep_key
from schemas.activity import ActivityBound, ActivityKind, ActivityReported
from schemas.decision import DecisionKind, OwnerKind
from schemas.rep import RepChanged
from tests.worked.pipeline import Pipeline, form
from tests.worked.world import ROSTER, Arrival, World, at

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


STAGES = ("early", "mid", "late", "closed")
CHANGE = st.tuples(st.integers(0, 2), st.sampled_from(["E1", "M1", "M2"]), st.sampled_from(STAGES))


@settings(max_examples=30, deadline=None)
@given(changes=st.lists(CHANGE, min_size=2, max_size=8), data=st.data())
def test_changes_of_opportunities_in_any_order_and_repeated_end_in_the_same_loads(
    changes: list[tuple[int, str, str]], data: st.DataObject
) -> None:
    """The latest change of each counts, whenever it is learned: one that was closed stays closed."""
    places = list(range(len(changes)))
    order = data.draw(st.permutations(places)) + data.draw(st.lists(st.sampled_from(places), max_size=4))
    assert _loads(changes, order) == _loads(changes, places)


@settings(max_examples=15, deadline=None)
@given(days=st.lists(st.integers(11, 30), min_size=3, max_size=3, unique=True), order=st.permutations(range(3)))
def test_engagements_learned_in_any_order_wake_a_nurtured_lead_as_in_theirs(days: list[int], order: list[int]) -> None:
    days = sorted(days)
    assert _engaged([days[place] for place in order]) == _engaged(days)


@settings(max_examples=12, deadline=None)
@given(order=st.permutations(["lead", "called", "stage", "again"]))
def test_activity_that_overtakes_its_lead_ends_in_the_same_state(order: list[str]) -> None:
    """Through TRACK and SCORE: what was done before the lead is known waits for it; a repeat counts once."""
    assert _overtaken(order) == _overtaken(["lead", "called", "stage", "again"])


@settings(max_examples=10, deadline=None)
@given(repeats=st.lists(st.sampled_from(["S1", "M1", "M2", "M2"]), max_size=6), late=st.booleans())
def test_a_deactivation_repeated_or_overtaken_by_an_older_change_moves_each_lead_once(
    repeats: list[str], late: bool
) -> None:
    world = World()
    leads = [world.arrives(Arrival(f"c{n}.example", action="webinar", when=at("14:14"))).lead_id for n in range(6)]
    gone = {rep: ROSTER[rep][0].model_copy(update={"active": False}) for rep in ("S1", "M1", "M2")}
    for rep in ("M2", *repeats):
        world.roster(gone[rep], at("14:20"))
    if late:  # written at 14:19, read after
        change = RepChanged(rep_id="M2", division="main", rep=ROSTER["M2"][0], at=at("14:19"))
        world.send("rep.changed", change, at("14:21"))
    moves = Counter(row.lead_id for row in world.decisions if row.kind is DecisionKind.REASSIGNED)
    left = {"M2", *repeats}
    assert not any(world.state.values[lead_key(lead)].owner.id in left for lead in leads)
    assert max(moves.values()) <= len(left & {"M1", "M2"})


def _loads(changes: list[tuple[int, str, str]], order: Iterable[int]) -> dict[str, float]:
    world = World()
    for place in order:
        which, rep, stage = changes[place]
        happened = at("14:14") + timedelta(minutes=place)
        changed = ActivityBound(
            kind=ActivityKind.OPPORTUNITY_CHANGED,
            at=happened,
            learned_at=at("15:00"),
            division="main",
            opportunity_id=f"deal-{which}",
            rep=rep,
            stage=stage,
        )
        world.send("activity.bound", changed, at("15:00"))
    return {rep: world.load(rep) for rep in ("E1", "M1", "M2")}


def _engaged(days: list[int]) -> tuple[object, ...]:
    world = World()
    lead = world.arrives(Arrival("tiny.example", 20, "retail", action="whitepaper")).lead_id
    for day in days:
        world.does(ActivityKind.ENGAGED, lead, None, at("10:00", day), learned=at("10:00", 31))
    found = world.state.values[lead_key(lead)]
    return found.phase, found.owner, found.clock_at, world.wakes.get(lead_key(lead))


def _overtaken(order: list[str]) -> tuple[object, ...]:
    world = Pipeline()
    read = at("14:16")
    submission = form("it@lone.example", 450, "saas", "TX", "webinar", at=at("14:14"), after_seconds=120)
    called = ActivityReported(id="call-1", kind=ActivityKind.CALLED, at=at("14:15"), email="it@lone.example", rep="M1")
    stage = ActivityReported(
        id="stage-1",
        kind=ActivityKind.STAGE_CHANGED,
        at=at("14:15:30"),
        email="it@lone.example",
        rep="M1",
        stage="late",
    )
    for what in order:
        if what == "lead":
            lead = world.arrives(submission).lead_id
        else:
            report = stage if what == "stage" else called
            world.reported("leads.activity", "activity.reported", "", report, read)
    found = world.state.values[lead_key(lead)]
    return found.contacted_at, found.stage, found.points, found.owner, found.epoch, world.load("M1"), world.wakes


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
