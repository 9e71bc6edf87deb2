"""A provider that is slow, wrong, limiting, down, lying or half-open, with the real client against a local server."""

import asyncio
import ipaddress
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from enrichment.providers import http_json
from enrichment.providers.address import AddressRefused, PublicResolver, check_url, is_public
from enrichment.providers.pool import Pool
from enrichment.providers.provider import (
    Firmographics,
    Lookup,
    NotFound,
    ProviderBusy,
    ProviderDown,
    ProviderFailed,
    ProviderWrong,
    Query,
)
from schemas.org import HttpProvider, ProviderSettings
from tests.lab.http_server import Got, Server, serving

MAPPING = {"name": "name", "employees": "size", "domain": "site"}
QUERY = Query(domain="acme.example", email="canary@acme.example", company="Acme & Co/../x?y=1")
Handler = Callable[[Got], Awaitable[web.StreamResponse]]


def provider(url: str, pool: Pool, allow: tuple[str, ...] = ("127.0.0.1",), max_bytes: int = 10_000) -> Lookup:
    http = HttpProvider(url=url, mapping=MAPPING, allow_hosts=allow, max_bytes=max_bytes)
    return http_json.opened(ProviderSettings(name="p", kind="http", http=http), lambda name: "", pool)


@asynccontextmanager
async def asked(answer: Handler, max_bytes: int = 10_000) -> AsyncIterator[tuple[Lookup, Server]]:
    pool = Pool()
    try:
        async with serving(answer) as server:
            url = f"{server.url}/find?domain={{domain}}&name={{company}}"
            yield provider(url, pool, max_bytes=max_bytes), server
    finally:
        await pool.close()


def by(seconds: float) -> float:
    return asyncio.get_running_loop().time() + seconds


async def acme(got: Got) -> web.StreamResponse:
    return web.json_response({"name": "Acme Inc", "size": "51-200", "site": got.query["domain"]})


async def test_values_of_a_query_stay_in_their_place() -> None:
    async with asked(acme) as (lookup, server):
        answer = await lookup(QUERY, by(60))
        assert isinstance(answer, Firmographics) and answer.company.employees == 125
        assert server.accepted[0].query == {"domain": "acme.example", "name": "Acme & Co/../x?y=1"}
        assert server.accepted[0].path == "/find"


async def failure(answer: Handler, script: list[int | str | tuple[str, float]], seconds: float = 60) -> ProviderFailed:
    async with asked(answer) as (lookup, server):
        server.mood.script = script
        with pytest.raises(ProviderFailed) as caught:
            await lookup(QUERY, by(seconds))
        assert "canary" not in str(caught.value) and "acme" not in str(caught.value).lower()
        return caught.value


@pytest.mark.parametrize("status", [500, 502, 503, 202, 408])
async def test_a_server_error_is_down(status: int) -> None:
    assert isinstance(await failure(acme, [status]), ProviderDown)


@pytest.mark.parametrize("status", [301, 400, 401, 402, 403])
async def test_a_refusal_is_wrong_and_a_redirect_is_not_followed(status: int) -> None:
    assert isinstance(await failure(acme, [status]), ProviderWrong)


@pytest.mark.parametrize("status", [404, 204, 422])
async def test_no_such_company_is_not_found(status: int) -> None:
    async with asked(acme) as (lookup, server):
        server.mood.script = [status]
        assert isinstance(await lookup(QUERY, by(60)), NotFound)


async def test_too_many_requests_says_when_to_come_back() -> None:
    busy = await failure(acme, [("later", 7)])
    assert isinstance(busy, ProviderBusy) and busy.retry_after_seconds == 7


async def test_a_slow_answer_is_down_at_the_deadline() -> None:
    async with asked(acme) as (lookup, server):
        server.mood.script = ["hang"]
        with pytest.raises(ProviderDown):
            await lookup(QUERY, by(0.15))


async def test_a_broken_connection_is_down() -> None:
    assert isinstance(await failure(acme, ["drop"] * 3), ProviderDown)


async def test_nobody_listening_is_down() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    pool = Pool()
    try:
        with pytest.raises(ProviderDown):
            await provider(f"http://127.0.0.1:{port}/{{domain}}", pool)(QUERY, by(60))
    finally:
        await pool.close()


async def test_an_answer_shorter_than_it_says_is_down() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{"name": "Ac')
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    pool = Pool()
    try:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(ProviderDown):
            await provider(f"http://127.0.0.1:{port}/{{domain}}", pool)(QUERY, by(60))
    finally:
        await pool.close()
        server.close()


@pytest.mark.parametrize("body", ["<html>", '"text"', "7", "", '{"name": '])
async def test_what_is_no_json_object_is_wrong(body: str) -> None:
    async def answer(got: Got) -> web.StreamResponse:
        return web.Response(text=body, content_type="application/json")

    assert isinstance(await failure(answer, []), ProviderWrong)


@pytest.mark.parametrize("body", ["{}", "[]", '{"name": null}', '{"name": {"a": 1}, "size": [], "site": true}'])
async def test_another_shape_is_not_found(body: str) -> None:
    async def answer(got: Got) -> web.StreamResponse:
        return web.Response(text=body, content_type="application/json")

    async with asked(answer) as (lookup, _):
        assert isinstance(await lookup(QUERY, by(60)), NotFound)


async def test_an_answer_that_is_too_long_is_wrong() -> None:
    async def answer(got: Got) -> web.StreamResponse:
        return web.json_response({"name": "x" * 50_000})

    assert isinstance(await failure(answer, []), ProviderWrong)


async def test_a_redirect_to_the_metadata_address_is_not_followed() -> None:
    async def answer(got: Got) -> web.StreamResponse:
        raise web.HTTPFound("http://169.254.169.254/latest/meta-data")

    assert isinstance(await failure(answer, []), ProviderWrong)


PRIVATE = [
    "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0", "100.64.0.1", "::1", "fe80::1",
    "fd00::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "224.0.0.1", "255.255.255.255", "fd00:ec2::254",
    "::127.0.0.1", "::ffff:0:127.0.0.1", "64:ff9b:1::7f00:1", "fec0::1", "::", "ff02::1", "2001::1", "2001:db8::1",
    "::ffff:169.254.169.254", "192.0.0.192", "198.18.0.1", "240.0.0.1",
]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_are_refused(address: str) -> None:
    assert not is_public(address)
    host = f"[{address}]" if ":" in address else address
    with pytest.raises(AddressRefused):
        check_url(URL(f"http://{host}/x"), ())
    check_url(URL(f"http://{host}/x"), (str(URL(f"http://{host}/x").host),))


@pytest.mark.parametrize("url", ["ftp://acme.example/", "file:///etc/passwd", "http://user@acme.example/", "/x"])
def test_other_schemes_and_user_names_are_refused(url: str) -> None:
    with pytest.raises(AddressRefused):
        check_url(URL(url), ())


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111"])
def test_public_addresses_pass(address: str) -> None:
    assert is_public(address) and ipaddress.ip_address(address)


class Rebinding(AbstractResolver):
    """Answers with a public address first and a private one from then on."""

    def __init__(self) -> None:
        self.answers = ["93.184.216.34", "127.0.0.1"]

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        address = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        row: ResolveResult = {
            "hostname": host, "host": address, "port": port, "family": socket.AF_INET, "proto": 0, "flags": 0,
        }  # fmt: skip
        return [row]

    async def close(self) -> None:
        """Nothing to close."""


async def test_a_host_that_rebinds_is_refused_when_it_turns_private() -> None:
    resolver = PublicResolver((), Rebinding())
    assert (await resolver.resolve("evil.example"))[0]["host"] == "93.184.216.34"
    with pytest.raises(AddressRefused):
        await resolver.resolve("evil.example")


@pytest.mark.parametrize(
    "host", ["localhost", "localhost.", "2130706433", "0x7f.1", "0177.0.0.1", "127.1", "017700000001"]
)
async def test_a_name_of_this_machine_is_refused_unless_allowed(host: str) -> None:
    pool = Pool()
    try:
        async with serving(acme) as server:
            port = server.url.rsplit(":", 1)[1]
            with pytest.raises(ProviderFailed):
                await provider(f"http://{host}:{port}/?domain={{domain}}", pool, allow=())(QUERY, by(60))
            assert server.calls == 0
            allowed = provider(f"http://localhost:{port}/?domain={{domain}}", pool, allow=("localhost",))
            assert isinstance(await allowed(QUERY, by(60)), Firmographics)
    finally:
        await pool.close()


def test_the_pause_that_a_limit_asks_for() -> None:
    now = datetime.now(UTC)
    assert http_json.retry_after({"Retry-After": "3"}) == 3
    assert http_json.retry_after({"Retry-After": "99999"}) == 3600
    assert http_json.retry_after({"Retry-After": "soon"}) is None
    assert http_json.retry_after({}) is None
    dated = http_json.retry_after({"Retry-After": format_datetime(now + timedelta(minutes=50))})
    assert dated is not None and 2_800 < dated <= 3_000
    reset = http_json.retry_after({"X-RateLimit-Reset": str(int(now.timestamp()) + 3_000)})
    assert reset is not None and 2_800 < reset <= 3_001


def test_an_unknown_preset_names_the_known_ones() -> None:
    with pytest.raises(ValueError, match="apollo"):
        http_json.described(ProviderSettings(name="p", kind="http", preset="nope"))
