"""An hourly quota over slots: a process may call as much as its partitions stand for, whoever had them before."""

from collections.abc import Mapping

from schemas.state import StateView
from streams.stage import Allotted
from tests.lab.state import Partition
from tests.unit.enrichment.stages_world import Fake, World, firm

QUOTA = 12
FIRST, SECOND = (0, 1, 2), (3, 4, 5)


def slot(provider: Fake, *numbers: int) -> World:
    """Return a process that has these partitions, their stores empty; its leads come from the first."""
    world = World({"primary": provider}, quotas={"primary": QUOTA})
    tell(world, {number: Partition(world.enrich.stage) for number in numbers} | {numbers[0]: world.enrich})
    return world


def tell(world: World, states: Mapping[int, StateView]) -> None:
    assert isinstance(world.enrich.stage, Allotted)
    world.enrich.stage.allotted(states, 6)


async def leads(world: World, name: str, count: int) -> None:
    await world.submit(*[{"email": f"a@{name}{at}.example", "action": "demo"} for at in range(count)])


async def test_two_slots_together_call_no_more_than_the_quota() -> None:
    provider = Fake(firm())
    for name, numbers in (("x", FIRST), ("y", SECOND)):
        await leads(slot(provider, *numbers), name, 2 * QUOTA)
        assert len(provider.asked) == QUOTA / 2 * (1 if name == "x" else 2)


async def test_a_slot_with_two_thirds_of_the_partitions_has_two_thirds_of_the_quota() -> None:
    provider = Fake(firm())
    await leads(slot(provider, 0, 1, 2, 3), "x", 2 * QUOTA)
    assert len(provider.asked) == QUOTA * 2 / 3


async def test_who_takes_over_the_partitions_of_a_dead_slot_has_what_it_left() -> None:
    provider = Fake(firm())
    first, second = slot(provider, *FIRST), slot(provider, *SECOND)
    await leads(first, "x", QUOTA)
    await leads(second, "y", 2)
    assert len(provider.asked) == QUOTA / 2 + 2
    empty = Partition(first.enrich.stage)
    tell(first, {0: first.enrich, 1: empty, 2: empty, 3: second.enrich, 4: empty, 5: empty})
    await leads(first, "z", QUOTA)
    assert len(provider.asked) == QUOTA
