"""A server that gives browsers what the board gives them, and does nothing else: what it costs are the browsers.

`python -m tests.bench.still PORT FILE`: says once a second that something changed, and sends FILE, packed, for it.
"""

import asyncio
import gzip
import sys
import time
from pathlib import Path

from aiohttp import web


def application(page: bytes) -> web.Application:
    """Return the server of one page."""
    packed = gzip.compress(page, 5)

    async def events(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await answer.prepare(request)
        while True:
            await answer.write(b'event: changed\ndata: {"version": 1}\n\n')
            await asyncio.sleep(1)

    async def shown(_request: web.Request) -> web.Response:
        headers = {"Content-Encoding": "gzip", "X-Part": str(time.monotonic()), "Content-Type": "text/html"}
        return web.Response(body=packed, headers=headers)

    async def healthz(_request: web.Request) -> web.Response:
        return web.Response(text="ok")

    app = web.Application()
    app.add_routes([web.get("/events", events), web.get("/", shown), web.get("/healthz", healthz)])
    return app


if __name__ == "__main__":
    web.run_app(application(Path(sys.argv[2]).read_bytes()), host="127.0.0.1", port=int(sys.argv[1]), print=None)
