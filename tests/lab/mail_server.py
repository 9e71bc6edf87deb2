"""A local mail server that keeps what it got and can refuse, delay or break off after DATA."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.smtp import SMTP

from tests.lab.http_server import Mood


@dataclass
class MailServer:
    """A running server. mood: as of `http_server.Mood`; a status of 400 or 404 is "550", another one "451".

    on_mail: called when a mail was taken, before it is answered. sessions: one a connection that was ever made.
    """

    mood: Mood
    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    calls: int = 0
    on_mail: Callable[[], None] = lambda: None
    sessions: list[SMTP] = field(default_factory=list)
    released: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        self.calls += 1
        if self.mood.delay_seconds:
            await asyncio.sleep(self.mood.delay_seconds)
        match self.mood.script.pop(0) if self.mood.script else None:
            case 400 | 404:
                return "550 no such mailbox"
            case int() | ("later", _):
                return "451 try again later"
            case "drop":
                self._keep(envelope)
                server.transport.abort()
                return "421 gone"
            case "hang":
                self._keep(envelope)
                await self.released.wait()
                return "421 gone"
            case _:
                self._keep(envelope)
                return "250 OK"

    def _keep(self, envelope: Any) -> None:
        mail = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        self.on_mail()


@asynccontextmanager
async def mail_serving(mood: Mood | None = None) -> AsyncIterator[MailServer]:
    """Serve SMTP on a free loopback port for the block."""
    kept = MailServer(mood or Mood())

    def session() -> SMTP:
        kept.sessions.append(SMTP(kept, enable_SMTPUTF8=True, hostname="lab"))
        return kept.sessions[-1]

    server = await asyncio.get_running_loop().create_server(session, "127.0.0.1", 0)
    kept.port = server.sockets[0].getsockname()[1]
    try:
        yield kept
    finally:
        kept.released.set()
        server.close()
        for one in kept.sessions:
            if one.transport is not None:
                one.transport.close()
