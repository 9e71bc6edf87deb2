"""A local mail server that keeps what it got and can refuse, delay or break off after DATA."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.smtp import SMTP


@dataclass
class MailServer:
    """A running server. script: an entry a mail: a reply such as "451 later", "drop" (takes it, breaks off)."""

    port: int = 0
    script: list[str] = field(default_factory=list)
    mails: list[EmailMessage] = field(default_factory=list)
    delay_seconds: float = 0
    calls: int = 0

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        self.calls += 1
        if self.delay_seconds:
            await asyncio.sleep(self.delay_seconds)
        said = self.script.pop(0) if self.script else "250 OK"
        if said[0] == "2" or said == "drop":
            mail = message_from_bytes(envelope.content, policy=policy.default)
            assert isinstance(mail, EmailMessage)
            self.mails.append(mail)
        if said == "drop":
            server.transport.abort()
            return "421 gone"
        return said


@asynccontextmanager
async def mail_serving() -> AsyncIterator[MailServer]:
    """Serve SMTP on a free loopback port for the block."""
    kept = MailServer()
    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(kept, enable_SMTPUTF8=True, hostname="lab"), "127.0.0.1", 0
    )
    kept.port = server.sockets[0].getsockname()[1]
    try:
        yield kept
    finally:
        server.close()
