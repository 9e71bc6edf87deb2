"""Forms of several steps in ENRICH: counted, kept as a draft, one lead at the end."""

from datetime import timedelta
from typing import Any

import pytest

from enrichment.providers.provider import NotFound
from streams.stages import form_steps
from streams.stages.form_steps import Steps
from streams.stages.paid import SWEEP_EVERY
from tests.unit.enrichment.stages_world import DEMO, NOW, Fake, World, enriched, firm

STEPS: tuple[dict[str, Any], ...] = (
    {"session": "s-1", "form": "contact", "step": "who", "email": "ada@acme.example", "answers": {"team": "ops"}},
    {
        "session": "s-1",
        "form": "contact",
        "step": "company",
        "employees": 1200,
        "email": "",
        "answers": {"when": "now"},
    },
    {"session": "s-1", "form": "contact", "step": "final", "action": "demo", "phone": "+15128675309"},
)


@pytest.mark.parametrize("batches", [((0, 1, 2),), ((0,), (1,), (2,)), ((0, 1), (2,))], ids=["one", "each", "two"])
async def test_the_steps_of_a_form_become_one_lead_however_they_are_batched(
    batches: tuple[tuple[int, ...], ...],
) -> None:
    world = World({"one": Fake(NotFound())})
    emitted = [row for places in batches for row in await world.submit(*(STEPS[place] for place in places))]
    (row,) = emitted
    value = enriched(row)
    assert (value.contact.email, value.contact.phone) == ("ada@acme.example", "+15128675309")
    assert (value.lead.company.employees, value.lead.action) == (1200, "demo")
    assert value.lead.answers == {"team": "ops", "when": "now"}
    assert value.lead.event_id == "ev-3", "the last step's id and clock"
    assert not [key for key in world.enrich.rows if key.startswith("draft/")]


async def test_the_clock_of_a_form_begins_with_its_last_step() -> None:
    world = World({"one": Fake(NotFound())})
    await world.submit(STEPS[0] | {"submitted_at": (NOW - timedelta(hours=3)).isoformat()})
    (row,) = await world.submit(STEPS[2])
    assert enriched(row).lead.submitted_at == world.now - timedelta(seconds=1)


async def test_a_draft_can_not_be_read_from_the_store_and_leaves_it_after_a_day() -> None:
    world = World({"one": Fake(NotFound())})
    await world.submit(STEPS[0], STEPS[1])
    kept = [row for key, row in world.enrich.rows.items() if key.startswith("draft/")]
    assert len(kept) == 1 and b"ada" not in kept[0] and b"s-1" not in b"".join(world.enrich.rows.values())
    assert "s-1" not in "".join(world.enrich.rows)
    world.now += timedelta(days=3)
    for _ in range(SWEEP_EVERY):
        await world.submit({"phone": "+15128675309"})
    assert not [key for key in world.enrich.rows if key.startswith("draft/")]


async def test_another_session_and_one_that_is_too_long_share_nothing() -> None:
    world = World({"one": Fake(NotFound())})
    long = "s" * 201
    await world.submit(STEPS[0], STEPS[0] | {"session": long})
    for session in ("s-2", long, 7, None):
        (row,) = await world.submit(STEPS[2] | {"session": session})
        assert enriched(row).contact.email is None


async def test_a_step_of_a_form_is_counted_and_starts_no_clock() -> None:
    world = World({"one": Fake(firm())})
    assert await world.submit(DEMO | {"form": "f", "step": "1"}, DEMO | {"form": "f", "step": "1"}) == []
    assert world.enrich.get("steps/2026-03-10/f/1") == Steps(2)
    assert await world.submit(DEMO | {"form": "for canary@acme.example", "step": ["x"]}) == []
    assert not [key for key in world.enrich.rows if "canary" in key]
    assert world.providers["one"].asked == []
    assert len(await world.submit(DEMO | {"form": "f", "step": "final"})) == 1
    assert world.enrich.get("steps/2026-03-10/f/final") == Steps(1)


async def test_forms_that_somebody_makes_up_do_not_grow_the_store_without_end() -> None:
    world = World({})
    await world.submit(*({"form": f"f{at}", "step": "1"} for at in range(form_steps.MOST_A_DAY + 30)))
    kept = [key for key in world.enrich.rows if key.startswith("steps/")]
    assert len(kept) == form_steps.MOST_A_DAY + 2
    assert world.enrich.get("steps/2026-03-10/other/other") == Steps(30)
    world.now += form_steps.KEPT + timedelta(days=1)
    await world.submit(*({"form": "f", "step": "1"} for _ in range(10 * SWEEP_EVERY)))
    assert sorted(key for key in world.enrich.rows if key.startswith("steps/"))[0] == "steps/2026-04-15"
