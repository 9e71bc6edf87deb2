"""A primary that is down for ten minutes: what it is still asked, and what becomes of the leads meanwhile.

The clocks are turned by hand, a second a batch; five leads a second, each of a company of its own, so that a healthy
provider would be asked 3,000 times.
"""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import purgatory.domain.model
import pytest

from enrichment.providers.provider import ProviderDown
from schemas.effects import Emit
from schemas.lead import LeadEnriched
from tests.unit.enrichment.stages_world import Fake, World, firm

SECONDS = 600
LEADS_A_SECOND = 5
LEADS = SECONDS * LEADS_A_SECOND


async def run(world: World, monkeypatch: pytest.MonkeyPatch, seconds: int, first: int = 0) -> list[Emit]:
    """Return what ENRICH wrote in so many seconds of leads. The breaker's clock goes with the world's."""
    monkeypatch.setattr(purgatory.domain.model, "time", SimpleNamespace(time=lambda: world.now.timestamp()))
    wrote: list[Emit] = []
    for second in range(first, first + seconds):
        world.now += timedelta(seconds=1)
        rows: list[dict[str, Any]] = [
            {"email": f"a@c{second}x{at}.example", "action": "demo", "employees": 60} for at in range(LEADS_A_SECOND)
        ]
        wrote += await world.submit(*rows)
    return wrote


async def test_a_healthy_provider_is_asked_once_a_lead(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World({"primary": Fake(firm())})
    await run(world, monkeypatch, 20)
    assert len(world.providers["primary"].asked) == 20 * LEADS_A_SECOND


async def test_a_dead_primary_is_asked_one_in_a_hundred_times_and_no_lead_waits_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Nothing here takes time: five seconds, so that no lead goes on by PENDING because this process was not let run.
    world = World({"primary": Fake(ProviderDown()), "secondary": Fake(firm())}, fast_seconds=5.0)
    wrote = await run(world, monkeypatch, SECONDS)
    assert len(world.providers["primary"].asked) <= LEADS // 100
    assert [row.topic for row in wrote] == ["leads.enriched"] * LEADS
    assert len({row.value.lead.event_id for row in wrote}) == LEADS
    assert all(by_secondary(row.value) for row in wrote)


async def test_two_slots_find_out_each_for_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    dead = Fake(ProviderDown())
    for _ in range(2):
        await run(World({"primary": dead, "secondary": Fake(firm())}), monkeypatch, 120)
    each = 5 + 120 // 30  # its five failures, then one question in half a minute, however many leads it has
    assert each <= len(dead.asked) <= 2 * each


async def test_with_both_providers_dead_every_lead_goes_on_with_its_form(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World({"primary": Fake(ProviderDown()), "secondary": Fake(ProviderDown())})
    wrote = await run(world, monkeypatch, 120)
    assert [row.value.lead.company.employees for row in wrote] == [60] * 120 * LEADS_A_SECOND


async def test_it_is_asked_again_within_half_a_minute_of_its_return(monkeypatch: pytest.MonkeyPatch) -> None:
    primary = Fake(ProviderDown())
    world = World({"primary": primary, "secondary": Fake(firm())})
    await run(world, monkeypatch, 60)
    primary.answer = firm(employees=900)
    wrote = await run(world, monkeypatch, 31, first=60)
    assert [row.value.lead.company.employees for row in wrote[-LEADS_A_SECOND:]] == [900] * LEADS_A_SECOND


def by_secondary(value: LeadEnriched) -> bool:
    return value.lead.facts["company.employees"].provider == "secondary"
