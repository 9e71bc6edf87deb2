import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import purgatory.domain.model
import pytest
from aiohttp import web

from notifiers import lane
from notifiers.attempts import AttemptLog, FileAttemptLog, MemoryAttemptLog
from notifiers.courier import Courier, Parcel
from notifiers.message import Body, Message
from notifiers.outcome import Attempt, Suppressed, Try
from notifiers.settings import ChannelSettings
from tests.lab.channels import SECRET, sms_lab
from tests.lab.http_server import Got, Server, serving


def clock() -> datetime:
    return datetime.now(UTC)


def message(to: str = "default", channel: str = "webhook") -> Message:
    return Message(
        lead_id="main.4f.1",
        decision_id="d1",
        person="4f",
        template="assignment",
        audience="owner",
        recipient="M1",
        to=to,
        body=Body("s", "t"),
    )


def parcel(key: str, channel: str = "webhook", **more: Any) -> Parcel:
    values: dict[str, Any] = {"compose": message, "chain": f"chain/{key}", **more}
    return Parcel(key, channel, **values)


async def ok(got: Got) -> web.StreamResponse:
    return web.Response()


@asynccontextmanager
async def courier(log: AttemptLog | None = None, **changes: Any) -> AsyncIterator[tuple[Courier, Server]]:
    async with serving(ok) as server:
        hooks = {"default": {"url": server.url, "secret": SECRET}}
        values = {"webhooks": hooks, "allowed_hosts": ["127.0.0.1"], "patience_seconds": 60, **changes}
        made = Courier(ChannelSettings.model_validate(values), log or MemoryAttemptLog(), clock)
        try:
            yield made, server
        finally:
            await made.close()


async def until(done: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not done():
            await asyncio.sleep(0.01)


def results(attempts: dict[str, Attempt]) -> dict[str, Try]:
    return {key: attempt.result for key, attempt in attempts.items()}


async def test_the_urgent_go_first() -> None:
    async with courier(channel_concurrency=1) as (made, server):
        parcels = [parcel(f"k{rank}", rank=(rank,)) for rank in (2, 0, 1)]
        await made.deliver(parcels, (), 60)
        assert [got.headers["webhook-id"] for got in server.accepted] == ["k0", "k1", "k2"]


async def test_what_is_out_is_not_sent_again_while_it_is_waited_for() -> None:
    async with courier() as (made, server):
        server.mood.delay_seconds = 0.3
        assert results(await made.deliver([parcel("a")], (), 0.05)) == {"a": Try.WAITING}
        assert results(await made.deliver([parcel("a")], (), 60)) == {"a": Try.DELIVERED}
        assert server.calls == 1


async def test_one_call_that_is_never_answered_does_not_stop_its_account() -> None:
    async with courier(patience_seconds=0.05) as (made, server):
        server.mood.script = ["hang"]
        assert results(await made.deliver([parcel("a")], (), 0.05)) == {"a": Try.WAITING}
        async with asyncio.timeout(60):  # well before the call is given up
            while server.calls < 2:
                await made.deliver([parcel("b")], (), 0.05)
                await asyncio.sleep(0.01)
            while results(await made.deliver([parcel("b")], (), 0.05)) != {"b": Try.DELIVERED}:
                await asyncio.sleep(0.01)
        assert results(await made.deliver([parcel("c")], (), 60)) == {"c": Try.DELIVERED}
        assert made.is_under_way("a")


async def test_a_result_stands_until_it_is_committed() -> None:
    async with courier() as (made, server):
        await made.deliver([parcel("a")], (), 60)
        assert results(await made.deliver([parcel("a")], (), 60)) == {"a": Try.DELIVERED}
        assert server.calls == 1
        await made.deliver([parcel("a")], ["a"], 60)
        assert server.calls == 2


async def test_parcels_of_one_chain_keep_their_order() -> None:
    async with courier() as (made, server):
        server.mood.delay_seconds = 0.02
        await made.deliver([parcel(f"k{n}", chain="one", rank=(n,)) for n in range(5)], (), 60)
        assert [got.headers["webhook-id"] for got in server.accepted] == [f"k{n}" for n in range(5)]


async def test_a_message_that_cannot_be_composed_is_no_ones_problem_but_its_own() -> None:
    def broken() -> Message:
        raise RuntimeError("surprise")

    def nowhere() -> Message:
        raise Suppressed("the recipient has no address on this channel")

    async with courier() as (made, _):
        parcels = [
            parcel("a", compose=broken),
            parcel("b"),
            parcel("c", compose=nowhere),
            parcel("d", "carrier pigeon"),
        ]
        attempts = await made.deliver(parcels, (), 60)
    assert results(attempts) == {"a": Try.LATER, "b": Try.DELIVERED, "c": Try.SUPPRESSED, "d": Try.SUPPRESSED}
    assert attempts["a"].reason == "unexpected RuntimeError"
    assert attempts["d"].reason == "channel not configured"


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Let the breakers' clock stand, and move it by hand."""
    now = [1_000.0]
    hand = SimpleNamespace(time=lambda: now[0])
    monkeypatch.setattr(lane, "time", hand)
    monkeypatch.setattr(purgatory.domain.model, "time", hand)

    def move(seconds: float) -> None:
        now[0] += seconds

    return move


async def test_a_dead_channel_hears_few_calls_and_is_found_alive_again(passes: Callable[[float], None]) -> None:
    async with courier(breaker_failures=3, breaker_seconds=1.0, channel_concurrency=2) as (made, server):
        server.mood.script = [503] * 1_000
        await made.deliver([parcel(f"k{n}") for n in range(200)], (), 60)
        assert server.calls <= 4
        server.mood.script.clear()
        passes(1.1)
        delivered: set[str] = set()
        async with asyncio.timeout(60):
            while len(delivered) < 200:
                left = [parcel(f"k{n}") for n in range(200) if f"k{n}" not in delivered]
                attempts = await made.deliver(left, [p.key for p in left], 60)
                delivered |= {key for key, attempt in attempts.items() if attempt.result is Try.DELIVERED}
        assert server.calls <= 200 * 1.1


async def test_a_half_open_channel_gets_one_call_and_no_crowd(passes: Callable[[float], None]) -> None:
    async with courier(breaker_failures=1, breaker_seconds=0.5) as (made, server):
        server.mood.script = [503] * 1_000
        await made.deliver([parcel("first")], (), 60)
        calls = server.calls
        passes(0.6)
        await made.deliver([parcel(f"k{n}") for n in range(50)], (f"k{n}" for n in range(50)), 60)
        assert server.calls == calls + 1


async def test_one_request_to_wait_holds_the_whole_channel() -> None:
    async with courier(channel_concurrency=1) as (made, server):
        server.mood.script = [("later", 3_000)]
        attempts = await made.deliver([parcel(f"k{n}") for n in range(10)], (), 60)
        assert server.calls == 1
    assert sorted(a.result for a in attempts.values()) == [Try.LATER] + [Try.WAITING] * 9
    assert all(a.after_seconds is not None and 2_900 < a.after_seconds <= 3_000 for a in attempts.values())


async def test_the_rate_is_kept_and_who_must_wait_is_told_when_to_ask_again() -> None:
    async with courier(rates={"webhook": {"messages": 5, "seconds": 1_000}}) as (made, server):
        attempts = await made.deliver([parcel(f"k{n:02d}", rank=(n,)) for n in range(20)], (), 2)
        await until(lambda: server.calls >= 5)
        assert server.calls == 5
    waits = [attempts[f"k{n:02d}"].after_seconds for n in range(5, 20)]
    assert waits == sorted(waits)  # type: ignore[type-var]
    assert waits[-1] == 3_000


async def test_a_repeat_on_a_channel_that_cannot_tell_is_marked_unless_it_is_found_there() -> None:
    async with sms_lab() as lab:
        made = Courier(lab.settings, MemoryAttemptLog(begun=["lost", "sent"]), clock)

        def text() -> Message:
            return message("+12125550101")

        first = await made.deliver([parcel("lost", "sms", compose=text)], (), 60)
        second = await made.deliver([parcel("new", "sms", compose=text)], (), 60)
        lab.mood.script = ["drop"]
        await made.deliver([parcel("cut", "sms", compose=text)], (), 60)
        again = [parcel("cut", "sms", compose=text, may_have_arrived=True)]
        third = await made.deliver(again, ["cut"], 60)
        await made.close()
    assert first["lost"].was_repeat
    assert not second["new"].was_repeat
    assert third["cut"].result is Try.DELIVERED
    assert not third["cut"].was_repeat
    assert lab.known() == 3


async def test_a_delivery_that_ended_while_its_request_was_out_leaves_nothing_behind(tmp_path: Path) -> None:
    log = FileAttemptLog(tmp_path / "attempts.log")
    async with courier(log) as (made, server):
        server.mood.delay_seconds = 0.3
        assert results(await made.deliver([parcel("a")], (), 0.05)) == {"a": Try.WAITING}
        await made.deliver([], ("a",), 0)  # its time ran out, and that is on record
        async with asyncio.timeout(60):
            while made.is_under_way("a"):
                await asyncio.sleep(0.01)
    log.close()
    assert (tmp_path / "attempts.log").read_text() == ""
