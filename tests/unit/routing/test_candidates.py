"""Who of a pool can take a lead, and why each of the others cannot."""

import pytest

from routing.candidates import Survey
from routing.strategies.candidate import Candidate
from schemas.decision import DecisionKind
from tests.worked.world import DEFAULT, ROSTER, Arrival, World

WARM = Arrival("lone.example", 450, action="webinar")
FULL: dict[str, float] = {"M1": 40, "M2": 40, "M3": 20}
OVER = DEFAULT.replace("    strategy: weighted", "    when_full: {else: [over_limit]}\n    strategy: weighted")


@pytest.mark.parametrize(
    ("refused", "is_all"),
    [
        pytest.param({}, False, id="no members"),
        pytest.param({"a": "off shift", "b": "inactive since"}, True, id="each for one of them"),
        pytest.param({"a": "off shift", "b": "at the limit"}, False, id="one for something else"),
    ],
)
def test_all_are_refused_for_some_reasons_only_where_each_member_is(refused: dict[str, str], is_all: bool) -> None:
    assert Survey("p", refused=refused).all_refused_for("off shift", "inactive") is is_all


def test_where_one_could_take_the_lead_not_all_are_refused() -> None:
    fit = [Candidate("b", weight=100, load=0, limit=4000)]
    assert not Survey("p", fit=fit, refused={"a": "off shift"}).all_refused_for("off shift")


def test_a_policy_may_go_over_the_limits_of_a_full_pool() -> None:
    assert World(loads=FULL).arrives(WARM).kind is DecisionKind.HELD
    lead = World(OVER, loads=FULL).arrives(WARM)
    assert (lead.kind, lead.owner.pool) == (DecisionKind.ASSIGNED, "mm-southwest")


def test_a_used_up_cap_of_a_pool_holds_leads_but_no_test_lead() -> None:
    world = World(DEFAULT.replace("    strategy: weighted", "    caps: {hour: 1}\n    strategy: weighted"))
    first, second = world.arrives(WARM), world.arrives(WARM)
    assert (first.kind, second.kind) == (DecisionKind.ASSIGNED, DecisionKind.HELD)
    assert {row["why"] for row in second.trace["pools"][0]["candidates"]} == {"cap reached: 1 an hour for the pool"}
    assert world.arrives(WARM.but(is_test=True)).kind is DecisionKind.ASSIGNED


def test_a_policy_that_goes_over_limits_goes_over_the_cap_of_the_pool_too() -> None:
    world = World(OVER.replace("    strategy: weighted", "    caps: {hour: 1}\n    strategy: weighted"))
    assert [world.arrives(WARM).kind for _ in range(2)] == [DecisionKind.ASSIGNED] * 2


def test_who_has_no_share_of_the_turns_gets_no_lead_and_who_has_the_least_does() -> None:
    asks = "    require: [{rep: languages, any_of: [es]}]\n"
    text = DEFAULT.replace("    strategy: weighted", f"{asks}    strategy: weighted")
    speaks = {"languages": ("es",)}
    world = World(
        text,
        changed={
            "M1": ROSTER["M1"][0].model_copy(update=speaks | {"weight": 0.0}),
            "M2": ROSTER["M2"][0].model_copy(update=speaks | {"weight": 0.01}),
        },
    )
    lead = world.arrives(WARM)
    refused = {row["rep"]: row["why"] for row in lead.trace["pools"][0]["candidates"]}
    assert (lead.owner.id, refused["M1"], refused["M3"]) == ("M2", "no share of the turns", "skill: languages es")
