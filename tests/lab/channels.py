"""One lab per channel: its server, the settings that lead there, and how to count what arrived."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import orjson

from notifiers.settings import ChannelSettings
from schemas.device import Device
from tests.lab.apis import HubSpot, Salesforce, Slack, Twilio, plain_ok
from tests.lab.http_server import Mood, Server, serving
from tests.lab.mail_server import MailServer, mail_serving
from tests.lab.push_service import Browser, PushService
from tests.lab.push_service import settings as push_settings

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
LAB_HOSTS = ["127.0.0.1"]


@dataclass
class Lab:
    """A channel with a server behind it.

    to: an address that it understands. gone: the same settings, but nobody listens there.
    arrived: every message that the other side keeps, as one text each.
    known: how many different ones a receiver that drops repeats has. devices, gone_devices: for push.
    """

    channel: str
    to: str
    settings: ChannelSettings
    gone: ChannelSettings
    mood: Mood
    arrived: Callable[[], list[str]]
    known: Callable[[], int]
    calls: Callable[[], int]
    devices: tuple[Device, ...] = ()
    gone_devices: tuple[Device, ...] = ()


GONE_PORT = 1
GONE = f"http://127.0.0.1:{GONE_PORT}"


def _settings(**values: Any) -> ChannelSettings:
    return ChannelSettings.model_validate(
        {"allowed_hosts": LAB_HOSTS, "send_timeout_seconds": 60, "retry_first_seconds": 0.05, **values}
    )


@asynccontextmanager
async def slack_lab() -> AsyncIterator[Lab]:
    api = Slack()
    async with serving(api) as server:
        settings, gone = (
            _settings(slack={"token": "xoxb-lab", "base_url": f"{url}/api/"}) for url in (server.url, GONE)
        )

        def posted() -> list[str]:
            return [orjson.dumps(row).decode() for rows in api.messages.values() for row in rows]

        yield Lab("slack", "U0001", settings, gone, server.mood, posted, lambda: len(posted()), lambda: server.calls)


@asynccontextmanager
async def sms_lab() -> AsyncIterator[Lab]:
    api = Twilio()
    async with serving(api) as server:
        sms = {"account_sid": "AC" + "0" * 32, "auth_token": "t", "sender": "+12125550000"}
        settings, gone = (_settings(sms={**sms, "base_url": url}) for url in (server.url, GONE))

        def texts() -> list[str]:
            return [text["Body"] for text in api.texts]

        yield Lab("sms", "+12125550101", settings, gone, server.mood, texts, lambda: len(texts()), lambda: server.calls)


@asynccontextmanager
async def push_lab() -> AsyncIterator[Lab]:
    service, browser = PushService(), Browser()
    service.browsers = {browser.name: browser}
    async with serving(service) as server:
        settings = _settings(push=push_settings())

        def shown() -> list[str]:
            return [orjson.dumps(message).decode() for message in browser.got]

        def known() -> int:
            return len({(message["tag"], message["id"]) for message in browser.got})

        yield Lab(
            "push",
            "M1",
            settings,
            settings,
            server.mood,
            shown,
            known,
            lambda: server.calls,
            devices=(browser.device(server.url),),
            gone_devices=(browser.device(GONE),),
        )


@asynccontextmanager
async def webhook_lab() -> AsyncIterator[Lab]:
    async with serving(plain_ok) as server:
        settings, gone = (_settings(webhooks={"default": {"url": url, "secret": SECRET}}) for url in (server.url, GONE))
        yield _by_webhook_id("webhook", "default", settings, gone, server)


@asynccontextmanager
async def crm_webhook_lab() -> AsyncIterator[Lab]:
    async with serving(plain_ok) as server:
        settings, gone = (
            _settings(webhooks={"crm": {"url": url, "secret": SECRET}}, crm={"webhook": "crm"})
            for url in (server.url, GONE)
        )
        yield _by_webhook_id("crm", "crm", settings, gone, server)


def _by_webhook_id(channel: str, to: str, settings: ChannelSettings, gone: ChannelSettings, server: Server) -> Lab:
    def bodies() -> list[str]:
        return [got.body.decode() for got in server.accepted]

    def known() -> int:
        return len({got.headers["webhook-id"] for got in server.accepted})

    return Lab(channel, to, settings, gone, server.mood, bodies, known, lambda: server.calls)


def _crm_lab(settings: ChannelSettings, gone: ChannelSettings, server: Server, rows: Mapping[str, Any]) -> Lab:
    return Lab(
        "crm",
        "crm",
        settings,
        gone,
        server.mood,
        lambda: [orjson.dumps(row).decode() for row in rows.values()],
        lambda: len(rows),
        lambda: server.calls,
    )


@asynccontextmanager
async def hubspot_lab() -> AsyncIterator[Lab]:
    api = HubSpot()
    async with serving(api) as server:
        settings, gone = (_settings(crm={"hubspot": {"token": "pat-lab", "base_url": u}}) for u in (server.url, GONE))
        yield _crm_lab(settings, gone, server, api.contacts)


@asynccontextmanager
async def salesforce_lab() -> AsyncIterator[Lab]:
    api = Salesforce()
    async with serving(api) as server:
        settings, gone = (
            _settings(crm={"salesforce": {"token": "00D-lab", "instance_url": url}}) for url in (server.url, GONE)
        )
        yield _crm_lab(settings, gone, server, api.leads)


@asynccontextmanager
async def mail_lab() -> AsyncIterator[Lab]:
    mood = Mood()
    async with mail_serving(mood) as server:
        settings, gone = (
            _settings(smtp={"host": "127.0.0.1", "port": port, "sender": "leads@us.example"})
            for port in (server.port, GONE_PORT)
        )
        yield Lab(
            "email",
            "mona@sales.example",
            settings,
            gone,
            mood,
            lambda: _texts(server),
            lambda: len({mail["Message-ID"] for mail in server.mails}),
            lambda: server.calls,
        )


def _texts(server: MailServer) -> list[str]:
    return [mail.as_string() for mail in server.mails]


LABS = {
    "slack": slack_lab,
    "email": mail_lab,
    "sms": sms_lab,
    "push": push_lab,
    "webhook": webhook_lab,
    "crm webhook": crm_webhook_lab,
    "hubspot": hubspot_lab,
    "salesforce": salesforce_lab,
}
