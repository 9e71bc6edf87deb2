"""Web push: sealed for one browser, signed by us, and a subscription that is over is given up."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import http_ece
import orjson
import pytest

from notifiers.attempts import MemoryAttemptLog
from notifiers.channels import push
from notifiers.courier import Courier
from notifiers.message import Body, Message
from notifiers.outcome import Refused, Retryable, Suppressed
from notifiers.outside import outside
from notifiers.settings import ChannelSettings, PushSettings
from notifiers.templates import load
from schemas.delivery import NoticeSettled, Outcome
from schemas.device import Device
from streams.cli.devices import devices_in, vapid_keys
from streams.cli.failure import CommandFailed
from streams.stages.notify import Notify
from tests.lab.channels import LABS
from tests.lab.decisions import NOW, PERSON, Roster, decision, notice
from tests.lab.http_server import serving
from tests.lab.push_service import PRIVATE_KEY, Browser, PushService
from tests.lab.push_service import settings as push_settings
from tests.lab.state import Partition

KEY = "2f1c7c1e-0000-5000-8000-000000000001"


def settings() -> ChannelSettings:
    return ChannelSettings.model_validate({"push": push_settings(), "allowed_hosts": ["127.0.0.1"]})


def message(*devices: Device, **changes: object) -> Message:
    body = Body("T1 new lead: Cora Lone", "T1 new lead: Cora Lone. Call now.")
    made = Message("main.4f.1", "d1", "4f", "assignment", "owner", "M1", "M1", body, devices=devices)
    return replace(made, **changes)  # type: ignore[arg-type]


async def test_the_browser_reads_what_was_sent_and_the_service_sees_how_urgent_and_how_long() -> None:
    service = PushService()
    async with serving(service) as server, outside(settings()) as way_out:
        ends_at = datetime.now(UTC) + timedelta(hours=1)
        urgent = message(Browser().device(server.url), urgent=True, ends_at=ends_at, link="https://crm.example/1")
        await push.send(urgent, KEY, way_out, 60)
    assert service.messages == [
        {
            "id": KEY,
            "title": "T1 new lead: Cora Lone",
            "body": "T1 new lead: Cora Lone. Call now.",
            "url": "https://crm.example/1",
            "tag": "main.4f.1",
            "urgent": True,
        }
    ]
    (headers,) = service.headers
    assert headers["urgency"] == "high"
    assert 3_400 <= int(headers["ttl"]) <= 3_600
    assert headers["topic"] == KEY.replace("-", "")
    assert b"Cora" not in server.accepted[0].body


async def test_only_the_subscription_s_keys_open_it() -> None:
    async with serving(PushService()) as server, outside(settings()) as way_out:
        await push.send(message(Browser().device(server.url)), KEY, way_out, 60)
    with pytest.raises(http_ece.ECEException):
        http_ece.decrypt(
            server.accepted[0].body,
            private_key=Browser().private_key,
            auth_secret=b"another 16 bytes",
            version="aes128gcm",
        )


@pytest.mark.parametrize("status", [404, 410])
async def test_a_subscription_that_is_over_is_suppressed_and_named(status: int) -> None:
    async with serving(PushService()) as server, outside(settings()) as way_out:
        server.mood.script = [status]
        device = Browser().device(server.url)
        with pytest.raises(Suppressed, match="has ended") as over:
            await push.send(message(device), KEY, way_out, 60)
    assert over.value.ended == (device.key,)


async def test_one_browser_that_takes_it_is_enough() -> None:
    service = PushService({"old": Browser("old", is_gone=True), "new": Browser("new")})
    async with serving(service) as server, outside(settings()) as way_out:
        devices = [browser.device(server.url) for browser in service.browsers.values()]
        sent = await push.send(message(*devices), KEY, way_out, 60)
    assert sent.ended == (devices[0].key,)
    assert len(service.messages) == 1


async def test_a_browser_that_cannot_be_reached_now_outweighs_one_that_is_gone() -> None:
    service = PushService({"old": Browser("old", is_gone=True), "new": Browser("new")})
    async with serving(service) as server, outside(settings()) as way_out:
        server.mood.script = [410, ("later", 9)]
        with pytest.raises(Retryable) as later:
            await push.send(message(*(b.device(server.url) for b in service.browsers.values())), KEY, way_out, 60)
    assert later.value.after_seconds == 9


@pytest.mark.parametrize(
    "endpoint", ["http://push.example/x", "https://10.0.0.7/x", "https://user@push.example/x", "ftp://push.example"]
)
async def test_an_endpoint_outside_the_public_internet_is_refused(endpoint: str) -> None:
    device = Browser().device("http://127.0.0.1").model_copy(update={"endpoint": endpoint})
    async with outside(settings()) as way_out:
        with pytest.raises(Refused, match="push endpoint"):
            await push.send(message(device), KEY, way_out, 60)


async def test_keys_that_are_none_are_refused_without_a_call() -> None:
    async with serving(PushService()) as server, outside(settings()) as way_out:
        device = Browser().device(server.url).model_copy(update={"p256dh": "AAAA"})
        with pytest.raises(Refused, match="keys"):
            await push.send(message(device), KEY, way_out, 60)
    assert server.calls == 0


@pytest.mark.parametrize("filler", ["A", "é", "\u6f22", "\U0001f469"])
def test_the_longest_text_still_fits_what_every_push_service_takes(filler: str) -> None:
    long = message(body=Body(filler * 150, filler * 480), link="https://crm.example/" + "x" * 3_000)
    encoded = push.payload(long, KEY)
    assert len(encoded) <= push.MOST_BYTES
    assert orjson.loads(encoded)["id"] == KEY


async def test_the_stage_ends_a_subscription_in_its_table_and_asks_it_no_more() -> None:
    async with LABS["push"]() as lab:
        lab.mood.script = [410]
        roster = Roster(devices=lab.devices)
        quiet = lab.settings.model_copy(update={"patience_seconds": 60, "fallback": ()})
        partition = Partition(Notify(quiet, roster, Courier(quiet, MemoryAttemptLog(), now), load(None), now))
        first, second = (decision(notice(channels=("push",)), decision_id=name) for name in ("d1", "d2"))
        await partition.batch([partition.event(first, PERSON)], NOW, asyncio.get_running_loop().time() + 60)
        ended = [emit for emit in partition.emitted if emit.topic == "devices"]
        assert [(emit.key, emit.value) for emit in ended] == [(lab.devices[0].key, None)]
        del roster.devices[ended[0].key]
        await partition.batch([partition.event(second, PERSON)], NOW, asyncio.get_running_loop().time() + 60)
        await partition.stage.close()
        assert lab.calls() == 1
    settled = [emit.value for emit in partition.emitted if isinstance(emit.value, NoticeSettled)]
    pushed = [one for one in settled if one.channel == "push"]
    assert [one.outcome for one in pushed] == [Outcome.SUPPRESSED] * 2
    assert [one.reason for one in pushed] == [
        "the push subscription has ended",
        "the recipient has no address on this channel",
    ]


def now() -> datetime:
    return NOW


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"private_key": "short", "subject": "mailto:a@b.example"}, "leadstream notify keys"),
        ({"private_key": PRIVATE_KEY, "subject": "ops@us.example"}, "subject"),
    ],
)
def test_settings_that_no_service_would_take_are_refused(values: dict[str, str], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        PushSettings.model_validate(values)


def test_made_keys_are_what_the_settings_take() -> None:
    private, public = vapid_keys()
    PushSettings.model_validate({"private_key": private, "subject": "mailto:ops@us.example"})
    assert len(public) == 87
    assert vapid_keys()[0] != private


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "is no JSON"),
        ("{}", "file.json, 1: this is no push subscription"),
        ('{"endpoint": "http://p.example", "keys": {"p256dh": "AA", "auth": "AA"}}', "no push subscription"),
        ("[1]", "no push subscription"),
    ],
)
def test_a_file_that_holds_no_subscription_is_refused_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "file.json"
    file.write_text(text)
    with pytest.raises(CommandFailed, match=said):
        devices_in(file, "M1")


def test_what_a_browser_gives_is_read(tmp_path: Path) -> None:
    device = Browser().device("https://push.example")
    said = {"endpoint": device.endpoint, "expirationTime": None, "keys": {"p256dh": device.p256dh, "auth": device.auth}}
    file = tmp_path / "file.json"
    file.write_bytes(orjson.dumps([said]))
    (found,) = devices_in(file, "M1")
    assert (found.key, found.endpoint, found.p256dh) == (device.key, device.endpoint, device.p256dh)
