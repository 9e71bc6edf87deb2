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
    """One provider. It opens and closes its port as its mood says, always the same port."""

    def __init__(self) -> None:
        self.mood = Mood()
        self.calls = 0
        self.port = 0
        self._chance = random.Random(7)
        self._runner: web.AppRunner | None = None

    async def open(self) -> None:
        app = web.Application()
        app.router.add_get("/v1/{domain}", self._answer)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port, backlog=1024).start()
        self.port = self._runner.addresses[0][1]

    async def close(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def turn(self, mood: Mood) -> None:
        self.mood = mood
        if mood.down == "refused":
            await self.close()
        elif self._runner is None:
            await self.open()

    async def _answer(self, request: web.Request) -> web.Response:
        self.calls += 1
        mood = self.mood
        if mood.down == "hangs":
            await asyncio.sleep(3600)
        if mood.down == "fails":
            return web.Response(status=503)
        is_slow = self._chance.random() < mood.slow_share
        await asyncio.sleep(mood.slow_seconds if is_slow else mood.seconds)
        return web.json_response(company(request.match_info["domain"]))


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
        await door.close()
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(main())
