"""One account's traffic: how many at once, how fast, and when not to call at all."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import structlog
from aiolimiter import AsyncLimiter
from purgatory import AsyncCircuitBreakerFactory
from purgatory.domain.model import OpenedState
from purgatory.service._async.circuitbreaker import AsyncCircuitBreaker

from notifiers.outcome import Refused, Retryable, Sent, Suppressed
from notifiers.settings import ChannelSettings

log = structlog.get_logger()


class Closed(Exception):
    """The lane takes nothing now; no call was made. after_seconds: when to ask again."""

    def __init__(self, reason: str, after_seconds: float) -> None:
        super().__init__(reason)
        self.reason = reason
        self.after_seconds = after_seconds


TRIED_AGAIN_SECONDS = 1.0


class Lane:
    """The limits of one account of one channel on one slot. Lives on one event loop.

    The breaker opens after `breaker_failures` failures in a row; when its time is over a single call goes ahead
    and the others are turned away, so a dead account hears one call a period. changed: called when `is_down` changes.
    """

    def __init__(self, name: str, settings: ChannelSettings, changed: Callable[[], None]) -> None:
        self.name = name
        self.is_down = False
        self._told = changed
        self._settings = settings
        self._places = asyncio.Semaphore(settings.channel_concurrency)
        self._out: dict[object, float] = {}  # calls under way, by when they began
        self._answered_at = 0.0
        rate = settings.rates.get(name) or settings.rates.get(name.partition(":")[0])
        self._rate = rate
        self._limiter = AsyncLimiter(rate.messages, rate.seconds) if rate else None
        self._breakers = AsyncCircuitBreakerFactory(
            settings.breaker_failures,
            settings.breaker_seconds,
            exclude=[Refused, Suppressed, asyncio.CancelledError, (Retryable, lambda error: error.is_throttled)],
        )
        self._breakers.add_listener(self._changed)
        self._breaker: AsyncCircuitBreaker | None = None
        self._probe = asyncio.Lock()
        self._paused_until = 0.0

    def _changed(self, name: str, event_type: str, event: Any) -> None:
        if event_type == "state_changed" and event.state != "half-opened":
            is_down = event.state == "opened"
            if is_down != self.is_down:
                self.is_down = is_down
                self._told()
                log.warning("channel.changed", channel=name, state="down" if is_down else "up")

    async def check(self) -> None:
        """Raise Closed if the channel is paused or its breaker open: then nobody need wait for a place."""
        self._check_pause()
        self._check_breaker(await self._own_breaker())

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Hold one of the lane's places, once there is one and its rate allows a call. Raises Closed when paused."""
        async with self._places:
            self._check_pause()
            if self._limiter is not None:
                await self._limiter.acquire()
                self._check_pause()
            yield

    async def called(self, begin: Callable[[], None], call: Callable[[], Awaitable[Sent]]) -> Sent:
        """Return what `call` returns. begin runs right before it. Inside `place` only.

        Raises Closed when the channel is paused or its breaker open, else what `call` raises.
        """
        breaker = await self._own_breaker()
        if breaker.context.state == "closed":
            return await self._called(breaker, begin, call)
        self._check_breaker(breaker)
        async with self._probe:
            return await self._called(breaker, begin, call)

    @property
    def is_silent(self) -> bool:
        """Tell whether calls are out for longer than a batch waits and none was answered since: then none waits."""
        longest = asyncio.get_running_loop().time() - self._settings.patience_seconds
        return self._answered_at < longest and any(began < longest for began in self._out.values())

    async def _own_breaker(self) -> AsyncCircuitBreaker:
        if self._breaker is None:
            self._breaker = await self._breakers.get_breaker(self.name)
        return self._breaker

    async def _called(
        self, breaker: AsyncCircuitBreaker, begin: Callable[[], None], call: Callable[[], Awaitable[Sent]]
    ) -> Sent:
        mine = object()
        self._out[mine] = asyncio.get_running_loop().time()
        try:
            async with breaker:
                begin()
                return await call()
        except OpenedState:
            raise Closed("the channel is down", self._settings.breaker_seconds) from None
        except Retryable as error:
            if error.is_throttled:
                loop = asyncio.get_running_loop()
                self._paused_until = max(self._paused_until, loop.time() + (error.after_seconds or 1.0))
            raise
        finally:
            del self._out[mine]
            self._answered_at = asyncio.get_running_loop().time()

    def _check_breaker(self, breaker: AsyncCircuitBreaker) -> None:
        # Entering an open breaker raises one kept exception again and again, whose traceback grows each time.
        context = breaker.context
        if self._probe.locked():
            raise Closed("the channel is being tried", TRIED_AGAIN_SECONDS)
        if context.state == "opened" and context.opened_at is not None:
            left = context.opened_at + float(context.ttl) - time.time()
            if left >= 0:
                raise Closed("the channel is down", max(left, 0.1))

    def _check_pause(self) -> None:
        left = self._paused_until - asyncio.get_running_loop().time()
        if left > 0:
            raise Closed("the channel asked to wait", left)

    def wait_for_place_seconds(self, waiting: int) -> float:
        """Return how long `waiting` messages take at the lane's rate: when the last of them should ask again."""
        rate = self._rate
        return waiting * rate.seconds / rate.messages if rate else 0.0
