"""A replay of what was enriched asks nobody: the real HTTP client, then the same records with the network off."""

import asyncio
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from aiohttp import web

from enrichment.opening import opened
from enrichment.providers.pool import Pool
from enrichment.providers.registry import Tools
from schemas.account import Account
from schemas.lead import LeadEnriched, LeadPending, RawLead
from schemas.org import Deadlines, Enrichment, HttpProvider, Org, ProviderSettings
from schemas.wire import encode
from streams.stage import Event
from streams.stages.enrich import EnrichStage
from streams.stages.pending import PendingStage
from tests.lab.http_server import Got, Server, serving
from tests.lab.state import Partition

NOW = datetime(2026, 3, 10, 14, 14, 2, tzinfo=UTC)
SECRET = b"secret"
LEADS = 20


class NoAccounts:
    def get(self, table: str, key: str) -> None:
        return None

    def scan(self, table: str, prefix: str) -> Iterator[tuple[str, Account]]:
        return iter(())


async def known(got: Got) -> web.StreamResponse:
    """Every third company is unknown, the others are whole."""
    domain = got.path.rsplit("/", 1)[-1]
    if int(domain[1:].split(".")[0]) % 3 == 0:
        return web.Response(status=404)
    firm = {"name": domain, "domain": domain, "size": 300, "sector": "Software", "country": "US"}
    return web.json_response(firm)


def org_of(server: Server, fast_seconds: float) -> Org:
    http = HttpProvider(
        url=f"{server.url}/{{domain}}",
        mapping={"name": "name", "domain": "domain", "employees": "size", "industry": "sector", "country": "country"},
        allow_hosts=("127.0.0.1",),
    )
    row = ProviderSettings(name="one", kind="http", http=http, quota_per_hour=1_000)
    deadlines = Deadlines(fast_seconds=fast_seconds, call_seconds=5, full_seconds=5)
    return Org(enrichment=Enrichment(providers=(row,), deadlines=deadlines, pending_quota_share=0.5))


class Process:
    """One process of ENRICH or PENDING over a store that outlives it."""

    def __init__(self, stage: str, org: Org, rows: dict[str, bytes]) -> None:
        self.pool = Pool()
        accounts = NoAccounts()
        waterfall = opened(org, Tools(accounts, lambda name: "", self.pool), SECRET, lambda: NOW)
        built = (
            EnrichStage(org, SECRET, accounts, waterfall, lambda: NOW)
            if stage == "enrich"
            else PendingStage(org, accounts, waterfall, lambda: NOW)
        )
        self.partition = Partition(built, rows)

    async def handles(self, events: list[Event]) -> list[Any]:
        await self.partition.batch(events, NOW, asyncio.get_running_loop().time() + 60)
        await self.pool.close()
        return [row.value for row in self.partition.emitted]


def submitted() -> list[Event]:
    rows = [RawLead({"email": f"a@c{at}.example", "action": "demo"}) for at in range(LEADS)]
    at = NOW - timedelta(seconds=1)
    return [Event(f"ev-{n}", "lead.submitted", "leads.raw", 0, n, "k", row, at, {}) for n, row in enumerate(rows)]


def waiting(values: list[LeadPending]) -> list[Event]:
    return [
        Event(f"p-{n}", "lead.pending", "leads.pending", 0, n, value.lead.person, value, NOW, {})
        for n, value in enumerate(values)
    ]


@pytest.fixture
def network_off(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Turn the network off from when a test asks for it; who tries it nevertheless is listed."""
    tried: list[str] = []

    def refuse(*given: Any, **named: Any) -> Any:
        tried.append(repr(given))
        raise OSError("the network is off")

    with monkeypatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", refuse)
        patch.setattr(socket.socket, "connect", refuse)
        yield tried


async def first_run(fast_seconds: float, delay: float) -> tuple[Org, dict[str, dict[str, bytes]], list[Any], list[Any]]:
    """Enrich all leads with the network on; return the org, the stores, and what each stage wrote."""
    async with serving(known) as server:
        server.mood.delay_seconds = delay
        org = org_of(server, fast_seconds)
        stores: dict[str, dict[str, bytes]] = {"enrich": {}, "pending": {}}
        wrote = await Process("enrich", org, stores["enrich"]).handles(submitted())
        slow = [value for value in wrote if isinstance(value, LeadPending)]
        late = await Process("pending", org, stores["pending"]).handles(waiting(slow)) if slow else []
        assert server.calls >= LEADS
        return org, stores, wrote, late


def bytes_of(values: list[Any]) -> list[bytes]:
    return [orjson.dumps(orjson.loads(encode(value) or b"{}"), option=orjson.OPT_SORT_KEYS) for value in values]


def test_a_replay_of_enrich_calls_nobody_and_writes_the_same_bytes(request: pytest.FixtureRequest) -> None:
    org, stores, wrote, _ = asyncio.run(first_run(fast_seconds=5, delay=0))
    assert all(isinstance(value, LeadEnriched) for value in wrote)
    assert sum(value.lead.company.employees == 300 for value in wrote) == LEADS - len(range(0, LEADS, 3))
    tried = request.getfixturevalue("network_off")
    again = asyncio.run(replayed("enrich", org, stores["enrich"], submitted()))
    assert tried == []
    assert bytes_of(again) == bytes_of(wrote)


def test_a_replay_of_pending_calls_nobody_and_writes_the_same_bytes(request: pytest.FixtureRequest) -> None:
    org, stores, wrote, late = asyncio.run(first_run(fast_seconds=0.01, delay=0.3))
    slow = [value for value in wrote if isinstance(value, LeadPending)]
    assert len(slow) == LEADS == len(late)
    tried = request.getfixturevalue("network_off")
    again = asyncio.run(replayed("pending", org, stores["pending"], waiting(slow)))
    assert tried == []
    assert bytes_of(again) == bytes_of(late)


async def replayed(stage: str, org: Org, store: dict[str, bytes], events: list[Event]) -> list[Any]:
    return await Process(stage, org, dict(store)).handles(events)


def test_the_network_is_really_off(request: pytest.FixtureRequest) -> None:
    org, *_ = asyncio.run(first_run(fast_seconds=5, delay=0))
    tried = request.getfixturevalue("network_off")
    values = asyncio.run(replayed("enrich", org, {}, submitted()))
    assert tried and all(value.lead.company.employees is None for value in values)
