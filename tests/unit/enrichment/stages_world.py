"""ENRICH and PENDING on a partition in memory, with real guards and scripted providers."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from enrichment.guard import Guarded, RetryBudget
from enrichment.providers.provider import Answer, Firmographics, ProviderFailed, Query
from enrichment.quota import HourlyQuota
from enrichment.waterfall import Waterfall
from schemas.account import Account
from schemas.effects import Emit
from schemas.ids import person_id
from schemas.lead import Company, LeadEnriched, RawLead
from schemas.org import Deadlines, Enrichment, HttpProvider, Org, ProviderSettings
from schemas.wire import MODELS, encode
from streams.stage import Event
from streams.stages.enrich import EnrichStage
from streams.stages.pending import PendingStage
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
        slowest = max(fast_seconds, 2.0)
        deadlines = Deadlines(fast_seconds=fast_seconds, call_seconds=slowest, full_seconds=slowest)
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
        until = asyncio.get_running_loop().time() + 60
        await self.enrich.batch([self.event(row) for row in rows], self.now, until)
        return self.enrich.emitted[before:]

    async def wait_for(self, emitted: list[Emit]) -> list[Emit]:
        """Run what went to leads.pending through PENDING and return what it emitted."""
        events = [self.pending.event(row.value, row.key, "leads.pending", "lead.pending") for row in emitted]
        until = asyncio.get_running_loop().time() + 60
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
