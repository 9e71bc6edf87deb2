"""Leads asked for before their batch's turn: the same records come of it, and nobody is asked twice."""

import asyncio
from typing import Any

import pytest

from schemas.lead import RawLead
from streams.stage import Event
from tests.unit.enrichment.stages_world import DEMO, Fake, World, enriched, firm


def by(seconds: float) -> float:
    return asyncio.get_running_loop().time() + seconds


async def turn(world: World, *events: Event) -> None:
    await world.enrich.batch(list(events), world.now, by(60))


async def test_what_was_asked_ahead_is_taken_up_and_counted_once() -> None:
    world = World({"primary": Fake(firm())}, quotas={"primary": 10})
    first, second = world.event(DEMO), world.event({"email": "a@other.example", "action": "content"})
    waits = await world.enrich.stage.ask_ahead([second, first], world.enrich, by(60))  # type: ignore[attr-defined]
    assert waits is not None
    await waits
    assert [query.domain for query in world.providers["primary"].asked] == ["acme.example", "other.example"]
    await turn(world, second, first)
    assert len(world.providers["primary"].asked) == 2
    assert [enriched(row).lead.company.employees for row in world.enrich.emitted] == [300, 300]
    assert world.enrich.get("quota/primary").calls == 2
    assert world.enrich.get("answers/domain/acme.example") is not None


async def test_a_lead_whose_deadline_is_over_before_its_turn_is_asked_no_second_time() -> None:
    world = World({"primary": Fake(firm(), wait=asyncio.Event())}, fast_seconds=0.5)
    event = world.event(DEMO)
    waits = await world.enrich.stage.ask_ahead([event], world.enrich, by(60))  # type: ignore[attr-defined]
    assert waits is not None
    await waits
    await turn(world, event)
    assert [row.topic for row in world.enrich.emitted] == ["leads.pending"]
    assert len(world.providers["primary"].asked) == 1


async def test_a_record_that_is_read_again_after_a_rebalance_is_asked_anew_and_comes_once() -> None:
    world = World({"primary": Fake(firm())})
    event = world.event(DEMO)
    await world.enrich.stage.ask_ahead([event], world.enrich, by(60))  # type: ignore[attr-defined]
    again = event._replace(headers={})
    await turn(world, again)
    assert len(world.enrich.emitted) == 1
    assert len(world.providers["primary"].asked) == 1, "the answer under way serves both"


@pytest.mark.parametrize(
    "fields",
    [
        {**DEMO, "session": "s1", "step": "final"},
        {**DEMO, "session": "s1", "step": "company"},
        {**DEMO, "website_trap": "x", "email": "not an address"},
    ],
    ids=["the last step of a form", "an earlier step", "nothing to ask by"],
)
async def test_what_is_not_asked_ahead_comes_as_ever(fields: dict[str, Any]) -> None:
    ahead, as_ever = World({"primary": Fake(firm())}), World({"primary": Fake(firm())})
    event = ahead.event(fields)
    await ahead.enrich.stage.ask_ahead([event], ahead.enrich, by(60))  # type: ignore[attr-defined]
    await turn(ahead, event)
    await turn(as_ever, as_ever.event(fields))
    assert ahead.enrich.emitted == as_ever.enrich.emitted
    assert ahead.enrich.rows == as_ever.enrich.rows


async def test_the_records_are_the_same_with_and_without() -> None:
    ahead, as_ever = World({"primary": Fake(firm())}), World({"primary": Fake(firm())})
    rows = [{"email": f"a@c{at % 3}.example", "action": "demo", "name": "Jo Doe"} for at in range(6)]
    events = [ahead.event(row) for row in rows]
    await ahead.enrich.stage.ask_ahead(events[:3], ahead.enrich, by(60))  # type: ignore[attr-defined]
    await ahead.enrich.stage.ask_ahead(events[3:], ahead.enrich, by(60))  # type: ignore[attr-defined]
    await turn(ahead, *events[:3])
    await turn(ahead, *events[3:])
    await turn(as_ever, *[as_ever.event(row) for row in rows])
    assert ahead.enrich.emitted == as_ever.enrich.emitted
    assert ahead.enrich.rows == as_ever.enrich.rows


async def test_pending_asks_ahead_too_but_for_wake_ups() -> None:
    primary = Fake(firm(), wait=asyncio.Event())
    world = World({"primary": primary}, fast_seconds=0.02)
    (waiting,) = await world.submit(DEMO)
    event = world.pending.event(waiting.value, waiting.key, "leads.pending", "lead.pending")
    asked = len(primary.asked)
    assert primary.wait is not None
    primary.wait.set()
    await world.pending.stage.ask_ahead([event], world.pending, by(60))  # type: ignore[attr-defined]
    await world.pending.batch([event], world.now, by(60))
    assert [enriched(row).lead.company.employees for row in world.pending.emitted] == [300]
    assert len(primary.asked) == asked + 1


async def test_closing_breaks_off_what_was_asked_ahead() -> None:
    world = World({"primary": Fake(firm(), wait=asyncio.Event())}, fast_seconds=2.0)
    waits = await world.enrich.stage.ask_ahead([world.event(DEMO)], world.enrich, by(600))  # type: ignore[attr-defined]
    assert waits is not None
    await world.enrich.stage.close()  # type: ignore[attr-defined]
    async with asyncio.timeout(60):
        await waits


def test_a_lead_without_fields_is_asked_ahead_for_nothing() -> None:
    world = World({"primary": Fake(firm())})
    event = world.event({})
    assert isinstance(event.value, RawLead)
    assert asyncio.run(world.enrich.stage.ask_ahead([event], world.enrich, 1e9)) is not None  # type: ignore[attr-defined]
    assert world.providers["primary"].asked == []
