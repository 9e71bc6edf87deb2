"""The outside world, on this machine: a webhook receiver and a mail server that sometimes refuse, and a provider."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.lab.http_server import Got, Server, serving
from tests.lab.mail_server import MailServer, mail_serving

COMPANIES = 300
SLOW_EVERY = 10  # each so many-th company's provider answer is slower than ENRICH waits
SLOW_SECONDS = 0.5
REFUSES_EVERY = 40  # each so many-th webhook call is answered 503
SECRET = "whsec_bGVhZHN0cmVhbS1jaGFvcy1zZWNyZXQ="


@dataclass(slots=True)
class Outside:
    """What reached the outside. webhooks: `webhook-id` of each accepted call, in order. mails: Message-IDs."""

    server: Server
    mail: MailServer
    webhooks: list[str] = field(default_factory=list)
    calls: int = 0

    @property
    def mails(self) -> list[str]:
        return [str(mail["Message-ID"]) for mail in self.mail.mails]

    @property
    def channels(self) -> dict[str, Any]:
        """The channel settings that lead here, as of `notifiers.settings.ChannelSettings`."""
        return {
            "webhooks": {"default": {"url": f"{self.server.url}/hook", "secret": SECRET, "sends_contact": False}},
            "smtp": {"host": "127.0.0.1", "port": self.mail.port, "sender": "leads@us-sales.com", "start_tls": False},
            "allowed_hosts": ["127.0.0.1"],
            "retry_first_seconds": 0.5,
            "lifetime_seconds": {"email": 600, "webhook": 600, "crm": 600},
        }

    async def answer(self, got: Got) -> web.StreamResponse:
        if got.path == "/company":
            return await _looked_up(got.query.get("domain", ""))
        self.calls += 1
        if self.calls % REFUSES_EVERY == 0:
            return web.Response(status=503)
        self.webhooks.append(got.headers["webhook-id"])
        return web.Response()


async def _looked_up(domain: str) -> web.Response:
    parts = domain.split("-")
    number = int(parts[1]) if len(parts) == 3 and parts[1].isdigit() else -1
    if number % SLOW_EVERY == 0:
        await asyncio.sleep(SLOW_SECONDS)
        return web.json_response({"employees": 100 + number})
    return web.json_response({}, status=404)


@contextmanager
def outside_world() -> Iterator[Outside]:
    """Serve in a thread of its own until the block ends."""
    started = threading.Event()
    found: list[Outside] = []
    ended: list[asyncio.Event] = []

    async def serve() -> None:
        end = asyncio.Event()
        async with AsyncExitStack() as stack:
            mail = await stack.enter_async_context(mail_serving())
            world: list[Outside] = []

            async def answer(got: Got) -> web.StreamResponse:
                return await world[0].answer(got)

            server = await stack.enter_async_context(serving(answer))
            world.append(Outside(server, mail))
            found.append(world[0])
            ended.append(end)
            started.set()
            await end.wait()

    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()), name="outside", daemon=True)
    thread.start()
    assert started.wait(120), "the outside world did not start"
    try:
        yield found[0]
    finally:
        loop.call_soon_threadsafe(ended[0].set)
        thread.join(120)
        loop.close()
