"""What waits for an account that takes nothing: one wake-up a line, the urgent first, nothing lost at its end."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import orjson
import purgatory.domain.model
import pytest

from notifiers import lane
from notifiers.attempts import MemoryAttemptLog
from notifiers.courier import Courier
from notifiers.delivery import delivery_key, opened
from notifiers.line import SOONEST_SECONDS, armed_again, lane_of, place_of, rank_of
from notifiers.outcome import Attempt, Try
from notifiers.settings import ChannelSettings
from notifiers.templates import load
from schemas.decision import Audience, Decision
from schemas.delivery import NoticeSettled, Outcome
from schemas.effects import Emit, Wake
from schemas.timer import WakeUp
from streams.stages.notify import Notify
from tests.lab.apis import plain_ok
from tests.lab.channels import LABS, SECRET
from tests.lab.decisions import NOW, Roster, decision, notice
from tests.lab.http_server import Server, serving
from tests.lab.push_service import Browser
from tests.lab.state import Partition

LEADS = 40


class HandClock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> HandClock:
    """A clock that the breakers go by too."""
    made = HandClock()
    hand = SimpleNamespace(time=lambda: made.now.timestamp())
    monkeypatch.setattr(lane, "time", hand)
    monkeypatch.setattr(purgatory.domain.model, "time", hand)
    return made


def lead(number: int, **changes: Any) -> Decision:
    person = f"{number:032x}"
    tier, urgent, ends = changes.pop("tier", "T2"), changes.pop("urgent", False), changes.pop("expires_at", None)
    values = {"decision_id": f"d{number}", "lead_id": f"main.{person}.1", "person": person, "tier": tier, **changes}
    return decision(notice(channels=("webhook",), urgent=urgent, expires_at=ends), **values)


@asynccontextmanager
async def notifying(clock: HandClock, **changes: Any) -> AsyncIterator[tuple[Partition, Server]]:
    async with serving(plain_ok) as server:
        hook = {"url": server.url, "secret": SECRET}
        values = {"webhooks": {"default": hook}, "allowed_hosts": ["127.0.0.1"], "fallback": (), "breaker_failures": 2}
        settings = ChannelSettings.model_validate(values | {"patience_seconds": 60, "breaker_seconds": 0.05} | changes)
        stage = Notify(settings, Roster(), Courier(settings, MemoryAttemptLog(), clock), load(None), clock)
        partition = Partition(stage)
        try:
            yield partition, server
        finally:
            await partition.stage.close()


async def turn(partition: Partition, clock: HandClock, *decisions: Decision, **ahead: float) -> None:
    clock.now += timedelta(**ahead)
    events = [*partition.due(clock.now), *(partition.event(one, one.person) for one in decisions)]
    await partition.batch(events, clock.now, asyncio.get_running_loop().time() + 60)


def line_wakes(partition: Partition) -> list[Wake]:
    return [wake for key, wake in partition.wakes.items() if key.startswith("delivery/line/")]


def outcomes(partition: Partition) -> list[Outcome]:
    return [
        e.value.outcome for e in partition.emitted if isinstance(e.value, NoticeSettled) and e.value.channel != "all"
    ]


async def down(partition: Partition, server: Server, clock: HandClock, *more: Decision) -> None:
    server.mood.script = [503] * 10_000
    for number in range(4):
        await turn(partition, clock, lead(number), seconds=0.01)
    await turn(partition, clock, *(lead(number) for number in range(4, LEADS)), *more, seconds=0.01)


async def test_an_account_that_is_down_has_one_wake_up_however_many_wait(clock: HandClock) -> None:
    async with notifying(clock) as (partition, server):
        await down(partition, server, clock)
        assert len(line_wakes(partition)) == 1
        calls = server.calls
        for _ in range(50):
            await turn(partition, clock, seconds=0.5)
        assert len(line_wakes(partition)) == 1
        assert server.calls <= calls + 60  # one a look, and the first ones' own tries
        assert outcomes(partition) == []


async def test_the_line_moves_on_fast_once_the_account_takes_and_ends_with_it(clock: HandClock) -> None:
    async with notifying(clock) as (partition, server):
        await down(partition, server, clock)
        server.mood.script.clear()
        turns = 0
        while len(outcomes(partition)) < LEADS:
            await turn(partition, clock, seconds=1)
            turns += 1
            assert turns < 60
        assert outcomes(partition) == [Outcome.DELIVERED] * LEADS
        await turn(partition, clock, seconds=60)
        assert len({got.headers["webhook-id"] for got in server.accepted}) == len(server.accepted) == LEADS
        assert [key for key in partition.rows if key.split("/")[0] in ("line", "lane", "ledger")] == []
        assert [key for key in partition.wakes if not key.startswith("delivery/expiry/")] == []


async def test_the_urgent_go_first_when_it_is_back(clock: HandClock) -> None:
    async with notifying(clock) as (partition, server):
        await down(partition, server, clock, lead(900, tier="T3"), lead(901, tier="T1", urgent=True))
        before = len(server.accepted)
        server.mood.script.clear()
        clock.now += timedelta(seconds=0.06)
        while len(server.accepted) == before:
            await turn(partition, clock, seconds=1)
        first = orjson.loads(server.accepted[before].body)["data"]
        assert first["decision_id"] == "d901"


async def test_what_comes_while_others_wait_queues_up_and_an_urgent_one_is_tried_at_once(clock: HandClock) -> None:
    async with notifying(clock) as (partition, server):
        await down(partition, server, clock)
        server.mood.script.clear()
        clock.now += timedelta(seconds=0.06)
        calls = server.calls
        plain, urgent = lead(500), lead(501, tier="T1", urgent=True)
        events = [partition.event(one, one.person) for one in (plain, urgent)]
        await partition.batch(events, clock.now, asyncio.get_running_loop().time() + 60)
        assert server.calls == calls + 1
        settled = [e.value for e in partition.emitted if isinstance(e.value, NoticeSettled)]
        assert [one.decision_id for one in settled if one.outcome is Outcome.DELIVERED] == ["d501"]


async def test_a_delivery_that_waits_ends_at_its_time_and_leaves_the_line(clock: HandClock) -> None:
    async with notifying(clock) as (partition, server):
        ends_at = NOW + timedelta(seconds=20)
        await down(partition, server, clock, lead(700, expires_at=ends_at))
        await turn(partition, clock, seconds=25)
        ended = [
            e.value for e in partition.emitted if isinstance(e.value, NoticeSettled) and e.value.decision_id == "d700"
        ]
        assert [(one.outcome, one.reason) for one in ended if one.channel == "webhook"] == [
            (Outcome.EXPIRED, "the channel takes nothing now")
        ]
        assert "ledger/d700" not in partition.rows
        assert not any("d700" in value.decode() for key, value in partition.rows.items() if key.startswith("line/"))


async def test_an_owner_who_waits_in_a_line_counts_as_not_told_after_thirty_seconds(clock: HandClock) -> None:
    async with notifying(clock) as (partition, server):
        await down(partition, server, clock)
        await turn(partition, clock, seconds=31)
        alarms = [e.value for e in partition.emitted if isinstance(e.value, NoticeSettled) and e.value.all_failed]
        assert {one.decision_id for one in alarms} >= {f"d{number}" for number in range(4, LEADS)}


async def test_a_line_outlives_the_process(clock: HandClock) -> None:
    async with notifying(clock) as (partition, server):
        await down(partition, server, clock)
        server.mood.script.clear()
        await partition.stage.close()
        courier = Courier(partition.stage._settings, MemoryAttemptLog(), clock)  # type: ignore[attr-defined]
        partition.stage = Notify(partition.stage._settings, Roster(), courier, load(None), clock)  # type: ignore[attr-defined]
        while len(outcomes(partition)) < LEADS:
            await turn(partition, clock, seconds=1)
        assert len(server.accepted) == LEADS


async def test_two_receivers_of_webhooks_have_a_breaker_each(clock: HandClock) -> None:
    async with serving(plain_ok) as other:
        more = {"name": {"url": other.url, "secret": SECRET}}
        async with notifying(clock) as (partition, server):
            settings = partition.stage._settings  # type: ignore[attr-defined]
            hooks = settings.webhooks | ChannelSettings.model_validate({"webhooks": more}).webhooks
            both = settings.model_copy(update={"webhooks": hooks})
            await partition.stage.close()
            partition.stage = Notify(both, Roster(), Courier(both, MemoryAttemptLog(), clock), load(None), clock)
            server.mood.script = [503] * 10_000
            for number in range(20):
                one = lead(number)
                to_all = one.model_copy(update={"notices": (notice(audience=Audience.WEBHOOK, recipients=()),)})
                await turn(partition, clock, to_all, seconds=0.01)
            assert len(other.accepted) == 20
            assert server.calls < 10


@pytest.mark.parametrize(
    ("row", "lane"),
    [
        ({"channel": "slack"}, "slack"),
        ({"channel": "webhook", "audience": "webhook", "recipient": "crm/x"}, "webhook:crm%2Fx"),
        ({"channel": "webhook", "audience": "webhook", "recipient": "gone"}, "webhook:default"),
        ({"channel": "webhook", "audience": "owner", "recipient": "M1"}, "webhook:default"),
        ({"channel": "push", "audience": "owner", "recipient": "M1"}, "push:push.example"),
    ],
)
def test_each_account_is_a_lane_of_its_own(row: dict[str, str], lane: str) -> None:
    hook = {"url": "https://h.example", "secret": SECRET}
    settings = ChannelSettings.model_validate({"webhooks": {"default": hook, "crm/x": hook}})
    asked = notice(
        channels=(row["channel"],),
        audience=row.get("audience", "owner"),
        recipients=(row.get("recipient", "M1"),),
    )
    ledger = opened(decision(asked), settings, NOW)
    device = Browser().device("https://push.example")
    found = lane_of(ledger.rows[0], asked, (device,), settings)
    assert found == lane
    assert place_of(found, rank_of(asked, "T1"), ledger, ledger.rows[0]).startswith(f"line/{lane}/11/")


async def test_what_was_begun_before_a_kill_is_marked_though_it_waited_in_a_line_since(clock: HandClock) -> None:
    async with LABS["slack"]() as lab:
        assert lab.settings.slack is not None
        blind = lab.settings.slack.model_copy(update={"looks_up_repeats": False})
        settings = lab.settings.model_copy(update={"slack": blind, "patience_seconds": 60, "fallback": ()})
        begun, other = (decision(notice(channels=("slack",)), decision_id=name) for name in ("d-begun", "d-other"))
        log = MemoryAttemptLog((delivery_key("d-begun", "owner", "M1", "slack"),))
        partition = Partition(Notify(settings, Roster(), Courier(settings, log, clock), load(None), clock))
        lab.mood.script = [("later", 0.1)]
        await turn(partition, clock, other, seconds=0.01)
        await turn(partition, clock, begun, seconds=0.01)
        assert [key for key in partition.rows if key.startswith("line/")] != []
        while len(outcomes(partition)) < 2:
            await asyncio.sleep(0.02)  # the pause is the machine's time
            await turn(partition, clock, seconds=1)
        await partition.stage.close()
    settled = {e.value.decision_id: e.value for e in partition.emitted if isinstance(e.value, NoticeSettled)}
    assert {name: one.possible_repeat for name, one in settled.items()} == {"d-begun": True, "d-other": False}


@dataclass(frozen=True)
class Next:
    """The wake-up after a turn. seconds: until it comes; 0: at once, not by way of TIMERS."""

    width: int
    seconds: float


def after(taken: int, back: int, after_seconds: float | None = None) -> Next:
    """Return what follows a turn of 16 in a line of 100, of which some were taken and some given back."""
    places = [f"line/slack/13/{number:03d}/k{number}" for number in range(100)]
    settings, clock = ChannelSettings(), HandClock()
    carrier = Courier(settings, MemoryAttemptLog(), clock)
    partition = Partition(Notify(settings, Roster(), carrier, load(None), clock))
    partition.rows = dict.fromkeys(places, b'"d"')
    attempts = {f"k{n}": Attempt(Try.DELIVERED, NOW) for n in range(taken)}
    for number in range(taken, taken + back):
        attempts[f"k{number}"] = Attempt(Try.WAITING, NOW, "", after_seconds, place=places[number])
    wake = WakeUp(waker="delivery/line/slack/p", due_at=NOW, fired_at=NOW, data={"lane": "slack", "width": 16})
    (last,) = (
        effect
        for effect in armed_again(partition, wake, attempts, frozenset(places[:taken]), True, "p", NOW)
        if isinstance(effect, Wake | Emit)
    )
    if isinstance(last, Emit):
        return Next(last.value.data["width"], 0.0)
    return Next(int(last.data["width"]), (last.due_at - NOW).total_seconds())


def test_a_line_whose_first_were_all_taken_goes_on_at_once_with_four_times_as_many() -> None:
    assert after(taken=16, back=0) == Next(64, 0.0)


def test_a_line_that_found_too_few_places_goes_on_at_once_with_as_many_as_found_one() -> None:
    assert after(taken=9, back=7, after_seconds=SOONEST_SECONDS) == Next(9, 0.0)


def test_a_line_whose_account_is_at_its_rate_comes_again_when_the_rate_allows() -> None:
    assert after(taken=9, back=7, after_seconds=2.5) == Next(9, 2.5)


def test_a_line_that_nobody_takes_from_sends_one_ahead() -> None:
    assert after(taken=0, back=16, after_seconds=5.0) == Next(1, 5.0)
    assert after(taken=0, back=16) == Next(1, SOONEST_SECONDS)
