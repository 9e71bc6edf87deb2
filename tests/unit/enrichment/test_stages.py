"""ENRICH and PENDING as the runner calls them, on a partition in memory, with real guards and scripted providers."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from enrichment.guard import Guarded, HourlyQuota, RetryBudget
from enrichment.providers.provider import Answer, Firmographics, NotFound, ProviderDown, ProviderFailed, Query
from enrichment.waterfall import Waterfall
from schemas.account import Account
from schemas.effects import Emit
from schemas.ids import person_id
from schemas.lead import AccountMatch, Company, LeadEnriched, LeadPending, RawLead
from schemas.org import Deadlines, Enrichment, HttpProvider, Org, ProviderSettings
from schemas.wire import MODELS, encode
from streams.stage import Event
from streams.stages import form_steps
from streams.stages.enrich import EnrichStage
from streams.stages.form_steps import Steps
from streams.stages.paid import SWEEP_EVERY
from streams.stages.pending import LATE_AFTER, PendingStage
from tests.lab.state import Partition

NOW = datetime(2026, 3, 10, 14, 14, 2, tzinfo=UTC)
SECRET = b"secret"
HTTP = HttpProvider(url="http://unused.example/{domain}", mapping={"name": "name"})


class Accounts:
    def __init__(self, *accounts: Account) -> None:
        self.rows = {account.domain: account for account in accounts}

    def get(self, table: str, key: str) -> Account | None:
        return self.rows.get(key)

    def scan(self, table: str, prefix: str) -> Iterator[tuple[str, Account]]:
        return iter(self.rows.items())


class Fake:
    """A provider that knows `answer` of everything. wait: until set it is slow. asked: its questions, in order."""

    def __init__(self, answer: Answer | ProviderFailed, wait: asyncio.Event | None = None) -> None:
        self.answer = answer
        self.wait = wait
        self.asked: list[Query] = []

    async def lookup(self, query: Query, deadline: float) -> Answer:
        self.asked.append(query)
        if self.wait is not None:
            await self.wait.wait()
        if isinstance(self.answer, ProviderFailed):
            raise self.answer
        return self.answer


class World:
    """The two stages over providers, with a clock that tests move."""

    def __init__(
        self, providers: dict[str, Fake], quotas: dict[str, int] | None = None, accounts: Accounts | None = None,
        fast_seconds: float = 2.0,
    ) -> None:  # fmt: skip
        self.now = NOW
        self.providers = providers
        self.quotas = quotas or {}
        rows = tuple(
            ProviderSettings(name=name, kind="http", http=HTTP, quota_per_hour=self.quotas.get(name))
            for name in providers
        )
        deadlines = Deadlines(fast_seconds=fast_seconds, call_seconds=2.0, full_seconds=2.0)
        self.org = Org(enrichment=Enrichment(providers=rows, deadlines=deadlines))
        self.accounts = accounts or Accounts()
        self.enrich = Partition(self._enrich())
        self.pending = Partition(PendingStage(self.org, self.accounts, self._waterfall(), self.clock))
        self.count = 0

    def clock(self) -> datetime:
        return self.now

    def restart(self) -> None:
        """A new process over the same store."""
        self.enrich.stage = self._enrich()

    def _enrich(self) -> EnrichStage:
        return EnrichStage(self.org, SECRET, self.accounts, self._waterfall(), self.clock)

    def _waterfall(self) -> Waterfall:
        deadlines = self.org.enrichment.deadlines
        rows = [
            Guarded(
                row, self.providers[row.name].lookup, HourlyQuota(row.quota_per_hour), RetryBudget(0.1, 0.0),
                deadlines.call_seconds, self.clock,
            )
            for row in self.org.enrichment.providers
        ]  # fmt: skip
        return Waterfall(rows, self.clock, lambda email: person_id(SECRET, f"mail:{email}"))

    def event(self, fields: dict[str, Any], event_id: str | None = None) -> Event:
        self.count += 1
        return Event(
            event_id or f"ev-{self.count}", "lead.submitted", "leads.raw", 0, self.count, "k", RawLead(fields),
            self.now - timedelta(seconds=1), {},
        )  # fmt: skip

    async def submit(self, *rows: dict[str, Any]) -> list[Emit]:
        """Run one batch through ENRICH and return what it emitted."""
        before = len(self.enrich.emitted)
        until = asyncio.get_running_loop().time() + 5
        await self.enrich.batch([self.event(row) for row in rows], self.now, until)
        return self.enrich.emitted[before:]

    async def wait_for(self, emitted: list[Emit]) -> list[Emit]:
        """Run what went to leads.pending through PENDING and return what it emitted."""
        events = [self.pending.event(row.value, row.key, "leads.pending", "lead.pending") for row in emitted]
        until = asyncio.get_running_loop().time() + 5
        await self.pending.batch(events, self.now, until)
        return self.pending.emitted


def firm(**values: Any) -> Firmographics:
    whole = {"domain": "acme.example", "employees": 300, "industry": "saas", "country": "US"}
    return Firmographics(Company(**(whole | values)))


def enriched(row: Emit) -> LeadEnriched:
    assert row.topic == "leads.enriched" and isinstance(row.value, LeadEnriched)
    assert row.key == row.value.lead.person
    assert MODELS[row.type].model_validate_json(encode(row.value) or b"") == row.value
    return row.value


DEMO = {"email": "ops@acme.example", "action": "demo"}


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
    await world.pending.batch(due, world.now, asyncio.get_running_loop().time() + 5)
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
    await world.enrich.batch(events, NOW, asyncio.get_running_loop().time() + 1)
    assert [enriched(row).lead.mail.domain for row in world.enrich.emitted] == ["c0.example", "c1.example"]


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
    context = await world.enrich.stage.prepare([event], world.enrich, asyncio.get_running_loop().time() + 1)
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
