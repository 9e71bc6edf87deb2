"""Providers in order, each asked for what the ones before did not know, until a deadline."""

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

from enrichment.answer import Learnt, Said
from enrichment.guard import NOT_CALLED, READING_PASSES, Guarded
from enrichment.merge import NEEDED, is_complete
from enrichment.providers.pool import Pool
from enrichment.providers.provider import Answer, Firmographics, ProviderFailed, Query
from enrichment.quota import Used
from schemas.org import ProviderSettings

T = TypeVar("T")

RECENT_LIMIT = 10_000
_START_TOGETHER = 16
RECENT_AGE = timedelta(hours=1)  # older ones are asked again; the store has what must last


@dataclass(slots=True)
class Waterfall:
    """Asks the providers. person_of: address -> person id, so that no address is kept.

    Two leads of one company that are here at once share one request, and a request whose lead went on without it
    is not broken off: its answer is there for the next lead. `recent` is bounded. pool: the providers' connections,
    closed with it.
    """

    providers: Sequence[Guarded]
    clock: Callable[[], datetime]
    person_of: Callable[[str], str]
    pool: Pool = field(default_factory=Pool)
    _asking: dict[tuple[str, str], asyncio.Task[Said]] = field(default_factory=dict)
    _recent: OrderedDict[tuple[str, str], Said] = field(default_factory=OrderedDict)

    async def close(self) -> None:
        """Break off what is still being asked and close the connections. On the loop that they were made on."""
        tasks = tuple(self._asking.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for provider in self.providers:
            await provider.close()
        await self.pool.close()

    @property
    def is_at_hand(self) -> bool:
        """Tell whether no provider of all is outside of this process: then `ask_at_hand` does."""
        return all(provider.is_at_hand for provider in self.providers)

    def ask_at_hand(self, query: Query, key: str) -> Learnt:
        """As `ask`, where `is_at_hand`: no event loop, no task, a tenth of the time. Never raises."""
        answers: list[Said] = []
        failed: list[str] = []
        for provider in self.providers:
            if is_enough(answers):
                break
            if _has_part(provider.settings, key):
                self._add_at_hand(provider, query, answers, failed)
        return Learnt(tuple(answers), (), tuple(failed))

    async def ask(
        self, query: Query, key: str, kept: Mapping[str, Said], deadline: float, only: Sequence[str] = ()
    ) -> Learnt:
        """Return what is known by `deadline` (event-loop seconds). Never raises.

        key: what the question is remembered by. kept: answers that need not be asked for, by provider.
        only: names of providers to ask; empty: all.
        """
        answers: list[Said] = []
        unanswered: list[str] = []
        failed: list[str] = []
        called: list[str] = []
        for provider in self.providers:
            name = provider.settings.name
            if (only and name not in only) or not _has_part(provider.settings, key):
                continue
            if is_enough(answers):
                break
            known = kept.get(name) or self._recently(name, key)
            if known is not None:
                answers.append(known)
                continue
            if asyncio.get_running_loop().time() >= deadline:
                unanswered.append(name)
                continue
            if provider.is_at_hand:
                self._add_at_hand(provider, query, answers, failed)
                continue
            is_first = (name, key) not in self._asking
            try:
                answers.append(await _by(deadline, self._shared(provider, query, key)))
            except TimeoutError:
                unanswered.append(name)
            except ProviderFailed as error:
                failed.append(name)
                is_first = is_first and not isinstance(error, NOT_CALLED)
            if is_first:
                called.append(name)
        return Learnt(tuple(answers), tuple(unanswered), tuple(failed), tuple(called))

    def remember(self, used: Mapping[str, Used | None], now: datetime) -> None:
        """Count the calls of this hour that a store remembers from before this process."""
        for provider in self.providers:
            earlier = used.get(provider.settings.name)
            if earlier is not None:
                provider.quota.restore(earlier.hour, earlier.calls, now)

    def allot(self, mine: int, of: int) -> None:
        """Take so many of so many parts of each quota; `remember` what was used of them."""
        for provider in self.providers:
            provider.quota.allot(mine, of)

    def _recently(self, name: str, key: str) -> Said | None:
        said = self._recent.get((name, key))
        return said if said is not None and self.clock() - said.at < RECENT_AGE else None

    def _shared(self, provider: Guarded, query: Query, key: str) -> "asyncio.Task[Said]":
        spot = (provider.settings.name, key)
        task = self._asking.get(spot)
        if task is None:
            until = asyncio.get_running_loop().time() + provider.call_seconds
            task = asyncio.create_task(self._asked(provider, query, until))
            self._asking[spot] = task
            task.add_done_callback(lambda done: self._settle(spot, done))
        return task

    def _add_at_hand(self, provider: Guarded, query: Query, answers: list[Said], failed: list[str]) -> None:
        name = provider.settings.name
        try:
            answers.append(said_by(name, provider.ask_at_hand(query), self.clock(), self.person_of))
        except ProviderFailed:
            failed.append(name)

    async def _asked(self, provider: Guarded, query: Query, until: float) -> Said:
        answer = await provider.ask(query, until)
        return said_by(provider.settings.name, answer, self.clock(), self.person_of)

    def _settle(self, spot: tuple[str, str], task: "asyncio.Task[Said]") -> None:
        self._asking.pop(spot, None)
        if task.cancelled() or task.exception() is not None:
            return
        self._recent[spot] = task.result()
        if len(self._recent) > RECENT_LIMIT:
            self._recent.popitem(last=False)


async def _by(deadline: float, asking: "asyncio.Task[Said]") -> Said:
    """Return an answer that is there by `deadline`, read or not. Raises TimeoutError; ProviderFailed as it was.

    Where many ask at once, an answer may have arrived while others were read: the loop gets a few passes to read what
    is there, which waits for nobody.
    """
    # The question goes on where the deadline comes first: others may wait for it too.
    await asyncio.wait([asking], timeout=deadline - asyncio.get_running_loop().time())
    for _ in range(READING_PASSES):
        if asking.done():
            return asking.result()
        await asyncio.sleep(0)
    if asking.done():
        return asking.result()
    raise TimeoutError


def _has_part(settings: ProviderSettings, key: str) -> bool:
    """Tell whether a question is in the provider's share: the same for all leads of one company."""
    if settings.share >= 1:
        return True
    draw = int.from_bytes(hashlib.blake2b(f"{settings.name}/{key}".encode(), digest_size=4).digest(), "big")
    return draw < settings.share * 2**32


async def all_of(asking: Sequence[Coroutine[Any, Any, T]]) -> list[T]:
    """Return what all came to, in order; they run side by side, the first ones ahead."""
    return await asyncio.gather(*await started(asking))


async def started(asking: Sequence[Coroutine[Any, Any, T]]) -> list[asyncio.Task[T]]:
    """Return all of them under way, in order.

    A few at a time are started, so that each has sent its question before the next begin: its deadline runs from then.
    """
    tasks: list[asyncio.Task[T]] = []
    for number, one in enumerate(asking, start=1):
        tasks.append(asyncio.create_task(one))
        if number % _START_TOGETHER == 0:
            await asyncio.sleep(0)
            await asyncio.sleep(0)
    return tasks


def is_enough(answers: Sequence[Said]) -> bool:
    """Tell whether the fields that routing needs are all answered, so that no further provider need be paid."""
    firms = [said.company for said in answers if said.company is not None]
    if len(firms) == 1:  # as for most leads, which are asked about twice
        return is_complete(firms[0])
    return all(any(getattr(firm, name) is not None for firm in firms) for name in NEEDED)


def said_by(name: str, answer: Answer, at: datetime, person_of: Callable[[str], str]) -> Said:
    """Return a provider's answer as it is kept: addresses replaced by person ids."""
    if not isinstance(answer, Firmographics):
        return Said(name, at, is_fresh=True)
    return Said(
        name,
        at,
        answer.company,
        answer.confidence,
        answer.others,
        tuple(person_of(email) for email in answer.emails),
        answer.found_by,
        is_fresh=True,
        company_phone=answer.company_phone,
        company_profiles=answer.company_profiles,
    )
