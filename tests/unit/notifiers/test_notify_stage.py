import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import orjson
import pytest
from aiohttp import web

from notifiers.attempts import MemoryAttemptLog
from notifiers.courier import Courier
from notifiers.office import Office
from notifiers.settings import ChannelSettings
from notifiers.templates import load
from schemas.decision import Audience
from schemas.delivery import NoticeSettled, Outcome
from schemas.poison import Poison
from schemas.wire import encode
from streams.stages.notify import Notify
from tests.lab.apis import HubSpot
from tests.lab.decisions import NOW, PERSON, Roster, decision, lead, notice
from tests.lab.http_server import Got, serving
from tests.lab.mail_server import mail_serving
from tests.lab.state import Partition

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


class HandClock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@asynccontextmanager
async def notifying(
    settings: ChannelSettings, clock: HandClock, begun: tuple[str, ...] = ()
) -> AsyncIterator[Partition]:
    if "patience_seconds" not in settings.model_fields_set:  # a busy machine must not look like a slow channel
        settings = settings.model_copy(update={"patience_seconds": 60})
    office = Office(Courier(settings, MemoryAttemptLog(begun), clock))
    stage = Notify(settings, Roster(), office, load(None), clock)
    try:
        yield Partition(stage)
    finally:
        await stage.close()


async def run(partition: Partition, *decisions: object, clock: HandClock) -> list[NoticeSettled]:
    before = len(partition.emitted)
    events = [partition.event(value, PERSON) for value in decisions]
    await partition.batch(events, clock.now, asyncio.get_running_loop().time() + 60)
    return [emit.value for emit in partition.emitted[before:] if isinstance(emit.value, NoticeSettled)]


async def wake(partition: Partition, clock: HandClock, **ahead: float) -> list[NoticeSettled]:
    clock.now += timedelta(**ahead)
    before = len(partition.emitted)
    events = partition.due(clock.now)
    await partition.batch(events, clock.now, asyncio.get_running_loop().time() + 60)
    return [emit.value for emit in partition.emitted[before:] if isinstance(emit.value, NoticeSettled)]


async def ok(got: Got) -> web.StreamResponse:
    return web.Response()


def webhook_settings(url: str, **changes: object) -> ChannelSettings:
    values = {"webhooks": {"default": {"url": url, "secret": SECRET}}, "allowed_hosts": {"127.0.0.1"}, "fallback": ()}
    return ChannelSettings.model_validate({**values, **changes})


async def test_an_owner_is_told_by_mail_and_the_lead_is_answered() -> None:
    clock = HandClock()
    async with mail_serving() as server:
        smtp = {"host": "127.0.0.1", "port": server.port, "sender": "leads@us.example"}
        settings = ChannelSettings.model_validate({"smtp": smtp})
        reply = notice(id="reply", audience=Audience.LEAD, recipients=(), template="demo")
        async with notifying(settings, clock) as partition:
            settled = await run(partition, decision(notice(), reply), clock=clock)
    assert [(s.recipient, s.outcome, s.is_first) for s in settled] == [
        ("M1", Outcome.DELIVERED, True),
        ("lead", Outcome.DELIVERED, False),
    ]
    by_recipient = {mail["To"]: mail for mail in server.mails}
    assert "Cora Lone" in by_recipient["mona@sales.example"]["Subject"]
    answer = by_recipient["coo@lone.example"].get_body(("plain",))
    assert answer is not None
    assert "https://book.example/mona" in answer.get_content()
    assert partition.get("ledger/d1") is None


async def test_a_failed_delivery_is_tried_again_under_the_same_key_at_its_wake_up() -> None:
    clock = HandClock()
    async with serving(ok) as server:
        server.mood.script = [503]
        async with notifying(webhook_settings(server.url), clock) as partition:
            first = await run(partition, decision(notice(channels=("webhook",))), clock=clock)
            second = await wake(partition, clock, seconds=2)
    assert first == []
    assert [(s.outcome, s.attempts, s.is_first) for s in second] == [(Outcome.DELIVERED, 2, True)]
    assert [got.headers["webhook-id"] for got in server.accepted] == [second[0].key]


async def test_a_channel_without_settings_is_suppressed_with_that_reason_and_the_owner_counts_as_not_told() -> None:
    clock = HandClock()
    async with notifying(ChannelSettings(), clock) as partition:
        settled = await run(partition, decision(notice(channels=("email",))), clock=clock)
    assert [(s.channel, s.outcome, s.reason) for s in settled[:1]] == [
        ("email", Outcome.SUPPRESSED, "channel not configured")
    ]
    assert settled[1].all_failed


async def test_one_slow_channel_delays_no_other() -> None:
    clock = HandClock()
    async with serving(ok) as server:
        server.mood.delay_seconds = 0.4
        async with notifying(webhook_settings(server.url, patience_seconds=0.1), clock) as partition:
            both = decision(notice(channels=("webhook", "in_app")))
            first = await run(partition, both, clock=clock)
            second: list[NoticeSettled] = []
            while not second and clock.now < NOW + timedelta(seconds=25):
                await asyncio.sleep(0.02)  # its answer takes 0.4 s of true time
                second = await wake(partition, clock, seconds=0.1)
    assert [(s.channel, s.outcome, s.is_first) for s in first] == [("in_app", Outcome.DELIVERED, True)]
    assert [(s.channel, s.outcome, s.is_first, s.attempts) for s in second] == [
        ("webhook", Outcome.DELIVERED, False, 1)
    ]
    assert server.calls == 1


async def test_a_quiet_hour_holds_one_channel_back_until_its_release() -> None:
    clock = HandClock()
    opening = NOW + timedelta(hours=2)
    async with serving(ok) as server, notifying(webhook_settings(server.url), clock) as partition:
        held = notice(channels=("webhook", "in_app"), release_at={"webhook": opening})
        first = await run(partition, decision(held), clock=clock)
        assert [s.channel for s in first] == ["in_app"]
        assert [w.due_at for w in partition.wakes.values() if w.key == "delivery/d1"] == [opening]
        second = await wake(partition, clock, hours=2)
    assert [s.channel for s in second] == ["webhook"]


async def test_after_thirty_seconds_without_an_acknowledgment_the_owner_counts_as_not_told_once() -> None:
    clock = HandClock()
    async with serving(ok) as server:
        server.mood.script = [503] * 20
        async with notifying(webhook_settings(server.url), clock) as partition:
            settled = await run(partition, decision(notice(channels=("webhook",))), clock=clock)
            for _ in range(50):
                settled += await wake(partition, clock, seconds=1)
    alarms = [s for s in settled if s.all_failed]
    assert [s.channel for s in alarms] == ["all"]
    assert alarms[0].at - NOW == timedelta(seconds=30)
    assert "webhook" in alarms[0].reason


async def test_a_decision_that_was_handled_is_not_sent_again() -> None:
    clock = HandClock()
    async with serving(ok) as server, notifying(webhook_settings(server.url), clock) as partition:
        asked = decision(notice(channels=("webhook",)))
        await run(partition, asked, asked, clock=clock)
        again = await run(partition, asked, clock=clock)
    assert again == []
    assert len(server.accepted) == 1


async def test_two_touches_of_a_lead_in_one_batch_are_answered_once() -> None:
    clock = HandClock()
    async with mail_serving() as server:
        smtp = {"host": "127.0.0.1", "port": server.port, "sender": "leads@us.example"}
        reply = notice(id="reply", audience=Audience.LEAD, recipients=(), template="auto_reply")
        async with notifying(ChannelSettings.model_validate({"smtp": smtp}), clock) as partition:
            both = decision(reply), decision(reply, decision_id="d2", touch=2)
            settled = await run(partition, *both, clock=clock)
    assert [(s.outcome, s.reason) for s in settled] == [
        (Outcome.DELIVERED, ""),
        (Outcome.SUPPRESSED, "already answered"),
    ]
    assert len(server.mails) == 1


async def test_a_disposable_or_suspect_address_is_never_answered() -> None:
    clock = HandClock()
    reply = notice(id="reply", audience=Audience.LEAD, recipients=(), template="auto_reply")
    async with notifying(ChannelSettings(), clock) as partition:
        bad = decision(reply, lead=lead(suspect=("trap",)))
        settled = await run(partition, bad, clock=clock)
    assert [(s.outcome, s.reason) for s in settled] == [(Outcome.SUPPRESSED, "the lead is suspect")]


async def test_the_webhook_carries_no_contact_where_its_settings_forbid_it() -> None:
    clock = HandClock()
    async with serving(ok) as server:
        hooks = {"default": {"url": server.url, "secret": SECRET, "sends_contact": False}}
        async with notifying(webhook_settings(server.url, webhooks=hooks), clock) as partition:
            await run(partition, decision(notice(channels=("webhook",))), clock=clock)
    body = orjson.loads(server.accepted[0].body)
    assert "contact" not in body
    assert b"coo@lone.example" not in server.accepted[0].body
    assert b"Cora" not in server.accepted[0].body


async def test_what_is_remembered_of_a_lead_ends_by_itself() -> None:
    clock = HandClock()
    async with notifying(ChannelSettings(), clock) as partition:
        await run(partition, decision(notice(channels=("in_app",))), clock=clock)
        assert partition.get(f"lead/main.{PERSON}.1") is not None
        await wake(partition, clock, days=7, hours=1)
        assert partition.rows == {}
        assert partition.wakes == {}


async def test_a_lead_that_was_heard_of_since_is_remembered_longer() -> None:
    clock = HandClock()
    async with notifying(ChannelSettings(), clock) as partition:
        await run(partition, decision(notice(channels=("in_app",))), clock=clock)
        clock.now += timedelta(days=3)
        await run(partition, decision(notice(channels=("in_app",)), decision_id="d2"), clock=clock)
        await wake(partition, clock, days=4, hours=1)
        assert partition.get(f"lead/main.{PERSON}.1") is not None
        await wake(partition, clock, days=3)
        assert partition.rows == {}
        assert partition.wakes == {}


async def test_many_leads_of_one_hour_are_dropped_in_portions() -> None:
    clock = HandClock()
    async with notifying(ChannelSettings(), clock) as partition:
        leads = [
            decision(notice(channels=("in_app",)), decision_id=f"d{n}", lead_id=f"main.p.{n}") for n in range(1200)
        ]
        await run(partition, *leads, clock=clock)
        assert [key for key in partition.wakes if key.startswith("delivery/expiry/")] != []
        clock.now += timedelta(days=7, hours=1)
        for _ in range(3):
            await wake(partition, clock)
        assert partition.rows == {}


async def test_a_wake_up_of_something_settled_does_nothing() -> None:
    clock = HandClock()
    async with serving(ok) as server, notifying(webhook_settings(server.url), clock) as partition:
        server.mood.script = [503]
        await run(partition, decision(notice(channels=("webhook",))), clock=clock)
        clock.now += timedelta(seconds=5)
        stale = partition.due(clock.now)
        await partition.batch(stale, clock.now, asyncio.get_running_loop().time() + 60)
        before = dict(partition.rows), len(partition.emitted)
        await partition.batch(stale, clock.now, asyncio.get_running_loop().time() + 60)
        assert (dict(partition.rows), len(partition.emitted)) == before
        assert len(server.accepted) == 1


async def test_a_record_of_another_kind_is_poison() -> None:
    clock = HandClock()
    async with notifying(ChannelSettings(), clock) as partition:
        event = partition.event(object(), PERSON)
        context = await partition.stage.prepare([event], partition, 1e9)
        for known in (context, {}):
            with pytest.raises(Poison):
                partition.stage.handle(partition, event, known, NOW)


async def test_state_and_records_hold_no_personal_data_once_all_is_settled() -> None:
    clock = HandClock()
    async with serving(ok) as server, notifying(webhook_settings(server.url), clock) as partition:
        asked = decision(notice(channels=("webhook", "email", "slack")))
        await run(partition, asked, clock=clock)
    kept = b"".join(partition.rows.values()) + b"".join(encode(e.value) or b"" for e in partition.emitted)
    for secret in (b"Cora", b"lone.example", b"12125550199", b"mona@"):
        assert secret not in kept
    assert all("Cora" not in f"{e.key}{e.tag}{e.headers}" for e in partition.emitted)


async def test_who_unsubscribed_gets_no_answer_while_the_owner_is_told() -> None:
    clock = HandClock()
    async with mail_serving() as server:
        smtp = {"host": "127.0.0.1", "port": server.port, "sender": "leads@us.example"}
        settings = ChannelSettings.model_validate({"smtp": smtp, "patience_seconds": 60})
        reply = notice(id="reply", audience=Audience.LEAD, recipients=(), template="demo")
        office = Office(Courier(settings, MemoryAttemptLog(), clock))
        stage = Notify(settings, Roster(PERSON), office, load(None), clock)
        settled = await run(Partition(stage), decision(notice(), reply), clock=clock)
        await stage.close()
    assert {(s.recipient, s.outcome, s.reason) for s in settled} == {
        ("M1", Outcome.DELIVERED, ""),
        ("lead", Outcome.SUPPRESSED, "unsubscribed"),
    }
    assert len(server.mails) == 1


async def test_the_crms_ids_of_a_lead_lead_back_to_it() -> None:
    clock = HandClock()
    async with serving(HubSpot()) as server:
        settings = ChannelSettings.model_validate({"crm": {"hubspot": {"token": "t", "base_url": server.url}}})
        async with notifying(settings, clock) as partition:
            to_crm = notice(id="crm", audience=Audience.CRM, recipients=(), channels=("crm",))
            await run(partition, decision(to_crm, lead=lead(foreign_id="zoho:7")), clock=clock)
            await run(partition, decision(decision_id="d2", lead=lead(foreign_id="hubspot:9")), clock=clock)
    named = [(emit.key, emit.value.lead_id) for emit in partition.emitted if emit.topic == "xref"]
    assert named == [
        ("hubspot:501", f"main.{PERSON}.1"),
        ("zoho:7", f"main.{PERSON}.1"),
        ("hubspot:9", f"main.{PERSON}.1"),
    ]
