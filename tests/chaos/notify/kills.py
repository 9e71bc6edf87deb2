"""NOTIFY killed in the middle of its calls, over all channels at once: what each receiver has in the end.

A kill falls when a receiver has taken a request: before it answers, right after, or a moment later, turn by turn over
the channels. NOTIFY and TIMERS run as `leadstream run` starts them, on a real broker.
"""

import asyncio
import contextlib
import itertools
import re
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGKILL, SIGTERM
from typing import Any

import orjson
from aiohttp import web

from notifiers.delivery import delivery_key
from schemas.decision import Decision
from schemas.wire import encode, headers_for
from streams.kafka.config import ClusterSettings
from tests.integration.test_notify_kills import Slot
from tests.lab.apis import HubSpot, Slack, Twilio, plain_ok
from tests.lab.channels import SECRET
from tests.lab.decisions import NOW, REPS, contact, decision, notice
from tests.lab.http_server import Answer, Got, serving
from tests.lab.mail_server import MailServer, mail_serving
from tests.lab.push_service import Browser, PushService
from tests.lab.push_service import settings as push_settings
from tests.records import Outgoing, Records

CHANNELS = ("webhook", "crm", "email", "slack", "sms", "push")
AFTER_SECONDS = (0.0, 0.002, 0.05)
"""How long after a receiver took a request the kill comes; at 0 it has not answered yet."""
LEADS_A_KILL = 12
SENDER = "leads@us.example"
TOLD_SECONDS = 240.0


@dataclass
class Trap:
    """Kills NOTIFY when a channel that it is set for takes the next request. Set and sprung on different threads."""

    slot: Slot | None = None
    channel: str = ""
    after_seconds: float = 0.0
    sprung: threading.Event = field(default_factory=threading.Event)

    def arm(self, channel: str, after_seconds: float) -> None:
        self.sprung.clear()
        self.after_seconds, self.channel = after_seconds, channel

    def took(self, channel: str) -> None:
        """Tell that a channel has taken a request."""
        if channel != self.channel:
            return
        self.channel = ""
        if self.after_seconds:
            threading.Timer(self.after_seconds, self._kill).start()
        else:
            self._kill()

    def _kill(self) -> None:
        if self.slot is not None and self.slot.process is not None:
            self.slot.process.send_signal(SIGKILL)
        self.sprung.set()

    def around(self, channel: str, answer: Answer) -> Answer:
        async def watched(got: Got) -> web.StreamResponse:
            answered = await answer(got)
            if got.method != "GET" and not got.path.endswith(("history", "replies", "open")):
                self.took(channel)
            return answered

        return watched


@dataclass(frozen=True)
class Outcome:
    """What was seen. *_again: requests beyond the first of a delivery, under its key; the receiver keeps one.

    *_missing, *_strange: deliveries that never arrived, and what arrived and is none. slack and sms take no key:
    *_doubled: messages that a person got twice; *_unmarked: those of them without `possible_repeat`. A text belongs to
    the lead that it names.
    """

    leads: int
    kills: int
    outcomes: int
    outcomes_doubled: int
    webhook_again: int
    webhook_missing: int
    webhook_strange: int
    crm_again: int
    crm_missing: int
    crm_strange: int
    mail_again: int
    mail_missing: int
    mail_strange: int
    push_again: int
    push_missing: int
    slack_missing: int
    slack_doubled: int
    slack_unmarked: int
    sms_missing: int
    sms_doubled: int
    sms_unmarked: int

    @property
    def broken(self) -> list[str]:
        """Return which promises were not kept."""
        kept = {
            "every delivery has one outcome": self.outcomes == self.leads * len(CHANNELS) and not self.outcomes_doubled,
            "every delivery arrived": not (
                self.webhook_missing
                or self.crm_missing
                or self.mail_missing
                or self.push_missing
                or self.slack_missing
                or self.sms_missing
            ),
            "webhook and CRM: no second effect": not self.webhook_strange and not self.crm_strange,
            "mail repeats carry the same Message-ID": not self.mail_strange,
            "Slack and SMS: at most one a kill": max(self.slack_doubled, self.sms_doubled) <= self.kills,
            "Slack and SMS: marked": not self.slack_unmarked and not self.sms_unmarked,
        }
        return [name for name, is_kept in kept.items() if not is_kept]


def decided(number: int) -> Decision:
    """Return an assignment that is told over every channel."""
    person = f"{number:032x}"
    return decision(
        notice(channels=("webhook", "push", "email", "slack", "sms"), urgent=number % 3 == 0),
        notice(id="crm", audience="crm", recipients=(), channels=("crm",)),
        decision_id=f"d{number}",
        lead_id=f"main.{person}.1",
        person=person,
        contact=contact(email=f"p{number}@lone.example", name=f"Lead {number}"),
    )


async def kills(cluster: ClusterSettings, count: int, folder: Path, say: Callable[[str], None]) -> Outcome:
    """Kill `count` times and return what every receiver has. Raises AssertionError with NOTIFY's log if it hangs."""
    records, trap, browser = Records(cluster), Trap(), Browser()
    hubspot, slack, twilio, push = HubSpot(), Slack(), Twilio(), PushService({browser.name: browser})
    records.write("reps", [Outgoing("M1", encode(REPS["M1"]), {"ce_type": "rep.put"})])
    async with contextlib.AsyncExitStack() as stack:
        answers: dict[str, Answer] = {"webhook": plain_ok, "crm": hubspot, "slack": slack, "sms": twilio, "push": push}
        servers = {
            name: await stack.enter_async_context(serving(trap.around(name, answer)))
            for name, answer in answers.items()
        }
        mails = await stack.enter_async_context(mail_serving())
        mails.on_mail = lambda: trap.took("email")
        urls = {name: server.url for name, server in servers.items()}
        device = browser.device(urls["push"])
        records.write("devices", [Outgoing(device.key, encode(device), {"ce_type": "device.put"})])
        (folder / "state").mkdir(parents=True, exist_ok=True)
        notify, timers = (
            Slot(name, cluster, folder / "state", _channels(urls, mails)) for name in ("notify", "timers")
        )
        trap.slot = notify
        timers.start()
        try:
            await asyncio.to_thread(_killed, notify, trap, records, count, say)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{notify.log()}") from error
        finally:
            for slot in (notify, timers):
                await asyncio.to_thread(slot.end, SIGTERM)
        got = {
            "webhook": Counter(g.headers["webhook-id"] for g in servers["webhook"].accepted),
            "crm": Counter(_crm_id(g) for g in servers["crm"].accepted),
            "email": Counter(mail["Message-ID"] for mail in mails.mails),
            "push": Counter(message["id"] for message in browser.got),
            "slack": Counter(_slack_key(row) for found in slack.messages.values() for row in found),
            "sms": Counter(_sms_key(text["Body"]) for text in twilio.texts),
        }
        return _judged(records, count, got)


def _killed(notify: Slot, trap: Trap, records: Records, count: int, say: Callable[[str], None]) -> None:
    channels, moments = itertools.cycle(CHANNELS), itertools.cycle(AFTER_SECONDS)
    notify.start()
    for number in range(count):
        channel, moment = next(channels), next(moments)
        if number and number % len(CHANNELS) == 0:
            next(moments)  # else each channel would always meet the same moment
        trap.arm(channel, moment)
        records.write("leads.assigned", [_outgoing(n) for n in _numbers(number)])
        assert trap.sprung.wait(TOLD_SECONDS), f"{channel} took nothing"
        assert notify.process is not None
        notify.process.wait(120)
        say(f"kill {number + 1}: {channel} had taken a request {moment * 1_000:.0f} ms ago")
        notify.start()
        # A batch that dies three times is taken for poison and its records are set aside, as they should be.
        _all_settled(records, (number + 1) * LEADS_A_KILL * len(CHANNELS))


def _all_settled(records: Records, want: int) -> None:
    deadline = time.monotonic() + TOLD_SECONDS
    while (seen := _settled(records)) < want:
        assert time.monotonic() < deadline, f"saw {seen} outcomes of {want}"
        time.sleep(0.2)


def _settled(records: Records) -> int:
    return sum(record.json["channel"] in CHANNELS for record in records.read_all("leads.notified"))


def _numbers(kill: int) -> range:
    return range(kill * LEADS_A_KILL, (kill + 1) * LEADS_A_KILL)


def _outgoing(number: int) -> Outgoing:
    one = decided(number)
    headers = headers_for(one.decision_id, "lead.decided", "leadstream/assign", NOW, {})
    return Outgoing(one.person, encode(one), {name: value.decode() for name, value in headers})


def _channels(urls: dict[str, str], mails: MailServer) -> dict[str, Any]:
    return {
        "allowed_hosts": ["127.0.0.1"],
        "webhooks": {"default": {"url": urls["webhook"], "secret": SECRET}},
        "crm": {"hubspot": {"token": "pat-lab", "base_url": urls["crm"]}},
        "smtp": {"host": "127.0.0.1", "port": mails.port, "sender": SENDER},
        "slack": {"token": "xoxb-lab", "base_url": f"{urls['slack']}/api/"},
        "sms": {
            "account_sid": "AC" + "0" * 32,
            "auth_token": "t",
            "sender": "+12125550000",
            "base_url": urls["sms"],
        },
        "push": push_settings(),
    }


def _judged(records: Records, count: int, got: dict[str, Counter[str]]) -> Outcome:
    """Return what there is. got: by channel, how often each delivery arrived, under what its receiver knows it by."""
    numbers = range(count * LEADS_A_KILL)
    rows = [row for row in (r.json for r in records.read_all("leads.notified")) if row["channel"] in CHANNELS]
    marked = {row["key"] for row in rows if row["possible_repeat"]}
    want = {name: {_key(number, name) for number in numbers} for name in CHANNELS}
    want["crm"] = {decided(number).lead_id for number in numbers}
    want["email"] = {f"<{key}@{SENDER.split('@')[1]}>" for key in want["email"]}
    missing = {name: len(want[name] - got[name].keys()) for name in CHANNELS}
    strange = {name: len(got[name].keys() - want[name]) for name in CHANNELS}
    return Outcome(
        leads=len(numbers),
        kills=count,
        outcomes=len({row["key"] for row in rows}),
        outcomes_doubled=len(rows) - len({row["key"] for row in rows}),
        webhook_again=_again(got["webhook"]),
        webhook_missing=missing["webhook"],
        webhook_strange=strange["webhook"],
        crm_again=_again(got["crm"]),
        crm_missing=missing["crm"],
        crm_strange=strange["crm"],
        mail_again=_again(got["email"]),
        mail_missing=missing["email"],
        mail_strange=strange["email"],
        push_again=_again(got["push"]),
        push_missing=missing["push"],
        slack_missing=missing["slack"],
        slack_doubled=_again(got["slack"]),
        slack_unmarked=sum(times > 1 and key not in marked for key, times in got["slack"].items()),
        sms_missing=missing["sms"],
        sms_doubled=_again(got["sms"]),
        sms_unmarked=sum(times > 1 and key not in marked for key, times in got["sms"].items()),
    )


def _key(number: int, channel: str) -> str:
    notice_id, recipient = ("crm", "crm") if channel == "crm" else ("owner", "M1")
    return delivery_key(f"d{number}", notice_id, recipient, channel)


def _crm_id(got: Got) -> str:
    return str(orjson.loads(got.body)["inputs"][0]["id"])


def _sms_key(text: str) -> str:
    """Return the key of the delivery whose lead a text names."""
    found = re.search(r"Lead (\d+)\b", text)
    return _key(int(found[1]), "sms") if found else text


def _again(counts: Counter[str]) -> int:
    return counts.total() - len(counts)


def _slack_key(row: dict[str, Any]) -> str:
    metadata = row["metadata"]
    return str((orjson.loads(metadata) if isinstance(metadata, str) else metadata)["event_payload"]["key"])
