"""Sends many messages at once, the urgent first, and never waits for one longer than it is told to."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextvars import Context
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

from prometheus_client import CollectorRegistry

from notifiers.attempts import AttemptLog
from notifiers.channel import CHANNELS, Channel, Send, is_configured
from notifiers.lane import Closed, Lane
from notifiers.line import SOONEST_SECONDS
from notifiers.message import Message
from notifiers.metrics import NotifyMetrics
from notifiers.outcome import UNCONFIGURED, Attempt, Refused, Retryable, Sent, Suppressed, Try
from notifiers.outside import Outside, open_outside
from notifiers.settings import ChannelSettings
from spans.call_span import call_span

ASK_AGAIN_SECONDS = 1.0  # what is out
_GLANCE_SECONDS = 0.02  # as long as it takes to send a request off


@dataclass(frozen=True, slots=True)
class Parcel:
    """A message to send. lane: the account that takes it, "slack", "webhook:crm"; its channel where empty.

    chain: parcels of one chain go out one after the other. rank: lower goes first. place: where it waits with others
    while its lane takes nothing.

    compose: makes the message when its turn comes; may raise Suppressed. may_have_arrived: an earlier try got no
    answer. context: what the sending runs in, so that its span finds its parent.
    """

    key: str
    channel: str
    compose: Callable[[], Message]
    chain: str
    rank: tuple[int, ...] = ()
    lane: str = ""
    place: str = ""
    may_have_arrived: bool = False
    context: Context | None = field(default=None, compare=False, repr=False)


@dataclass(slots=True)
class _Departure:
    """When a request may have left, in the event loop's time; from then on it is not cancelled but waited for."""

    at: float | None = None


@dataclass(slots=True)
class _Transit:
    """A parcel under way."""

    parcel: Parcel
    task: "asyncio.Task[Attempt]"
    departure: _Departure


@dataclass(slots=True)
class _Chain:
    """Parcels of one lead, recipient and channel. receipt: of the last one sent, for the next one's thread."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    receipt: Mapping[str, str] = field(default_factory=dict)


class Courier:
    """Owns the connections, the lanes and what is under way. One a slot, on one event loop.

    What is not out in time is given back. What is out goes on in the background, at most
    `channel_concurrency` a channel, and its result is there for the next `deliver` of the same key.
    """

    def __init__(
        self,
        settings: ChannelSettings,
        log: AttemptLog,
        clock: Callable[[], datetime],
        metrics: NotifyMetrics | None = None,
    ) -> None:
        self._metrics = metrics or NotifyMetrics(CollectorRegistry())
        self._settings = settings
        self._log = log
        self._clock = clock
        self._outside: Outside | None = None
        self._lanes: dict[str, Lane] = {}
        self._transits: dict[str, _Transit] = {}
        self._chains: dict[str, _Chain] = {}
        self._results: dict[str, Attempt] = {}  # of the batch that is not committed yet

    async def deliver(self, parcels: Sequence[Parcel], committed: Iterable[str], seconds: float) -> dict[str, Attempt]:
        """Return an attempt for each parcel by key, within `seconds`.

        committed: keys whose outcome is on record; until then, a result stands and its parcel is not sent again.
        """
        committed = tuple(committed)
        self._log.committed(committed)
        for key in committed:
            self._results.pop(key, None)
            self._forget(key)
        known = {parcel.key: self._results[parcel.key] for parcel in parcels if parcel.key in self._results}
        for parcel in sorted(parcels, key=lambda p: p.rank):
            if parcel.key not in self._transits and parcel.key not in known:
                self._start(parcel)
        mine = {parcel.key: self._transits[parcel.key] for parcel in parcels if parcel.key not in known}
        await self._waited(mine.values(), seconds)
        collected = self._collected(mine)
        self._results.update((key, a) for key, a in collected.items() if a.result is not Try.WAITING)
        self._metrics.under_way(transit.parcel.channel for transit in self._transits.values())
        alive = {transit.parcel.chain for transit in self._transits.values()}
        self._chains = {name: chain for name, chain in self._chains.items() if name in alive}
        return known | collected

    def is_under_way(self, key: str) -> bool:
        """Tell whether a request for `key` is out, or its answer is here and not fetched. Any thread may ask."""
        return key in self._transits

    async def close(self) -> None:
        """Let go of everything. What was out stays in the attempt log."""
        tasks = [transit.task for transit in self._transits.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._transits.clear()
        if self._outside is not None:
            await self._outside.close()
            self._outside = None

    async def _waited(self, mine: Iterable[_Transit], seconds: float) -> None:
        """Wait for what may be answered soon: a lane that answers nobody, or a call out for long, holds up no other.

        What such a lane has a place for goes out all the same: an answer is how it is found to be well.
        """
        silent = {name for name, lane in self._lanes.items() if lane.is_silent}
        longest = asyncio.get_running_loop().time() - self._settings.patience_seconds
        fresh = [transit for transit in mine if (transit.departure.at or longest) >= longest]
        soon = [transit.task for transit in fresh if _lane_name(transit.parcel) not in silent]
        if soon:
            await asyncio.wait(soon, timeout=max(0.0, seconds))
        rest = [transit.task for transit in fresh if transit.departure.at is None and not transit.task.done()]
        if rest and silent:
            await asyncio.wait(rest, timeout=min(max(0.0, seconds), _GLANCE_SECONDS))

    def _forget(self, key: str) -> None:
        """Let a request go whose delivery ended while it was out: nobody will ask for its answer."""
        transit = self._transits.get(key)
        if transit is not None:
            transit.task.add_done_callback(lambda _: self._let_go(key, transit))

    def _let_go(self, key: str, transit: _Transit) -> None:
        if self._transits.get(key) is transit:
            del self._transits[key]

    def _start(self, parcel: Parcel) -> None:
        departure = _Departure()
        task = asyncio.create_task(self._carried(parcel, departure), context=parcel.context)
        self._transits[parcel.key] = _Transit(parcel, task, departure)

    def _collected(self, mine: dict[str, _Transit]) -> dict[str, Attempt]:
        attempts: dict[str, Attempt] = {}
        waiting: dict[str, int] = {}
        for key, transit in sorted(mine.items(), key=lambda item: item[1].parcel.rank):
            if transit.task.done():
                attempts[key] = transit.task.result()
                self._let_go(key, transit)
            elif transit.departure.at is not None:
                attempts[key] = self._waiting("no answer yet", ASK_AGAIN_SECONDS)
            else:
                transit.task.cancel()
                self._let_go(key, transit)
                name = _lane_name(transit.parcel)
                waiting[name] = waiting.get(name, 0) + 1
                wait = max(self._lane(transit.parcel).wait_for_place_seconds(waiting[name]), SOONEST_SECONDS)
                attempts[key] = self._waiting("waits for its turn", wait, transit.parcel.place)
        return attempts

    async def _carried(self, parcel: Parcel, departure: _Departure) -> Attempt:
        if not is_configured(parcel.channel, self._settings):
            return Attempt(Try.SUPPRESSED, self._clock(), UNCONFIGURED)
        channel = CHANNELS[parcel.channel]
        chain = self._chains.setdefault(parcel.chain, _Chain())
        async with chain.lock:
            attempt = await self._tried(parcel, channel, chain, departure)
            chain.receipt = attempt.receipt or chain.receipt
            return attempt

    async def _tried(self, parcel: Parcel, channel: Channel, chain: _Chain, departure: _Departure) -> Attempt:
        may_be_repeat = parcel.may_have_arrived or self._log.was_begun(parcel.key)

        def begin() -> None:
            departure.at = asyncio.get_running_loop().time()
            self._log.begin(parcel.key)

        try:
            lane = self._lane(parcel)
            await lane.check()
            async with lane.place():
                message = parcel.compose()  # here: what has no place yet costs nothing
                message = replace(message, may_be_repeat=may_be_repeat, receipt=message.receipt or chain.receipt)
                sent = await lane.called(begin, lambda: self._call(parcel, message, channel))
        except Closed as closed:
            return self._waiting(closed.reason, closed.after_seconds, parcel.place)
        except Suppressed as error:
            return Attempt(Try.SUPPRESSED, self._clock(), error.reason, ended=error.ended)
        except Refused as error:
            return Attempt(Try.REFUSED, self._clock(), error.reason)
        except Retryable as error:
            return Attempt(
                Try.LATER,
                self._clock(),
                error.reason,
                error.after_seconds,
                may_have_arrived=may_be_repeat or error.may_have_arrived,
            )
        except Exception as error:  # one record's surprise must not stop the stage: tried again, then failed
            return Attempt(Try.LATER, self._clock(), f"unexpected {type(error).__name__}", may_have_arrived=True)
        was_repeat = may_be_repeat and not channel.recognises_repeats and not sent.was_known
        return Attempt(Try.DELIVERED, self._clock(), was_repeat=was_repeat, receipt=sent.receipt, ended=sent.ended)

    async def _call(self, parcel: Parcel, message: Message, channel: Channel) -> Sent:
        if self._outside is None:
            self._outside = open_outside(self._settings)
        with call_span("channel", parcel.channel):
            return await _in_time(channel.send, message, parcel.key, self._outside)

    def _lane(self, parcel: Parcel) -> Lane:
        name = _lane_name(parcel)
        if name not in self._lanes:
            self._lanes[name] = Lane(name, self._settings, partial(self._lane_changed, parcel.channel))
        return self._lanes[name]

    def _lane_changed(self, channel: str) -> None:
        lanes = (lane for name, lane in self._lanes.items() if name.partition(":")[0] == channel)
        self._metrics.breaker(channel).set(any(lane.is_down for lane in lanes))

    def _waiting(self, reason: str, after_seconds: float, place: str = "") -> Attempt:
        return Attempt(Try.WAITING, self._clock(), reason, after_seconds, place=place)


def _lane_name(parcel: Parcel) -> str:
    return parcel.lane or parcel.channel


async def _in_time(send: Send, message: Message, key: str, outside: Outside) -> Sent:
    """Return what `send` returns. The last guard against a client that ignores its own time-out."""
    seconds = outside.settings.send_timeout_seconds
    try:
        async with asyncio.timeout(seconds + 1):
            return await send(message, key, outside, seconds)
    except TimeoutError:
        raise Retryable("no answer in time", may_have_arrived=True) from None
