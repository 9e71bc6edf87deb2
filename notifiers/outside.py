"""The open connections of one slot, made on its event loop and closed with it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import aiohttp

from notifiers.address import guarded_session
from notifiers.settings import ChannelSettings

if TYPE_CHECKING:
    from notifiers.mail_connections import MailConnections


@dataclass(frozen=True, slots=True)
class Outside:
    """session: for hosts that the settings name. guarded: for URLs that people give. mails: where one is set."""

    settings: ChannelSettings
    session: aiohttp.ClientSession
    guarded: aiohttp.ClientSession
    mails: "MailConnections | None" = None

    async def close(self) -> None:
        if self.mails is not None:
            await self.mails.close()
        await self.session.close()
        await self.guarded.close()


def open_outside(settings: ChannelSettings) -> Outside:
    """Return connections bound to the running event loop. The caller closes them."""
    connector = aiohttp.TCPConnector(limit=settings.concurrency)
    session = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())
    guarded = guarded_session(settings.allowed_hosts, settings.concurrency)
    if settings.smtp is None:
        return Outside(settings, session, guarded)
    # Here, not above: who sends no mail loads no mail client.
    from notifiers.mail_connections import MailConnections

    return Outside(settings, session, guarded, MailConnections(settings.smtp))


@asynccontextmanager
async def outside(settings: ChannelSettings) -> AsyncIterator[Outside]:
    """Open connections for a block."""
    opened = open_outside(settings)
    try:
        yield opened
    finally:
        await opened.close()
