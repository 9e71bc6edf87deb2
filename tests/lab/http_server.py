"""A local HTTP server that can be slow, refuse, drop after accepting or answer twice, and keeps what it got."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web


@dataclass(frozen=True)
class Got:
    """A request that was accepted. headers: names in lower case."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


@dataclass
class Mood:
    """How the next requests are answered: `script` first, one entry a request, then normally.

    Entries: an int (that status), ("later", seconds) for 429 with Retry-After, "drop" (accepts, then breaks the
    connection), "hang" (accepts, never answers).
    """

    script: list[int | str | tuple[str, float]] = field(default_factory=list)
    delay_seconds: float = 0


Answer = Callable[[Got], Awaitable[web.StreamResponse]]


@dataclass
class Server:
    """A running server. accepted: what it took; calls: how often it was asked."""

    url: str = ""
    mood: Mood = field(default_factory=Mood)
    accepted: list[Got] = field(default_factory=list)
    calls: int = 0


@asynccontextmanager
async def serving(answer: Answer) -> AsyncIterator[Server]:
    """Serve on a free loopback port for the block."""
    server = Server()
    released = asyncio.Event()

    async def handle(request: web.Request) -> web.StreamResponse:
        server.calls += 1
        headers = {name.lower(): value for name, value in request.headers.items()}
        got = Got(request.method, request.path, dict(request.query), headers, await request.read())
        if server.mood.delay_seconds:
            await asyncio.sleep(server.mood.delay_seconds)
        match server.mood.script.pop(0) if server.mood.script else None:
            case int(status):
                return web.Response(status=status)
            case ("later", seconds):
                return web.Response(status=429, headers={"Retry-After": str(seconds)})
            case "drop":
                server.accepted.append(got)
                await answer(got)
                assert request.transport is not None
                request.transport.abort()
                return web.Response()
            case "hang":
                server.accepted.append(got)
                await released.wait()
                return web.Response()
            case _:
                server.accepted.append(got)
                return await answer(got)

    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield server
    finally:
        released.set()
        await runner.cleanup()
