"""ENRICH and PENDING as the runner calls them, on a partition in memory, with real guards and scripted providers."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from enrichment.providers.provider import Firmographics, NotFound, ProviderDown
from schemas.account import Account
from schemas.ids import person_id
from schemas.lead import AccountMatch, Company, LeadPending
from streams.stages.enrich import EnrichStage
from streams.stages.paid import SWEEP_EVERY
from streams.stages.pending import LATE_AFTER
from tests.unit.enrichment.stages_world import DEMO, NOW, SECRET, Accounts, Fake, World, enriched, firm


async def test_a_lead_is_complete_when_the_provider_answers_in_time() -> None:
    world = World({"one": Fake(firm())})
    value = enriched((await world.submit(DEMO))[0])
    assert (value.lead.company.employees, value.lead.facts["company.employees"].provider) == (300, "one")
    assert (value.enriched_at, value.is_late) == (NOW, False)


async def test_primary_empty_and_secondary_down_goes_on_with_the_form() -> None:
    world = World({"one": Fake(NotFound()), "two": Fake(ProviderDown())})
    row = {"email": "info@northfork.example", "state": "TX", "action": "demo", "industry": "healthcare"}
    value = enriched((await world.submit(row))[0])
    assert (value.lead.company.employees, value.lead.company.industry) == (None, "healthcare")
    assert (value.lead.company.country, value.lead.company.state, value.lead.mail.is_role) == ("US", "TX", True)


async def test_a_slow_provider_delays_nobody_else_and_its_answer_counts_at_last() -> None:
    go = asyncio.Event()
    world = World({"one": Fake(firm(), wait=go)}, fast_seconds=0.02)
    personal = {"phone": "+15128675309", "action": "demo"}  # nothing to ask about
    waiting, done = await world.submit(DEMO, personal)
    if waiting.topic == "leads.enriched":
        waiting, done = done, waiting
    assert enriched(done).lead.has_phone
    assert isinstance(waiting.value, LeadPending) and waiting.value.missing == ("one",)
    go.set()
    value = enriched((await world.wait_for([waiting]))[0])
    assert value.lead.company.employees == 300


async def test_a_provider_that_never_answers_leaves_no_lead_unrouted_and_is_asked_once_more_later() -> None:
    fake = Fake(firm(), wait=asyncio.Event())
    world = World({"one": fake}, fast_seconds=0.02)
    emitted = await world.submit(DEMO | {"employees": 40})
    value = enriched((await world.wait_for(emitted))[0])
    assert value.lead.company.employees == 40
    fake.wait = None
    world.now += LATE_AFTER
    world.pending.emitted.clear()
    due = world.pending.due(world.now)
    await world.pending.batch(due, world.now, asyncio.get_running_loop().time() + 60)
    late = enriched(world.pending.emitted[0])
    assert (late.is_late, late.lead.company.employees, late.lead.event_id) == (True, 300, value.lead.event_id)
    assert not [key for key in world.pending.rows if key.startswith("late/")]


async def test_a_restart_or_replay_pays_for_nothing_again() -> None:
    fake = Fake(firm())
    world = World({"one": fake})
    first = await world.submit(DEMO)
    fake.answer = ProviderDown()
    world.restart()
    again = await world.submit(DEMO)
    assert enriched(again[0]).lead.company == enriched(first[0]).lead.company
    assert len(fake.asked) == 1


async def test_not_found_is_remembered_for_a_day() -> None:
    fake = Fake(NotFound())
    world = World({"one": fake})
    for hours in (0, 23, 2):
        world.now += timedelta(hours=hours)
        world.restart()
        await world.submit(DEMO)
    assert len(fake.asked) == 2


async def test_an_old_answer_is_refreshed_on_use() -> None:
    fake = Fake(firm())
    world = World({"one": fake})
    await world.submit(DEMO)
    world.now += timedelta(days=31)
    world.restart()
    await world.submit(DEMO)
    assert len(fake.asked) == 2


async def test_an_answer_decays_even_where_the_cache_would_keep_it() -> None:
    fake = Fake(firm())
    world = World({"one": fake})
    cache = world.org.enrichment.cache.model_copy(update={"found_seconds": 3e7})
    settings = world.org.enrichment.model_copy(update={"cache": cache, "decay_days": 10})
    world.org = world.org.model_copy(update={"enrichment": settings})
    world.restart()
    for days in (0, 9, 2):
        world.now += timedelta(days=days)
        world.restart()
        await world.submit(DEMO)
    assert len(fake.asked) == 2


async def test_answers_that_nobody_uses_any_more_leave_the_store() -> None:
    world = World({"one": Fake(firm())})
    await world.submit(*({"email": f"a@c{at}.example"} for at in range(10)))
    assert sum(key.startswith("answers/") for key in world.enrich.rows) == 10
    world.now += timedelta(days=32)
    world.restart()
    await world.submit(*({"email": "a@c0.example"} for _ in range(SWEEP_EVERY)))
    left = [key for key in world.enrich.rows if key.startswith(("answers/", "expires/"))]
    assert [key for key in left if key.startswith("answers/")] == ["answers/domain/c0.example"]
    assert len(left) == 2


async def test_quotas_go_to_the_lead_over_two_clock_hours() -> None:
    providers = {"primary": Fake(firm()), "secondary": Fake(firm())}
    world = World(providers, {"primary": 200, "secondary": 100})
    world.now = datetime(2026, 3, 10, 13, 0, tzinfo=UTC)
    by: list[str] = []
    for group in range(50):
        rows = [{"email": f"a@c{group}-{at}.example", "action": "demo", "employees": 60} for at in range(10)]
        if group == 20:
            world.restart()
        by += [enriched(row).lead.facts["company.employees"].provider for row in await world.submit(*rows)]
        world.now += timedelta(seconds=144)
    assert (by.count("primary"), by.count("secondary"), by.count("form")) == (400, 100, 0)


async def test_over_all_quotas_the_form_must_do_and_nobody_waits() -> None:
    world = World({"primary": Fake(firm()), "secondary": Fake(firm())}, {"primary": 20, "secondary": 10})
    rows = [{"email": f"a@c{at}.example", "action": "demo", "employees": 60} for at in range(50)]
    by = [enriched(row).lead.facts["company.employees"].provider for row in await world.submit(*rows)]
    assert (by.count("primary"), by.count("secondary"), by.count("form")) == (20, 10, 20)


async def test_high_intent_is_asked_for_first() -> None:
    fake = Fake(firm())
    world = World({"one": fake})
    rows = [{"email": f"a@c{at}.example", "action": "demo" if at == 4 else "newsletter"} for at in range(5)]
    await world.submit(*rows)
    assert fake.asked[0].domain == "c4.example"


async def test_a_personal_address_goes_on_without_a_company_unless_a_provider_ties_it_to_an_account() -> None:
    acme = Accounts(Account(domain="acme.example", owner="E1", is_named=True))
    row = {"email": "buyer77@gmail.com", "action": "demo"}
    untied = enriched((await World({"one": Fake(NotFound())}, accounts=acme).submit(row))[0]).lead
    assert (untied.account, untied.company.domain, untied.mail.kind) == (None, None, "personal")
    tie = Firmographics(Company(domain="acme.example", name="Acme", employees=5000), found_by="email")
    tied = enriched((await World({"one": Fake(tie)}, accounts=acme).submit(row))[0]).lead
    assert tied.account and (tied.account.owner, tied.account.match) == ("E1", AccountMatch.PROVIDER)


async def test_an_account_is_matched_before_enrichment_whatever_providers_do() -> None:
    accounts = Accounts(Account(domain="acme.example", owner="E1"))
    value = enriched((await World({"one": Fake(ProviderDown())}, accounts=accounts).submit(DEMO))[0])
    assert value.lead.account and value.lead.account.owner == "E1"


async def test_nobody_is_paid_for_spam() -> None:
    fake = Fake(firm())
    value = enriched((await World({"one": fake}).submit(DEMO | {"trap": "x"}))[0])
    assert (value.lead.suspect, fake.asked) == (("trap.filled",), [])


async def test_two_records_of_one_event_id_in_a_batch_keep_their_own_data() -> None:
    world = World({"one": Fake(NotFound())})
    events = [world.event({"email": f"a@c{at}.example"}, event_id="same") for at in range(2)]
    await world.enrich.batch(events, NOW, asyncio.get_running_loop().time() + 60)
    assert [enriched(row).lead.mail.domain for row in world.enrich.emitted] == ["c0.example", "c1.example"]


async def test_too_many_submissions_of_one_address_or_ip_in_an_hour_are_suspect() -> None:
    world = World({"one": Fake(NotFound())})
    limit = world.org.spam.per_hour
    rows = [{"email": f"a{at}@acme.example", "ip": "203.0.113.9"} for at in range(limit + 1)]
    found = [enriched(row).lead.suspect for row in await world.submit(*rows)]
    assert found == [()] * limit + [("ip.rate",)]
    again = [enriched(row).lead.suspect for row in await world.submit(*[{"email": "a0@acme.example"}] * limit)]
    assert again[-1] == ("email.rate",)
    world.now += timedelta(hours=1)
    assert enriched((await world.submit({"email": "a0@acme.example"}))[0]).lead.suspect == ()
    await world.submit(*({"email": f"b{at}@acme.example"} for at in range(2 * SWEEP_EVERY)))
    assert {key.split("/")[1] for key in world.enrich.rows if key.startswith("rate/")} == {"2026-03-10T15"}
    assert "203.0.113.9" not in "".join(world.enrich.rows)


async def test_the_same_arguments_have_the_same_effects() -> None:
    world = World({"one": Fake(firm())})
    event = world.event(DEMO)
    context = await world.enrich.stage.prepare([event], world.enrich, asyncio.get_running_loop().time() + 60)
    effects = [world.enrich.stage.handle(world.enrich, event, context, NOW) for _ in range(2)]
    assert effects[0] == effects[1]


async def test_no_contact_reaches_keys_or_the_store_of_enrich() -> None:
    world = World({"one": Fake(Firmographics(Company(domain="acme.example"), emails=("canary@other.example",)))})
    row = {"email": "canary@gmail.com", "name": "Canary Bird", "phone": "+15128675309", "company": "Acme"}
    emitted = await world.submit(row, row | {"email": "canary@acme.example"})
    stored = orjson.dumps({key: value.decode() for key, value in world.enrich.rows.items()}).lower()
    keys = " ".join(row.key for row in emitted)
    assert b"canary" not in stored and b"8675309" not in stored and "canary" not in keys
    assert enriched(emitted[0]).alternates == (person_id(SECRET, "mail:canary@other.example"),)


async def test_a_bot_that_has_qualified_a_visitor_makes_it_high_intent_and_first() -> None:
    world = World({"one": Fake(firm())})
    talk = [{"from": "bot", "text": "Hello"}, {"author": "visitor", "message": "I need a demo"}, 7]
    plain, chat = {"email": "a@b.example"}, {"email": "c@d.example", "bot_qualified": True, "transcript": talk}
    rows = [enriched(row) for row in await world.submit(plain, chat)]
    assert [row.lead.action for row in rows] == [None, "qualified_chat"]
    assert [query.domain for query in world.providers["one"].asked] == ["d.example", "b.example"]
    assert rows[1].contact.transcript == "bot: Hello\nvisitor: I need a demo"
    assert "transcript" not in rows[1].contact.raw


async def test_what_providers_knew_is_counted_a_day_told_and_forgotten_after_35() -> None:
    world = World({"one": Fake(NotFound()), "two": Fake(firm())})
    told: list[Any] = []
    world.enrich.stage = EnrichStage(world.org, SECRET, world.accounts, world._waterfall(), world.clock, told.append)
    await world.submit(DEMO, {"email": "a@b.example"})
    rows = {key: world.enrich.get(key).counts for key in world.enrich.rows if key.startswith("coverage/")}
    assert rows["coverage/2026-03-10/-"] == {"asked": 2}
    assert rows["coverage/2026-03-10/two"]["complete"] == 2 and rows["coverage/2026-03-10/one"]["empty"] == 2
    world.enrich.stage = EnrichStage(world.org, SECRET, world.accounts, world._waterfall(), world.clock, told.append)
    await world.submit({"email": "c@d.example"})
    assert [(one.provider, one.found, one.empty) for one in told[-1]] == [("one", 0, 2), ("two", 2, 0)]
    world.now += timedelta(days=40)
    for _ in range(SWEEP_EVERY):
        await world.submit({"phone": "+15128675309"})
    assert not [key for key in world.enrich.rows if key.startswith("coverage/2026-03-10")]
