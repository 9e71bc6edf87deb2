"""What stands between us and a provider: its quota, its rate, a breaker, a budget of retries."""

import asyncio
import math
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from aiolimiter import AsyncLimiter
from purgatory import AsyncCircuitBreakerFactory
from purgatory.domain.model import OpenedState

from enrichment.providers.provider import (
    Answer,
    Lookup,
    NoAnswer,
    ProviderBusy,
    ProviderDown,
    ProviderFailed,
    ProviderWrong,
    Query,
)
from enrichment.quota import HourlyQuota, QuotaSpent
from enrichment.silence import Silence
from schemas.org import ProviderSettings
from spans.call_span import call_span

READING_PASSES = 8  # of the event loop, from bytes in the socket to an answer
_RETRY_WAIT_SECONDS = 0.05  # and up to twice that, drawn anew each time
_CLOSED = "closed"


class BreakerOpen(ProviderFailed):
    """The provider failed several times in a row, or answers nobody, and is left alone for a while."""


class OneTooSlow(ProviderDown):
    """The provider answers others: this question took it too long, which is no reason to leave it alone."""


class PaceFull(ProviderBusy):
    """So many questions wait for the provider's rate that this one's time ran out; it was never sent."""


NOT_CALLED = (QuotaSpent, BreakerOpen, PaceFull)  # nothing went out, nothing is charged


@dataclass(slots=True)
class RetryBudget:
    """Retries are at most `share` of calls, so that a struggling provider is not struck twice as hard."""

    share: float
    credit: float = 1.0

    def earn(self) -> None:
        self.credit = min(self.credit + self.share, 10.0)

    def spend(self) -> bool:
        """Take one retry's worth; tell whether there was one."""
        if self.credit < 1:
            return False
        self.credit -= 1
        return True


class Watch(Protocol):
    """Hears of every request and question, for metrics. seconds: from the question to its end."""

    def called(self, provider: str) -> None: ...

    def answered(self, provider: str, answer: Answer, seconds: float) -> None: ...

    def failed(self, provider: str, error: ProviderFailed, seconds: float) -> None: ...


class Unwatched:
    """A `Watch` that keeps nothing."""

    def called(self, provider: str) -> None:
        """Do nothing."""

    def answered(self, provider: str, answer: Answer, seconds: float) -> None:
        """Do nothing."""

    def failed(self, provider: str, error: ProviderFailed, seconds: float) -> None:
        """Do nothing."""


@dataclass(slots=True)
class Guarded:
    """One provider behind its guards. calls: requests that were really made.

    is_at_hand: it answers out of memory, so it needs no guard and is asked by `ask_at_hand`.
    """

    settings: ProviderSettings
    lookup: Lookup
    quota: HourlyQuota
    budget: RetryBudget
    call_seconds: float
    clock: Callable[[], datetime]
    watch: Watch = field(default_factory=Unwatched)
    is_at_hand: bool = False
    calls: int = 0
    _breakers: AsyncCircuitBreakerFactory = field(default_factory=AsyncCircuitBreakerFactory)
    _breaker: Any = None  # one look-up a process: it costs as much as the rest of a guard
    _limiter: AsyncLimiter | None = None
    _busy_until: float = 0.0
    _probe: asyncio.Task[None] | None = None
    _silence: Silence = field(init=False)

    def __post_init__(self) -> None:
        self._silence = Silence(self.settings.breaker_failures, self.call_seconds)

    async def ask(self, query: Query, deadline: float) -> Answer:
        """Return the provider's answer by `deadline` (event-loop seconds). Raises ProviderFailed."""
        loop = asyncio.get_running_loop()
        name, started = self.settings.name, loop.time()
        try:
            answer = await self._retried(query, deadline)
        except ProviderFailed as error:
            self.watch.failed(name, error, loop.time() - started)
            raise
        self.watch.answered(name, answer, loop.time() - started)
        return answer

    def ask_at_hand(self, query: Query) -> Answer:
        """As `ask`, of a provider that is at hand: its look-up never waits, so no event loop need run it."""
        name, started = self.settings.name, time.perf_counter()
        asking = self._answered(query, math.inf)
        try:
            asking.send(None)
        except StopIteration as done:
            answer: Answer = done.value
        except ProviderFailed as error:
            self.watch.failed(name, error, time.perf_counter() - started)
            raise
        else:
            asking.close()
            raise RuntimeError(f"provider {name} waits, so it is not at hand: see AT_HAND of its registry")
        self.watch.answered(name, answer, time.perf_counter() - started)
        return answer

    async def close(self) -> None:
        """Break off what is asked on nobody's account."""
        if self._probe is not None:
            self._probe.cancel()
            await asyncio.gather(self._probe, return_exceptions=True)

    async def _retried(self, query: Query, deadline: float) -> Answer:
        """Ask, and once more where the provider was down, the budget has a retry and enough of the time is left."""
        loop = asyncio.get_running_loop()
        until = min(deadline, loop.time() + self.call_seconds)
        if loop.time() < self._busy_until:
            raise ProviderBusy(self._busy_until - loop.time())
        try:
            return await self._behind_breaker(query, until)
        except ProviderDown:
            if until - loop.time() < self.call_seconds / 4 or not self.budget.spend():
                raise
        await asyncio.sleep(random.uniform(_RETRY_WAIT_SECONDS, 2 * _RETRY_WAIT_SECONDS))
        return await self._behind_breaker(query, until)

    async def _behind_breaker(self, query: Query, until: float) -> Answer:
        breaker = self._breaker
        if breaker is None:
            breaker = self._breaker = await self._breakers.get_breaker(
                self.settings.name,
                self.settings.breaker_failures,
                self.settings.breaker_seconds,
                exclude=[ProviderBusy, QuotaSpent, OneTooSlow],
            )
        if await self._is_silent():
            raise BreakerOpen
        if breaker.context.state != _CLOSED:
            self._look_again(breaker, query)
            raise BreakerOpen
        try:
            async with breaker:
                return await self._paced(query, until)
        except OpenedState as error:
            error.__traceback__ = None  # the breaker raises one object again and again, which would collect frames
            raise BreakerOpen from None

    def _look_again(self, breaker: Any, query: Query) -> None:
        """Find out beside the lead whether the provider is back: where it hangs, nobody need wait for that.

        One question at a time: purgatory lets all through when half open.
        """
        if self._probe is None or self._probe.done():
            self._probe = asyncio.create_task(self._probed(breaker, query))

    async def _probed(self, breaker: Any, query: Query) -> None:
        loop = asyncio.get_running_loop()
        started = loop.time()
        try:
            async with breaker:  # lets nobody through before its time
                answer = await self._paced(query, started + self.call_seconds)
        except OpenedState as error:
            error.__traceback__ = None
        except ProviderFailed as error:
            self.watch.failed(self.settings.name, error, loop.time() - started)
        else:
            self.watch.answered(self.settings.name, answer, loop.time() - started)

    async def _is_silent(self) -> bool:
        """Tell whether the provider has stopped answering; an answer that is here and not read yet is none of that."""
        loop = asyncio.get_running_loop()
        if not self._silence.is_silent(loop.time()):
            return False
        for _ in range(READING_PASSES):
            await asyncio.sleep(0)
        return self._silence.is_silent(loop.time())

    async def _paced(self, query: Query, until: float) -> Answer:
        loop, sent_at = asyncio.get_running_loop(), math.inf
        try:
            async with asyncio.timeout_at(until):
                if self.settings.per_second is not None:
                    await self._rate(self.settings.per_second).acquire()
                self.quota.take(self.clock())
                self.calls += 1
                self.watch.called(self.settings.name)
                self.budget.earn()
                sent_at = loop.time()
                return await self._listened(query, until)
        except (TimeoutError, NoAnswer) as error:
            if sent_at == math.inf:
                raise PaceFull from error
            kind = OneTooSlow if self._silence.is_one_of_few(sent_at) else NoAnswer
            raise kind("no answer in time") from error
        except ProviderBusy as busy:
            pause = busy.retry_after_seconds or 1.0
            self._busy_until = loop.time() + min(pause, 3600.0)
            raise

    async def _listened(self, query: Query, until: float) -> Answer:
        """Make the request, and note whether anybody was there."""
        loop = asyncio.get_running_loop()
        number, has_answered = self._silence.sent(loop.time()), True
        try:
            with call_span("provider", self.settings.name):
                return await self._answered(query, until)
        except (ProviderDown, TimeoutError, asyncio.CancelledError):
            has_answered = False
            raise
        finally:
            self._silence.ended(number, loop.time(), has_answered=has_answered)

    async def _answered(self, query: Query, until: float) -> Answer:
        try:
            return await self.lookup(query, until)
        except (ProviderFailed, TimeoutError):
            raise
        except Exception as error:  # a provider with a fault in it costs its own answer, never the lead
            raise ProviderWrong(f"unexpected {type(error).__name__}") from error

    def _rate(self, per_second: float) -> AsyncLimiter:
        if self._limiter is None:  # it belongs to the loop that runs it
            self._limiter = AsyncLimiter(max(1.0, per_second), max(1.0, per_second) / per_second)
        return self._limiter
