"""Law of what is kept of a pool between decisions: each comes out, byte for byte, as from a pass over the pool."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from routing.candidates import Survey, Wanted, survey
from routing.decide import DecisionInput, decide
from routing.docket import Docket
from routing.journal import canonical
from routing.replay import Memory
from routing.seats import Seats
from schemas.activity import ActivityKind
from schemas.decided import Decided
from schemas.policy_pool import Pool
from schemas.rep import Absence, Caps, Rep
from tests.worked.world import DEFAULT, NIGHTS, ROSTER, Arrival, World, at, person

POOL = "mm-southwest"
OTHERS = tuple(rep for rep, (row, _) in ROSTER.items() if row.team == POOL and row.role == "ae")
STRATEGIES = ("weighted", "round_robin", "least_loaded")


def policy(strategy: str, require: str = "") -> str:
    """Return the default policy with another strategy for the pool, and needs of its reps."""
    head, pool, rest = DEFAULT.partition("  mm-southwest:\n")
    return head + pool + rest.replace("strategy: weighted", f"strategy: {strategy}{require}", 1)


@st.composite
def reps(draw: st.DrawFn) -> list[Rep]:
    made = []
    for number in range(draw(st.integers(1, 60))):
        more: dict[str, Any] = {"limit": draw(st.sampled_from([0.5, 1, 40])), "weight": draw(st.integers(1, 3))}
        if draw(st.integers(0, 9)) == 0:
            more["hours"] = NIGHTS
        if draw(st.integers(0, 9)) == 0:
            start = at("14:14") + timedelta(minutes=draw(st.integers(-60, 600)))
            more["absences"] = (Absence(start=start, until=start + timedelta(minutes=90), reason="out"),)
        if draw(st.integers(0, 9)) == 0:
            more["caps"] = Caps(hour=draw(st.integers(0, 2)))
        made.append(person(f"R{number:02}", POOL, languages=("en", "de")[: draw(st.integers(1, 2))], **more))
    return made


MOVES = st.lists(
    st.tuples(
        st.sampled_from(["lead", "lead", "lead", "lead", "end", "sick", "back"]),
        st.integers(0, 59),
        st.sampled_from([0, 0, 0, 1, 20, 300]),
    ),
    min_size=5,
    max_size=40,
)


@settings(max_examples=25, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(
    people=reps(),
    moves=MOVES,
    strategy=st.sampled_from(STRATEGIES),
    is_picky=st.booleans(),
)
def test_a_pool_kept_in_order_decides_as_a_pass_over_it_does(
    people: list[Rep], moves: list[tuple[str, int, int]], strategy: str, is_picky: bool
) -> None:
    require = "\n    require: [{rep: languages, fact: lead.language}]" if is_picky else ""
    world = World(policy(strategy, require), without=OTHERS)
    world.state.values = {key: value for key, value in world.state.values.items() if not key.startswith("turn/")}
    for rep in people:
        world.roster(rep)
    now, leads = at("14:14"), []
    for what, which, minutes in moves:
        now += timedelta(minutes=minutes)
        world.until(now)
        rep = people[which % len(people)]
        if what == "lead":
            action = ("webinar", "demo")[which % 4 == 0]
            language = ("en", "de", None)[which % 3]
            arrival = Arrival(f"c{which}.example", action=action, when=now, language=language, is_test=which % 7 == 0)
            leads.append(world.arrives(arrival).lead_id)
        elif what == "end" and leads:
            world.does(ActivityKind.WON, leads[which % len(leads)], None, now)
        else:
            world.roster(rep.model_copy(update={"status": "sick" if what == "sick" else "available"}), now)
    assert world.replays()


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_third_lead_in_a_row_is_decided_without_a_pass(strategy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    passes: list[str] = []

    def counted(docket: Docket, name: str, pool: Pool, wanted: Wanted) -> Survey:
        passes.append(name)
        return survey(docket, name, pool, wanted)

    monkeypatch.setattr("routing.pool_chain.survey", counted)
    world = World(policy(strategy), without=OTHERS)
    for number in range(80):
        world.roster(person(f"R{number:02}", POOL))
    kept = _decided(world, Seats(), 100)
    assert len(passes) <= 2
    whole = _decided(world, None, 100)
    assert len(passes) >= 100
    assert [canonical(row) for row in kept] == [canonical(row) for row in whole]


def _decided(world: World, seats: Seats | None, leads: int) -> list[dict[str, Any]]:
    """What the trace says of the pool, lead by lead, on a copy of the world's state."""
    state = Memory()
    state.values = dict(world.state.values)
    persons, world.persons = world.persons, 0
    rows = []
    for number in range(leads):
        scored = Arrival(f"c{number}.example", action="webinar", when=at("14:14")).scored(world, world.policy)
        event = DecisionInput(f"e{number}", scored.model_copy(update={"contact": None}))
        effects = decide(state, event, world.policy, at("14:14"), seats)
        state.fold(effects)
        rows += [one.value.trace["pools"][0] for one in effects if isinstance(one, Decided)]
    world.persons = persons
    return rows
