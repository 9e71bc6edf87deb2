"""NOTIFY killed in the middle of its calls, over all channels at once: what each receiver has in the end.

A kill falls when a receiver has taken a request: before it answers, right after, or a moment later, turn by turn over
the channels. NOTIFY and TIMERS run as `leadstream run` starts them, on a real broker.
"""

import asyncio
import contextlib
import itertools
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

from notifiers.channels import sms
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
TOLD_SECONDS = 90.0


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
    """What was seen. *_again: requests beyond the first of a delivery; *_doubled: effects that a receiver keeps twice.

    mail_again carry the Message-ID that the first had; *_unmarked: doubled without `possible_repeat`.
    """

    leads: int
    kills: int
    outcomes: int
    outcomes_doubled: int
    webhook_again: int
    webhook_doubled: int
    crm_doubled: int
    mail_again: int
    mail_doubled: int
    push_again: int
    slack_doubled: int
    slack_unmarked: int
    sms_doubled: int
    sms_unmarked: int

    @property
    def broken(self) -> list[str]:
        """Return which promises were not kept."""
        kept = {
            "every delivery has one outcome": self.outcomes == self.leads * len(CHANNELS) and not self.outcomes_doubled,
            "webhook and CRM: no second effect": not self.webhook_doubled and not self.crm_doubled,
            "mail repeats carry the same Message-ID": not self.mail_doubled,
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
        answers = {"webhook": plain_ok, "crm": hubspot, "slack": slack, "sms": twilio, "push": push}
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
        return _judged(records, count, Counter(g.headers["webhook-id"] for g in servers["webhook"].accepted),
                       hubspot, mails, browser, slack, twilio)  # fmt: skip


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
        notify.process.wait(20)
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
        "smtp": {"host": "127.0.0.1", "port": mails.port, "sender": "leads@us.example"},
        "slack": {"token": "xoxb-lab", "base_url": f"{urls['slack']}/api/"},
        "sms": {
            "account_sid": "AC" + "0" * 32,
            "auth_token": "t",
            "sender": "+12125550000",
            "base_url": urls["sms"],
        },
        "push": push_settings(),
    }


def _judged(
    records: Records,
    count: int,
    hooks: Counter[str],
    hubspot: HubSpot,
    mails: MailServer,
    browser: Browser,
    slack: Slack,
    twilio: Twilio,
) -> Outcome:
    leads = count * LEADS_A_KILL
    rows = [row for row in (r.json for r in records.read_all("leads.notified")) if row["channel"] in CHANNELS]
    marked = {row["key"] for row in rows if row["possible_repeat"]}
    posts = Counter(_slack_key(row) for found in slack.messages.values() for row in found)
    texts = Counter(text["Body"] for text in twilio.texts)
    marks = {sms.mark(key) for key in marked}
    letters = Counter(mail["Message-ID"] for mail in mails.mails)
    pushes = Counter(message["id"] for message in browser.got)
    return Outcome(
        leads=leads,
        kills=count,
        outcomes=len({row["key"] for row in rows}),
        outcomes_doubled=len(rows) - len({row["key"] for row in rows}),
        webhook_again=_again(hooks),
        webhook_doubled=len(hooks) - leads,
        crm_doubled=len(hubspot.contacts) - leads,
        mail_again=_again(letters),
        mail_doubled=len(letters) - leads,
        push_again=_again(pushes),
        slack_doubled=_again(posts),
        slack_unmarked=sum(times > 1 and key not in marked for key, times in posts.items()),
        sms_doubled=_again(texts),
        sms_unmarked=sum(times > 1 and text.rsplit(" ", 1)[-1] not in marks for text, times in texts.items()),
    )


def _again(counts: Counter[str]) -> int:
    return counts.total() - len(counts)


def _slack_key(row: dict[str, Any]) -> str:
    metadata = row["metadata"]
    return str((orjson.loads(metadata) if isinstance(metadata, str) else metadata)["event_payload"]["key"])
