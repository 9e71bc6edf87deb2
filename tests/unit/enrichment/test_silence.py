"""Providers that take requests and answer none."""

import asyncio

import pytest

from enrichment.guard import BreakerOpen
from enrichment.providers.provider import Firmographics
from enrichment.silence import Silence
from tests.unit.enrichment.test_waterfall import QUERY, WHOLE, Fake, guarded


def out(silence: Silence, count: int, at: float = 0.0) -> list[int]:
    return [silence.sent(at) for _ in range(count)]


def test_requests_without_an_answer_for_half_of_their_time_are_silence() -> None:
    silence = Silence(5, 2.0)
    out(silence, 5)
    assert (silence.is_silent(0.9), silence.is_silent(1.1)) == (False, True)


def test_fewer_than_the_breaker_counts_are_none() -> None:
    silence = Silence(5, 2.0)
    out(silence, 4)
    assert not silence.is_silent(10)


def test_one_answer_ends_it() -> None:
    silence = Silence(5, 2.0)
    numbers = out(silence, 6)
    assert silence.is_silent(1.5)
    silence.ended(numbers[0], 1.6, has_answered=True)
    assert not silence.is_silent(1.7)


def test_ends_without_an_answer_do_not() -> None:
    silence = Silence(5, 2.0)
    for number in out(silence, 10)[:5]:
        silence.ended(number, 2.0, has_answered=False)
    assert silence.is_silent(2.0)


def test_who_answers_quickly_is_given_a_quarter_of_its_time_and_who_is_slow_more() -> None:
    for usual, patience in ((0.01, 0.5), (0.2, 0.8), (1.5, 1.0)):
        silence = Silence(5, 2.0)
        for at in range(100):
            silence.ended(silence.sent(at), at + usual, has_answered=True)
        out(silence, 5, 1000)
        assert (silence.is_silent(1000 + patience * 0.95), silence.is_silent(1000 + patience * 1.05)) == (False, True)


def test_a_few_slow_answers_among_many_are_no_silence() -> None:
    silence = Silence(5, 2.0)
    out(silence, 8)
    for at in range(1, 20):
        silence.ended(silence.sent(at / 10), at / 10 + 0.05, has_answered=True)
        assert not silence.is_silent(at / 10 + 0.06)


async def test_a_provider_that_hangs_is_asked_no_more_before_its_first_request_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loop, now = asyncio.get_running_loop(), [1000.0]
    monkeypatch.setattr(loop, "time", lambda: now[0])
    fake = Fake(Firmographics(WHOLE), wait=(go := asyncio.Event()))
    one = guarded(fake, call_seconds=2)
    hanging = [asyncio.create_task(one.ask(QUERY, now[0] + 60)) for _ in range(7)]
    await asyncio.sleep(0)
    now[0] += 1.1
    for _ in range(200):
        with pytest.raises(BreakerOpen):
            await one.ask(QUERY, now[0] + 60)
    assert fake.calls == 7
    go.set()
    await asyncio.gather(*hanging)
    assert isinstance(await one.ask(QUERY, now[0] + 60), Firmographics)


async def test_an_answer_that_is_here_and_not_read_yet_is_no_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    loop, now = asyncio.get_running_loop(), [1000.0]
    monkeypatch.setattr(loop, "time", lambda: now[0])
    fake = Fake(Firmographics(WHOLE), wait=(go := asyncio.Event()))
    one = guarded(fake, call_seconds=2)
    hanging = [asyncio.create_task(one.ask(QUERY, now[0] + 60)) for _ in range(7)]
    await asyncio.sleep(0)
    now[0] += 1.1
    go.set()
    assert isinstance(await one.ask(QUERY, now[0] + 60), Firmographics)
    await asyncio.gather(*hanging)
