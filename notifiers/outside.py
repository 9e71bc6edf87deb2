"""The open connections of one slot, made on its event loop and closed with it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp

from notifiers.address import guarded_session
from notifiers.settings import ChannelSettings


@dataclass(frozen=True, slots=True)
class Outside:
    """session: for hosts that the settings name. guarded: for URLs that people give."""

    settings: ChannelSettings
    session: aiohttp.ClientSession
    guarded: aiohttp.ClientSession

    async def close(self) -> None:
        await self.session.close()
        await self.guarded.close()


def open_outside(settings: ChannelSettings) -> Outside:
    """Return connections bound to the running event loop. The caller closes them."""
    connector = aiohttp.TCPConnector(limit=settings.concurrency)
    session = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())
    return Outside(settings, session, guarded_session(settings.allowed_hosts, settings.concurrency))


@asynccontextmanager
async def outside(settings: ChannelSettings) -> AsyncIterator[Outside]:
    """Open connections for a block."""
    opened = open_outside(settings)
    try:
        yield opened
    finally:
        await opened.close()
