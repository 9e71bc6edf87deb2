"""A provider as a process of its own: two doors that answer like one, and a desk that says how they behave.

`python -m tests.lab.provider_server` prints one line of JSON with its URLs and serves until SIGTERM. The desk takes
`POST /mood/<door>` with a `Mood` as JSON and tells `GET /calls`: requests by door since the start. All on loopback.
"""

import asyncio
import json
import random
import signal
import zlib
from dataclasses import asdict, dataclass
from typing import Any

from aiohttp import web

DOORS = ("primary", "secondary")
INDUSTRIES = ("saas", "fintech", "retail", "healthcare")


@dataclass(frozen=True, slots=True)
class Mood:
    """seconds: how long an answer takes; slow_share of them take slow_seconds. down: "", "refused", "hangs", "fails".

    refused: nobody listens. hangs: requests are taken and never answered. fails: 503.
    """

    seconds: float = 0.0
    slow_share: float = 0.0
    slow_seconds: float = 0.0
    down: str = ""

    def body(self) -> dict[str, Any]:
        return asdict(self)


class Door:
    """One provider. It opens and closes its port as its mood says, always the same port.

    It speaks just the HTTP that it is asked in (GET, kept alive): a server framework takes longer for an answer than
    the client that is measured, and would be the slow one of the two.
    """

    def __init__(self) -> None:
        self.mood = Mood()
        self.calls = 0
        self.port = 0
        self.chance = random.Random(7)
        self.talks: set[Talk] = set()
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Talk(self), "127.0.0.1", self.port, backlog=1024)
        self.port = self._server.sockets[0].getsockname()[1]

    def close(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for talk in tuple(self.talks):
            talk.transport.abort()

    async def turn(self, mood: Mood) -> None:
        self.mood = mood
        if mood.down == "refused":
            self.close()
        elif self._server is None:
            await self.open()


class Talk(asyncio.Protocol):
    """One connection to a door."""

    transport: asyncio.Transport

    def __init__(self, door: Door) -> None:
        self._door = door
        self._unread = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._door.talks.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._door.talks.discard(self)

    def data_received(self, data: bytes) -> None:
        *heads, self._unread = (self._unread + data).split(b"\r\n\r\n")
        for head in heads:
            self._asked(head)

    def _asked(self, head: bytes) -> None:
        door, mood = self._door, self._door.mood
        door.calls += 1
        if mood.down == "hangs":
            return
        if mood.down == "fails":
            self._say(b"503 Service Unavailable", b"{}")
            return
        domain = head.split(b" ", 2)[1].rpartition(b"/")[2].decode()
        body = json.dumps(company(domain)).encode()
        seconds = mood.slow_seconds if door.chance.random() < mood.slow_share else mood.seconds
        if seconds:
            asyncio.get_running_loop().call_later(seconds, self._say, b"200 OK", body)
        else:
            self._say(b"200 OK", body)

    def _say(self, status: bytes, body: bytes) -> None:
        if not self.transport.is_closing():
            head = b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % (status, len(body))
            self.transport.write(head + body)


def company(domain: str) -> dict[str, Any]:
    """Return what both doors say of a domain: made from its letters, so that it is the same each time."""
    draw = zlib.crc32(domain.encode())
    return {
        "site": domain,
        "name": domain.partition(".")[0],
        "size": 50 + draw % 2000,
        "sector": INDUSTRIES[draw % len(INDUSTRIES)],
        "country": "US",
        "state": "TX",
    }


async def main() -> None:
    """Serve until SIGTERM."""
    doors = {name: Door() for name in DOORS}
    for door in doors.values():
        await door.open()

    async def turn(request: web.Request) -> web.Response:
        await doors[request.match_info["door"]].turn(Mood(**await request.json()))
        return web.Response(status=204)

    async def calls(_request: web.Request) -> web.Response:
        return web.json_response({name: door.calls for name, door in doors.items()})

    desk = web.Application()
    desk.router.add_post("/mood/{door}", turn)
    desk.router.add_get("/calls", calls)
    runner = web.AppRunner(desk, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    urls = {name: f"http://127.0.0.1:{door.port}" for name, door in doors.items()}
    print(json.dumps(urls | {"desk": f"http://127.0.0.1:{runner.addresses[0][1]}"}), flush=True)
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    await stopped.wait()
    for door in doors.values():
        door.close()
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(main())
