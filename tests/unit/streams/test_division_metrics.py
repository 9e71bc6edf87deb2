"""What ASSIGN tells of its divisions, against the worked examples' world."""

import pytest
from prometheus_client import CollectorRegistry

from routing.pool_state import PoolState, Turn, pool_key, turn_key
from schemas.rep import Absence
from streams.stages.assign import AssignStage
from streams.stages.division_metrics import DivisionMetrics
from streams.stages.pool_metrics import deviation
from tests.property.rotation import Rotating
from tests.worked.world import ROSTER, Arrival, World, at


class Measured:
    """A world and what was measured of it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.registry = CollectorRegistry()
        self.metrics = DivisionMetrics(self.registry)

    def value(self, name: str, **labels: str) -> float | None:
        self.metrics.measure([self.world.state], self.world.policies.get, self.world.now)
        return self.registry.get_sample_value(f"leadstream_assign_{name}", {"division": "main"} | labels)


def test_reps_have_load_limit_and_presence() -> None:
    seen = Measured(World())
    assert seen.value("rep_load_points", rep="M1") == 20
    assert seen.value("rep_limit_points", rep="M1") == 40
    assert seen.value("rep_available", rep="M1") == 1
    assert seen.value("rep_available", rep="X9") == 0


def test_the_spread_of_a_pool_is_between_its_fullest_and_its_idlest_member() -> None:
    assert Measured(World()).value("utilisation_spread_ratio", pool="ent-amer") == pytest.approx((20 - 12) / 40)


def test_a_pool_without_anybody_present_shows() -> None:
    gone = {rep: ROSTER[rep][0].model_copy(update={"active": False}) for rep in ("M1", "M2", "M3")}
    seen = Measured(World(changed=gone))
    assert seen.value("pool_members", pool="mm-southwest", state="all") == 3
    assert seen.value("pool_members", pool="mm-southwest", state="present") == 0


def test_who_is_on_leave_is_not_present_for_as_long_as_it_lasts() -> None:
    leave = Absence(start=at("14:10"), until=at("14:30"))
    away = {rep: ROSTER[rep][0].model_copy(update={"absences": (leave,)}) for rep in ("M1", "M2", "M3")}
    world = World(changed=away)
    world.until(at("14:20"))
    seen = Measured(world)
    assert seen.value("pool_members", pool="mm-southwest", state="present") == 0
    assert seen.value("rep_available", rep="M1") == 0
    world.until(at("14:31"))
    assert seen.value("pool_members", pool="mm-southwest", state="present") == 3
    assert seen.value("rep_available", rep="M1") == 1


def test_held_leads_show_with_the_age_of_the_oldest() -> None:
    world = World(loads={"M1": 40, "M2": 40, "M3": 20})
    for wall in ("14:14", "14:16"):
        world.arrives(Arrival(action="webinar", when=at(wall)))
    world.until(at("14:20"))
    seen = Measured(world)
    assert seen.value("held_leads", pool="mm-southwest", tier="T2") == 2
    assert seen.value("held_age_seconds", pool="mm-southwest", tier="T2") == 6 * 60
    assert seen.value("held_leads", pool="mm-southwest", tier="T3") == 0


def test_a_policy_shows_with_its_rules_and_the_one_before_does_not() -> None:
    world = World()
    seen = Measured(world)
    first = world.policy.hash[:12]
    assert seen.value("policy_info", policy=first) == 1
    assert seen.value("rule_info", rule=world.policy.rules[-1].rule.name) == 1
    second = world._published(world.policy_text.replace("name: default", "name: other", 1) + "\n# changed\n")
    world.activate(second)
    assert seen.value("policy_info", policy=second.hash[:12]) == 1
    assert second.hash == world.policy.hash or seen.value("policy_info", policy=first) is None


def test_leads_without_a_policy_are_unassigned() -> None:
    world = World()
    world.state.values["waiting/main/2026-03-10T19:14:00+00:00/main.x.1"] = "main.x.1"
    world.until(at("14:34"))
    seen = Measured(world)
    assert seen.value("unassigned_leads") == 1
    assert seen.value("unassigned_age_seconds") == 20 * 60


def test_turns_are_counted_by_tier_with_what_each_was_entitled_to() -> None:
    world = World()
    seen = Measured(world)
    world.stage = AssignStage(world.policies.get, seen.metrics)
    for number in range(6):
        world.arrives(Arrival(action="webinar", when=at(f"14:{14 + number}")))
    world.stage.measure([world.state], world.now)
    labels = {"division": "main", "pool": "mm-southwest", "tier": "T2"}
    got = {
        rep: [
            seen.registry.get_sample_value(f"leadstream_assign_{name}_total", labels | {"rep": rep})
            for name in ("turns", "entitled_turns")
        ]
        for rep in ("M1", "M2", "M3")
    }
    assert got == {
        "M1": [3, pytest.approx(3)],
        "M2": [2, pytest.approx(2)],
        "M3": [1, pytest.approx(1)],
    }


@pytest.mark.parametrize("weights", [{"a": 100, "b": 100, "c": 100}, {"a": 150, "b": 100, "c": 50}, {"a": 7, "b": 93}])
def test_the_deviation_is_turns_received_minus_turns_entitled(weights: dict[str, int]) -> None:
    pool = Rotating()
    for number in range(40):
        pool.turn(weights, away=["a"] if 10 <= number < 17 else [])
        counters: PoolState = pool.state.get(pool_key("main", "pool"))
        for rep in pool.entitled:
            turn: Turn = pool.state.get(turn_key("main", "pool", rep))
            expected = pool.given.get(rep, 0) - pool.entitled[rep]
            assert deviation(turn, counters) == pytest.approx(float(expected), abs=1e-9)
