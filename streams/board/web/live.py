"""What is pushed to browsers: that something changed. Each then asks for its page's live part, made once a version."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeVar

import orjson

from streams.board.follower import Follower

T = TypeVar("T")
TICK_SECONDS = 0.5  # how often a change is looked for
QUIET_SECONDS = 15.0  # without a change, a line so that proxies keep the connection
MOST_LISTENERS = 500
_MOST_KEPT = 128


class Live:
    """The one source of events, and the parts that were rendered for the present version."""

    def __init__(self, follower: Follower) -> None:
        self._follower = follower
        self._parts: OrderedDict[str, tuple[int, asyncio.Task[str]]] = OrderedDict()
        self._aging: dict[str, tuple[float, asyncio.Task[Any]]] = {}  # one a key, of which there are a few
        self.listeners = 0

    async def events(self) -> AsyncIterator[bytes]:
        """Yield server-sent events for as long as somebody listens."""
        self.listeners += 1
        try:
            sent, quiet = -1, 0.0
            yield b"retry: 1000\n\n"
            while not self._follower.failed.done():
                if self._follower.version != sent:
                    sent, quiet = self._follower.version, 0.0
                    yield b"event: changed\ndata: " + orjson.dumps({"version": sent}) + b"\n\n"
                elif quiet >= QUIET_SECONDS:
                    quiet = 0.0
                    yield b": still here\n\n"
                await asyncio.sleep(TICK_SECONDS)
                quiet += TICK_SECONDS
        finally:
            self.listeners -= 1

    async def part(self, key: str, made: Callable[[], Awaitable[str]]) -> str:
        """Return a part, made once for all who ask while nothing has changed. key: path, query and zone."""
        version = self._follower.version
        kept = self._parts.get(key)
        if kept is None or kept[0] != version:
            kept = (version, asyncio.ensure_future(made()))
            self._parts[key] = kept
            self._parts.move_to_end(key)
            while len(self._parts) > _MOST_KEPT:
                self._parts.popitem(last=False)
        return await asyncio.shield(kept[1])

    async def kept(self, key: str, seconds: float, made: Callable[[], Awaitable[T]]) -> T:
        """Return what was made within the last `seconds`, for what looks through all leads and may be a little old."""
        now = time.monotonic()
        found = self._aging.get(key)
        if found is None or found[0] < now:
            found = (now + seconds, asyncio.ensure_future(made()))
            self._aging[key] = found
        value: T = await asyncio.shield(found[1])
        return value
