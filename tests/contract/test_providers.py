"""One suite over every kind of provider, the shipped presets included, with answers in the documented shape."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from pyarrow import Table as ArrowTable
from pyarrow import parquet

from enrichment.providers.http_json import described
from enrichment.providers.pool import Pool
from enrichment.providers.provider import (
    Firmographics,
    Lookup,
    NotFound,
    ProviderBusy,
    ProviderDown,
    ProviderWrong,
    Query,
)
from enrichment.providers.registry import PROVIDERS, Tools
from schemas.account import Account
from schemas.lead import Company
from schemas.org import CsvProvider, HttpProvider, ProviderSettings
from tests.lab.http_server import Got, Server, serving

DOCUMENTED = json.loads((Path(__file__).parents[1] / "golden" / "provider_answers.json").read_text())
PRESETS = sorted(DOCUMENTED)
KINDS = ["directory", "accounts", "csv", "parquet", *PRESETS]
SECRET = "k-secret"


class Table:
    """An accounts table of one account."""

    def get(self, table: str, key: str) -> Account | None:
        known = Account(domain="known.example", name="Known Inc", employees=300, industry="Software", country="US")
        return known if key == known.domain else None

    def scan(self, table: str, prefix: str) -> Iterator[tuple[str, Account]]:
        return iter(())


@dataclass
class Case:
    """A provider with a question that it can answer and one that it cannot."""

    lookup: Lookup
    known: Query
    unknown: Query
    expected: Company
    server: Server | None = None


def tools(pool: Pool | None = None) -> Tools:
    return Tools(Table(), lambda name: SECRET, pool or Pool())


@asynccontextmanager
async def case_of(kind: str, folder: Path) -> AsyncIterator[Case]:
    unknown = Query(domain="unknown.example", email="a@unknown.example", company="Unknown Nowhere Ltd")
    if kind == "directory":
        lookup = PROVIDERS["directory"](ProviderSettings(name="d", kind="directory"), tools())
        expected = Company(domain="3m.com", name="3M", employees=60500, country="US", state="MN")
        yield Case(lookup, Query(domain="3m.com"), unknown, expected)
    elif kind == "accounts":
        lookup = PROVIDERS["accounts"](ProviderSettings(name="a", kind="accounts"), tools())
        expected = Company(domain="known.example", name="Known", employees=300, industry="saas", country="US")
        yield Case(lookup, Query(domain="known.example"), unknown, expected)
    elif kind == "csv":
        path = folder / "companies.csv"
        path.write_text(
            "domain,name,employees,industry,country\nhttps://www.known.example/,Known Inc,51-200,Banking,usa\n"
        )
        lookup = PROVIDERS["csv"](ProviderSettings(name="c", kind="csv", csv=CsvProvider(path=str(path))), tools())
        expected = Company(
            domain="known.example", name="Known", employees=125, industry="financial_services", country="US"
        )
        yield Case(lookup, Query(domain="known.example"), unknown, expected)
    elif kind == "parquet":
        path = folder / "companies.parquet"
        row = {"Website": "www.known.example", "Name": "Known Inc", "Size": 125, "Branch": ["Banking"], "Land": "usa"}
        parquet.write_table(ArrowTable.from_pylist([row, {"Website": "other.example"}]), path)
        columns = {"domain": "Website", "name": "Name", "employees": "Size", "industry": "Branch", "country": "Land"}
        settings = ProviderSettings(name="c", kind="csv", csv=CsvProvider(path=str(path), columns=columns))
        expected = Company(
            domain="known.example", name="Known", employees=125, industry="financial_services", country="US"
        )
        yield Case(PROVIDERS["csv"](settings, tools()), Query(domain="known.example"), unknown, expected)
    else:
        async with serving(lambda got: documented(kind, got)) as server:
            pool = Pool()
            try:
                yield preset_case(kind, server, unknown, pool)
            finally:
                await pool.close()


def preset_case(kind: str, server: Server, unknown: Query, pool: Pool) -> Case:
    """Return the case of a preset whose host is the lab; path, query, headers and body stay its own."""
    real = described(ProviderSettings(name="p", kind="http", preset=kind))
    path = real.url.split("/", 3)[3]
    own = HttpProvider(url=f"{server.url}/{path}", mapping=real.mapping, allow_hosts=("127.0.0.1",))
    settings = ProviderSettings(name="p", kind="http", preset=kind, http=own)
    known = Query(domain=DOCUMENTED[kind]["asked"], email=f"jane@{DOCUMENTED[kind]['asked']}", country="US")
    expected = Company.model_validate(DOCUMENTED[kind]["company"])
    return Case(PROVIDERS["http"](settings, tools(pool)), known, unknown, expected, server)


async def documented(kind: str, got: Got) -> web.StreamResponse:
    asked = json.dumps(got.query) + got.body.decode()
    if DOCUMENTED[kind]["asked"] in asked:
        return web.json_response(DOCUMENTED[kind]["answer"])
    if "unknown" in DOCUMENTED[kind]:
        return web.json_response(DOCUMENTED[kind]["unknown"])
    return web.json_response({"error": "not found"}, status=404)


def deadline() -> float:
    return asyncio.get_running_loop().time() + 60


@pytest.mark.parametrize("kind", KINDS)
async def test_a_known_company_comes_back_canonical(kind: str, tmp_path: Path) -> None:
    async with case_of(kind, tmp_path) as case:
        answer = await case.lookup(case.known, deadline())
        assert isinstance(answer, Firmographics)
        wanted = case.expected.model_dump(exclude_defaults=True)
        assert {name: getattr(answer.company, name) for name in wanted} == wanted
        assert 0 < answer.confidence <= 1
        wanted = DOCUMENTED.get(kind, {}).get("reach", {"phone": None, "profiles": []})
        assert {"phone": answer.company_phone, "profiles": [*answer.company_profiles]} == wanted


@pytest.mark.parametrize("kind", KINDS)
async def test_an_unknown_company_is_not_found_and_no_error(kind: str, tmp_path: Path) -> None:
    async with case_of(kind, tmp_path) as case:
        assert isinstance(await case.lookup(case.unknown, deadline()), NotFound)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_question_without_what_it_needs_is_not_found(kind: str, tmp_path: Path) -> None:
    async with case_of(kind, tmp_path) as case:
        assert isinstance(await case.lookup(Query(country="US"), deadline()), NotFound)
        assert case.server is None or case.server.calls == 0


@pytest.mark.parametrize("kind", KINDS)
async def test_questions_at_once_get_their_own_answers(kind: str, tmp_path: Path) -> None:
    async with case_of(kind, tmp_path) as case:
        until = deadline()
        answers = await asyncio.gather(*(case.lookup(q, until) for q in (case.known, case.unknown) * 5))
        assert [isinstance(answer, Firmographics) for answer in answers] == [True, False] * 5


@pytest.mark.parametrize("kind", PRESETS)
async def test_a_preset_sends_its_secret_where_documented(kind: str, tmp_path: Path) -> None:
    async with case_of(kind, tmp_path) as case:
        await case.lookup(case.known, deadline())
        assert case.server is not None
        sent = case.server.accepted[0]
        name, value = DOCUMENTED[kind]["auth"]
        assert sent.headers[name.lower()] == value
        assert SECRET not in json.dumps(sent.query)


@pytest.mark.parametrize("kind", PRESETS)
def test_a_preset_says_where_its_shape_comes_from(kind: str) -> None:
    assert DOCUMENTED[kind]["source"].startswith("https://") and DOCUMENTED[kind]["basis"]


def test_every_kind_is_registered() -> None:
    kinds: Any = ProviderSettings.model_fields["kind"].annotation
    assert set(kinds.__args__) == set(PROVIDERS)


@pytest.mark.parametrize("name", ["none.csv", "none.parquet", "broken.parquet", "binary.csv"])
async def test_a_file_that_cannot_be_read_costs_no_lead(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    if not name.startswith("none"):
        path.write_bytes(b"\xff\xfe\x00 no such thing")
    settings = ProviderSettings(name="c", kind="csv", csv=CsvProvider(path=str(path)))
    with pytest.raises(ProviderWrong, match="cannot be read"):
        await PROVIDERS["csv"](settings, tools())(Query(domain="known.example"), deadline())


TROUBLE: dict[str, tuple[list[int | str | tuple[str, float]], type[Exception]]] = {
    "down": ([500], ProviderDown),
    "limiting": ([("later", 3)], ProviderBusy),
    "half-open": (["hang"], ProviderDown),
    "breaks off": (["drop", "drop", "drop"], ProviderDown),
    "redirects": ([302], ProviderWrong),
    "refuses the key": ([401], ProviderWrong),
}


@pytest.mark.parametrize("trouble", TROUBLE)
@pytest.mark.parametrize("kind", PRESETS)
async def test_a_preset_in_trouble_fails_as_it_should_and_says_nothing_of_the_query(
    kind: str, trouble: str, tmp_path: Path
) -> None:
    script, error = TROUBLE[trouble]
    async with case_of(kind, tmp_path) as case:
        assert case.server is not None
        case.server.mood.script = list(script)
        with pytest.raises(error) as caught:
            seconds = 0.5 if "hang" in script else 60
            await case.lookup(case.known, asyncio.get_running_loop().time() + seconds)
        assert DOCUMENTED[kind]["asked"] not in str(caught.value) and SECRET not in str(caught.value)
        case.server.mood.script = []
        assert isinstance(await case.lookup(case.known, deadline()), Firmographics), "and is well again afterwards"


@pytest.mark.parametrize("kind", PRESETS)
@pytest.mark.parametrize("body", ["<html>busy</html>", "[]", "{}", '{"data": 7}', "null"])
async def test_a_preset_that_answers_rubbish_costs_no_lead(kind: str, body: str) -> None:
    async def rubbish(got: Got) -> web.StreamResponse:
        return web.Response(text=body, content_type="application/json")

    async with serving(rubbish) as server:
        pool = Pool()
        try:
            case = preset_case(kind, server, Query(domain="unknown.example"), pool)
            answer = await case.lookup(case.known, deadline())
            assert isinstance(answer, NotFound)
        except ProviderWrong:
            pass
        finally:
            await pool.close()
