import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import purgatory.domain.model
import pytest

from enrichment.answer import Said
from enrichment.guard import BreakerOpen, Guarded, OneTooSlow, PaceFull, RetryBudget
from enrichment.providers.provider import (
    Answer,
    Firmographics,
    NotFound,
    ProviderBusy,
    ProviderDown,
    ProviderFailed,
    Query,
)
from enrichment.quota import HourlyQuota, QuotaSpent, Used, decode_used
from enrichment.waterfall import Waterfall
from schemas.lead import Company
from schemas.org import ProviderSettings
from schemas.wire import encode

NOW = datetime(2026, 3, 10, 14, 14, tzinfo=UTC)
QUERY = Query(domain="acme.example")
WHOLE = Company(domain="acme.example", employees=300, industry="saas", country="US")


class Fake:
    """A provider that answers from a script, the last entry for ever. `calls` counts the questions."""

    def __init__(self, *script: Answer | ProviderFailed, wait: asyncio.Event | None = None) -> None:
        self.script = list(script)
        self.wait = wait
        self.calls = 0

    async def lookup(self, query: Query, deadline: float) -> Answer:
        self.calls += 1
        if self.wait is not None:
            await self.wait.wait()
        entry = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(entry, ProviderFailed):
            raise entry
        return entry


def guarded(
    fake: Fake, name: str = "one", quota: int | None = None, call_seconds: float = 60.0, retries: float = 0.0,
    failures: int = 5, rest: float = 30, clock: Callable[[], datetime] = lambda: NOW, per_second: float | None = None,
) -> Guarded:  # fmt: skip
    settings = ProviderSettings(
        name=name, kind="directory", breaker_failures=failures, breaker_seconds=rest, per_second=per_second
    )
    return Guarded(settings, fake.lookup, HourlyQuota(quota), RetryBudget(0.1, retries), call_seconds, clock)


def waterfall(*providers: Guarded) -> Waterfall:
    return Waterfall(providers, lambda: NOW, lambda email: f"person of {email}")


def by(seconds: float) -> float:
    return asyncio.get_running_loop().time() + seconds


async def test_the_first_complete_answer_ends_the_asking() -> None:
    one, two = Fake(Firmographics(WHOLE)), Fake(Firmographics(WHOLE))
    learnt = await waterfall(guarded(one, "one"), guarded(two, "two")).ask(QUERY, "k", {}, by(60))
    assert ([said.provider for said in learnt.answers], two.calls, learnt.called) == (["one"], 0, ("one",))


SCRIPTS: dict[str, tuple[Answer | ProviderFailed, ...]] = {
    "the first knows all": (Firmographics(WHOLE), Firmographics(WHOLE)),
    "the first knows a part": (Firmographics(Company(employees=5), 0.5, emails=("a@b.example",)), Firmographics(WHOLE)),
    "nobody knows": (NotFound(), NotFound()),
    "the first fails": (ProviderDown(), Firmographics(WHOLE)),
}


@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS)
async def test_providers_at_hand_say_the_same_without_an_event_loop(
    script: tuple[Answer | ProviderFailed, ...],
) -> None:
    def here() -> Waterfall:
        return waterfall(*(replace(guarded(Fake(one), f"p{at}"), is_at_hand=True) for at, one in enumerate(script)))

    assert here().is_at_hand
    assert here().ask_at_hand(QUERY, "k") == await here().ask(QUERY, "k", {}, by(60))


async def test_one_provider_outside_and_all_are_asked_with_a_deadline() -> None:
    outside = guarded(Fake(Firmographics(WHOLE)), "two")
    mixed = waterfall(replace(guarded(Fake(NotFound()), "one"), is_at_hand=True), outside)
    assert not mixed.is_at_hand
    learnt = await mixed.ask(QUERY, "k", {}, by(60))
    assert ([said.provider for said in learnt.answers], learnt.called) == (["one", "two"], ("two",))


async def test_a_provider_that_waits_is_not_at_hand() -> None:
    waiting = replace(guarded(Fake(NotFound(), wait=asyncio.Event())), is_at_hand=True)
    with pytest.raises(RuntimeError, match="not at hand"):
        waiting.ask_at_hand(QUERY)


def test_a_fault_of_a_provider_at_hand_costs_its_answer_only() -> None:
    faulty = replace(guarded(Fake(NotFound())), is_at_hand=True, lookup=lambda query, deadline: 1 / 0)
    learnt = waterfall(faulty, replace(guarded(Fake(Firmographics(WHOLE)), "two"), is_at_hand=True)).ask_at_hand(
        QUERY, "k"
    )
    assert (learnt.failed, [said.provider for said in learnt.answers]) == (("one",), ["two"])


async def test_an_empty_or_partial_answer_asks_the_next() -> None:
    rows = [Fake(NotFound()), Fake(Firmographics(Company(employees=5))), Fake(Firmographics(WHOLE))]
    learnt = await waterfall(*(guarded(row, f"p{at}") for at, row in enumerate(rows))).ask(QUERY, "k", {}, by(60))
    assert [said.provider for said in learnt.answers] == ["p0", "p1", "p2"]


async def test_a_failing_provider_is_passed_over() -> None:
    learnt = await waterfall(guarded(Fake(ProviderDown()), "one"), guarded(Fake(Firmographics(WHOLE)), "two")).ask(
        QUERY, "k", {}, by(60)
    )
    assert (learnt.failed, [said.provider for said in learnt.answers]) == (("one",), ["two"])


async def test_a_provider_with_a_fault_in_it_costs_no_lead() -> None:
    async def broken(query: Query, deadline: float) -> Answer:
        raise KeyError("canary")

    one = guarded(Fake(NotFound()), "one")
    one.lookup = broken
    learnt = await waterfall(one, guarded(Fake(Firmographics(WHOLE)), "two")).ask(QUERY, "k", {}, by(60))
    assert (learnt.failed, learnt.called, len(learnt.answers)) == (("one",), ("one", "two"), 1)


async def test_a_slow_provider_is_unanswered_at_the_deadline_and_its_answer_serves_the_next() -> None:
    go = asyncio.Event()
    slow = Fake(Firmographics(WHOLE), wait=go)
    asked = waterfall(guarded(slow, "one"), guarded(Fake(NotFound()), "two"))
    learnt = await asked.ask(QUERY, "k", {}, by(0.02))
    assert (learnt.answers, learnt.unanswered) == ((), ("one", "two"))
    go.set()
    again = await asked.ask(QUERY, "k", {}, by(60))
    assert ([said.company for said in again.answers], slow.calls, again.called) == ([WHOLE], 1, ())


async def test_a_share_of_companies_is_asked_of_a_provider_and_always_the_same_ones() -> None:
    fake = Fake(Firmographics(WHOLE))
    half = guarded(fake)
    half.settings = half.settings.model_copy(update={"share": 0.5})
    asked = [bool((await waterfall(half).ask(QUERY, f"k{at}", {}, by(60))).answers) for at in range(200)]
    again = [bool((await waterfall(half).ask(QUERY, f"k{at}", {}, by(60))).answers) for at in range(200)]
    assert 70 < sum(asked) < 130
    assert asked == again


async def test_leads_of_one_company_share_one_request() -> None:
    fake = Fake(Firmographics(WHOLE))
    asked = waterfall(guarded(fake))
    until = by(60)
    learnt = await asyncio.gather(*(asked.ask(QUERY, "k", {}, until) for _ in range(20)))
    assert fake.calls == 1
    assert sum(len(row.called) for row in learnt) == 1


async def test_what_is_kept_is_not_asked_again() -> None:
    fake = Fake(Firmographics(WHOLE))
    kept = {"one": Said("one", NOW, WHOLE)}
    learnt = await waterfall(guarded(fake)).ask(QUERY, "k", kept, by(60))
    assert (learnt.answers, fake.calls) == ((kept["one"],), 0)


async def test_other_addresses_are_kept_as_person_ids() -> None:
    learnt = await waterfall(guarded(Fake(Firmographics(WHOLE, emails=("j@x.example",))))).ask(QUERY, "k", {}, by(60))
    assert learnt.answers[0].alternates == ("person of j@x.example",)


async def test_a_spent_quota_goes_to_the_next_until_the_hour_turns() -> None:
    now = [NOW]
    fake = Fake(Firmographics(WHOLE))
    one = guarded(fake, quota=3, clock=lambda: now[0])
    asked = waterfall(one, guarded(Fake(Firmographics(WHOLE)), "two"))
    names = [(await asked.ask(QUERY, f"k{at}", {}, by(60))).answers[0].provider for at in range(5)]
    assert names == ["one"] * 3 + ["two"] * 2
    now[0] += timedelta(hours=1)
    assert (await asked.ask(QUERY, "k9", {}, by(60))).answers[0].provider == "one"


async def test_a_restart_remembers_the_calls_of_the_hour_and_forgets_older_ones() -> None:
    one = guarded(Fake(Firmographics(WHOLE)), quota=3)
    waterfall(one).remember({"one": decode_used(encode(Used("2026-03-10T14", 2)) or b"")}, NOW)
    await one.ask(QUERY, by(60))
    with pytest.raises(QuotaSpent):
        await one.ask(QUERY, by(60))
    other = guarded(Fake(Firmographics(WHOLE)), quota=3)
    waterfall(other).remember({"one": Used("2026-03-10T13", 3), "gone": None}, NOW)
    assert isinstance(await other.ask(QUERY, by(60)), Firmographics)


async def test_a_dead_provider_is_left_alone_then_probed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1_000.0]
    monkeypatch.setattr(purgatory.domain.model, "time", SimpleNamespace(time=lambda: now[0]))
    fake = Fake(ProviderDown())
    one = guarded(fake, failures=3, rest=30)
    for _ in range(100):
        with pytest.raises(ProviderFailed):
            await one.ask(QUERY, by(60))
    assert fake.calls == 3
    with pytest.raises(BreakerOpen):
        await one.ask(QUERY, by(60))
    fake.wait = asyncio.Event()
    now[0] += 31
    for _ in range(50):
        assert await settled(one) is None
    assert fake.calls == 4, "one question beside the leads"
    fake.wait.set()
    for _ in range(50):
        assert await settled(one) is None
    assert fake.calls == 4, "which failed: left alone for as long again"
    await one.close()


async def test_no_lead_waits_to_see_whether_a_hanging_provider_is_back() -> None:
    fake = Fake(ProviderDown(), Firmographics(WHOLE))
    one = guarded(fake, failures=1, rest=0.01)
    with pytest.raises(ProviderDown):
        await one.ask(QUERY, by(60))
    fake.wait = asyncio.Event()
    async with asyncio.timeout(30):
        while fake.calls < 2:
            assert await settled(one) is None
        for _ in range(20):
            assert await settled(one) is None
        assert fake.calls == 2, "one question beside the leads, which hangs"
        fake.wait.set()
        while not isinstance(await settled(one), Firmographics):
            pass
    await one.close()


async def settled(one: Guarded) -> Answer | None:
    """Return the answer, None where the breaker is open; what goes on beside gets its turn."""
    await asyncio.sleep(0)
    try:
        return await one.ask(QUERY, by(60))
    except BreakerOpen:
        return None


async def test_a_limiting_provider_is_not_asked_before_it_said() -> None:
    fake = Fake(ProviderBusy(60))
    one = guarded(fake)
    for _ in range(3):
        with pytest.raises(ProviderBusy):
            await one.ask(QUERY, by(60))
    assert fake.calls == 1


async def test_a_retry_needs_budget_and_time() -> None:
    lucky = Fake(ProviderDown(), Firmographics(WHOLE))
    assert isinstance(await guarded(lucky, retries=1.0).ask(QUERY, by(60)), Firmographics)
    poor = Fake(ProviderDown(), Firmographics(WHOLE))
    with pytest.raises(ProviderDown):
        await guarded(poor, retries=0.0).ask(QUERY, by(60))
    assert (lucky.calls, poor.calls) == (2, 1)


async def test_a_call_has_its_own_deadline() -> None:
    slow = Fake(Firmographics(WHOLE), wait=asyncio.Event())
    with pytest.raises(ProviderDown):
        await guarded(slow, call_seconds=0.03).ask(QUERY, by(60))


async def test_a_rate_limit_spreads_the_calls() -> None:
    fake = Fake(Firmographics(WHOLE))
    one = guarded(fake, per_second=0.001, failures=3)
    await one.ask(QUERY, by(60))
    for _ in range(5):
        with pytest.raises(PaceFull):  # and no BreakerOpen: that we wait for our own pace is no fault of the provider
            await one.ask(QUERY, by(0.05))
    assert fake.calls == 1


class Slow(Fake):
    """Knows every company; those named "slow" it never answers for."""

    async def lookup(self, query: Query, deadline: float) -> Answer:
        if query.domain == "slow.example":
            await asyncio.Event().wait()
        return await super().lookup(query, deadline)


async def answers_of(one: Guarded, names: Sequence[str], monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Return what comes of questions asked at one moment, once the time of a call has passed for all of them."""
    loop, now = asyncio.get_running_loop(), [1_000.0]

    def look() -> float:
        now[0] += 1e-6  # an answer comes after its question
        return now[0]

    with monkeypatch.context() as patch:
        patch.setattr(loop, "time", look)
        asked = [asyncio.create_task(one.ask(Query(domain=name), now[0] + 60)) for name in names]
        for _ in range(20):
            await asyncio.sleep(0)
        now[0] += one.call_seconds + 0.1
        return await asyncio.gather(*asked, return_exceptions=True)


async def test_the_slow_calls_of_a_large_batch_that_end_together_open_no_breaker(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one = guarded(Slow(Firmographics(WHOLE)), call_seconds=2, failures=3)
    answers = await answers_of(one, ["slow.example"] * 6 + ["acme.example"] * 40, monkeypatch)
    assert [type(answer) for answer in answers] == [OneTooSlow] * 6 + [Firmographics] * 40
    assert isinstance(await one.ask(QUERY, by(60)), Firmographics)


async def test_a_provider_that_answers_one_of_four_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    one = guarded(Slow(Firmographics(WHOLE)), call_seconds=2, failures=3)
    await answers_of(one, (["slow.example"] * 3 + ["acme.example"]) * 10, monkeypatch)
    with pytest.raises(BreakerOpen):
        await one.ask(QUERY, by(60))


async def test_closing_breaks_off_what_is_asked_and_closes_the_connections() -> None:
    asked = waterfall(guarded(Fake(Firmographics(WHOLE), wait=asyncio.Event()), call_seconds=60))
    await asked.ask(QUERY, "acme.example", {}, by(0.01))
    session = asked.pool.session(frozenset())
    async with asyncio.timeout(60):
        await asked.close()
    assert session.closed
    assert asyncio.all_tasks() == {asyncio.current_task()}
