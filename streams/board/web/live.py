"""What is pushed to browsers: that something changed, at most once a second. Each then asks for its page's live part.

All who ask within the same second see the same state: a part is made once for all of them, and compressed once. Who
has it already is told so and gets nothing.
"""

import asyncio
import gzip
import hashlib
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import orjson

from streams.board.follower import Follower
from streams.board.lag import Notice

T = TypeVar("T")
SHOWN_SECONDS = 1.0  # for so long pages show one state, whatever is read meanwhile
TICK_SECONDS = 0.1  # how often the follower is asked for a change
QUIET_SECONDS = 15.0  # without a change, a line so that proxies keep the connection
MOST_LISTENERS = 500
_MOST_KEPT = 128


@dataclass(frozen=True, slots=True)
class Part:
    """HTML as it is sent. mark: of its content, so that a browser can say what it has."""

    body: bytes
    packed: bytes
    mark: str


def part_of(html: str) -> Part:
    """Return HTML as a part."""
    body = html.encode()
    return Part(body, gzip.compress(body, 5, mtime=0), hashlib.blake2b(body, digest_size=12).hexdigest())


class Live:
    """The one source of events, and the parts that were made for what is shown now.

    version: of what is shown. It steps once a second at most: when there is something new, and when the follower falls
    behind or has caught up, which pages say.
    """

    def __init__(self, follower: Follower) -> None:
        self._follower = follower
        self.version = 0
        self._shown = self._newest()
        self._stepped = 0.0
        self._changed = asyncio.Event()
        self._ticking: asyncio.Task[None] | None = None
        self._parts: OrderedDict[str, asyncio.Task[Part]] = OrderedDict()  # of `_made_for` alone
        self._made_for = (0, 0)
        self._aging: dict[str, tuple[float, asyncio.Task[Any]]] = {}  # one a key, of which there are a few
        self.listeners = 0

    async def events(self) -> AsyncIterator[bytes]:
        """Yield server-sent events for as long as somebody listens."""
        self.listeners += 1
        if self._ticking is None or self._ticking.done():
            self._ticking = asyncio.create_task(self._tick())
        try:
            sent = -1
            yield b"retry: 1000\n\n"
            while not self._follower.failed.done():
                if self.version != sent:
                    sent = self.version
                    yield b"event: changed\ndata: " + orjson.dumps({"version": sent}) + b"\n\n"
                try:
                    await asyncio.wait_for(self._changed.wait(), QUIET_SECONDS)
                except TimeoutError:
                    yield b": still here\n\n"
        finally:
            self.listeners -= 1

    async def _tick(self) -> None:
        """Wake all listeners at each step, for as long as there are any."""
        while self.listeners and not self._follower.failed.done():
            if self._step():
                changed, self._changed = self._changed, asyncio.Event()
                changed.set()
            await asyncio.sleep(TICK_SECONDS)
        self._changed.set()

    def _step(self) -> bool:
        """Show what the follower has, if it is time to; tell whether that is something new."""
        now, newest = time.monotonic(), self._newest()
        if newest == self._shown or now < self._stepped + SHOWN_SECONDS:
            return False
        self.version += 1
        self._shown, self._stepped = newest, now
        return True

    def _newest(self) -> tuple[int, Notice]:
        return self._follower.version, self._follower.behind().notice

    async def part(self, key: str, age: int, made: Callable[[], Awaitable[str]]) -> Part:
        """Return a part, made once for all who ask while the same is shown. key: what it depends on besides.

        age: steps as time goes on, for what changes with time alone. What was made for another state is let go at once:
        nobody is shown it again, and a page of a hundred leads has a hundred thousand bytes.
        """
        if self.listeners == 0:
            self._step()
        if self._made_for != (self.version, age):
            self._made_for = (self.version, age)
            self._parts.clear()
        task = self._parts.get(key)
        if task is None:
            task = self._parts[key] = asyncio.ensure_future(_packed(made))
            while len(self._parts) > _MOST_KEPT:
                self._parts.popitem(last=False)
        return await asyncio.shield(task)

    async def kept(self, key: str, seconds: float, made: Callable[[], Awaitable[T]]) -> T:
        """Return what was made within the last `seconds`, for what looks through many rows and may be a little old."""
        now = time.monotonic()
        found = self._aging.get(key)
        if found is None or found[0] < now:
            found = (now + seconds, asyncio.ensure_future(made()))
            self._aging[key] = found
        value: T = await asyncio.shield(found[1])
        return value


async def _packed(made: Callable[[], Awaitable[str]]) -> Part:
    return part_of(await made())
