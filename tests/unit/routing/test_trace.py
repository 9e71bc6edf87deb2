"""A pool's part of the trace: the nearest fifty by name, the others counted by reason (NEW-5)."""

from collections import Counter
from typing import Any

import pytest

from routing.trace import NAMED
from schemas.decision import Decision
from tests.worked.world import ACME, ROSTER, Arrival, World, at, on_leave, person

OTHERS = tuple(rep for rep, (row, _) in ROSTER.items() if row.team == "mm-southwest" and row.role == "ae")


def decided(action: str, **seats: int) -> Decision:
    """Decide a lead in a pool of so many senior, normal and sick members."""
    world = World(without=OTHERS)
    for kind, count in seats.items():
        for number in range(count):
            more: dict[str, Any] = {"status": "sick"} if kind == "sick" else {"seniority": kind}
            world.roster(person(f"{number:02}-{kind}", "mm-southwest", limit=40, **more))
    return world.arrives(Arrival("many.example", action=action, when=at("14:14")))


@pytest.mark.parametrize(
    ("action", "seats", "named", "others"),
    [
        ("demo", {"senior": 30, "normal": 50}, {"not their turn": 29, "not in the senior lane": 20}, 30),
        ("demo", {"senior": 60, "normal": 20}, {"not their turn": 49}, 30),
        ("webinar", {"senior": 30, "normal": 50}, {"not their turn": 49}, 30),
        ("webinar", {"normal": 40, "sick": 25}, {"not their turn": 39, "absent": 10}, 15),
        ("webinar", {"normal": 20, "sick": 25}, {"not their turn": 19, "absent": 25}, 0),
    ],
    ids=["a lane with room for others", "a lane too long", "no lane", "some refused", "few enough"],
)
def test_of_a_large_pool_fifty_are_named_and_the_others_counted(
    action: str, seats: dict[str, int], named: dict[str, int], others: int
) -> None:
    (pool,) = decided(action, **seats).trace["pools"]
    rows = pool["candidates"]
    assert len(rows) == min(NAMED, sum(seats.values()))
    assert rows[0]["why"] == "chosen"
    assert Counter(row["why"] for row in rows[1:]) == named
    assert sum(pool.get("others", {}).values()) == others
    assert len({row["rep"] for row in rows}) == len(rows)


def test_a_trace_tells_lane_and_turns_of_the_pool_and_whom_it_passed_over() -> None:
    world = World()
    hot, warm = (world.arrives(Arrival("lone.example", action=action)) for action in ("demo", "webinar"))
    (first,), (second,) = (decision.trace["pools"] for decision in (hot, warm))
    assert (first["lane"], "lane" in second) == ("senior lane", False)
    assert [pool["counters"]["pool"]["turns"] for pool in (first, second)] == [[0, 1], [1, 2]]
    assert "chain" not in hot.trace
    away = World(changed={"E1": on_leave("E1", 9, 14)}).arrives(Arrival("acme.example", 5000, account=ACME))
    assert [link["who"] for link in away.trace["chain"]] == ["E1"]
    assert "pools" not in away.trace
