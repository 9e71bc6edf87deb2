"""Decisions as callers wait for them, and what stands on their topic that is none."""

import asyncio
from typing import Any

import orjson
import pytest

from schemas.poison import Poison
from streams.intake.decisions import Decisions

MADE: dict[str, Any] = {
    "lead_id": "main.p.1",
    "decision_id": "d1",
    "kind": "assigned",
    "at": "2026-03-10T18:14:00Z",
    "tier": "T1",
    "lead": {"event_id": "e1"},
    "owner": {"kind": "rep", "id": "r-ada"},
}


def test_who_asks_after_the_decision_has_it_at_once() -> None:
    decisions = Decisions()
    decisions.put(orjson.dumps(MADE))
    decided = asyncio.run(decisions.on("e1", 0))
    assert decided is not None and (decided.owner, decided.tier) == ("r-ada", "T1")


@pytest.mark.parametrize(
    "said",
    [[1, 2], 7, None, "kind", {}, {"kind": ["assigned"]}]
    + [MADE | {name: wrong} for name in ("lead", "owner", "at", "lead_id") for wrong in (None, [], 7)],
    ids=str,
)
def test_what_is_no_decision_is_poison_and_the_next_one_is_known(said: Any) -> None:
    decisions = Decisions()
    with pytest.raises(Poison):
        decisions.put(orjson.dumps(said))
    decisions.put(orjson.dumps(MADE))
    assert asyncio.run(decisions.on("e1", 0)) is not None, "the thread that reads them goes on"
