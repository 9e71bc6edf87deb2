"""One suite over all channels: the real client against a local server with the other side's shapes."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from email import message_from_string, policy
from email.message import EmailMessage
from html.parser import HTMLParser
from typing import Any

import orjson
import pytest

from notifiers.channel import CHANNELS
from notifiers.compose import message_for
from notifiers.delivery import opened
from notifiers.message import Body, Message
from notifiers.outcome import DeliveryError, Refused, Retryable, Sent, Suppressed
from notifiers.outside import outside
from notifiers.settings import ChannelSettings
from notifiers.templates import load
from schemas.lead import Company
from tests.lab.channels import LABS, Lab
from tests.lab.decisions import NOW, REPS, contact, decision, lead, notice
from tests.lab.hostile import HOSTILE

KEY = "2f1c7c1e-0000-5000-8000-000000000001"
SHORT_SECONDS = (0.6, 5, 30)  # of patience with a server that never answers; a busy machine needs more to ask it
TAKES_STATUS = [name for name in LABS if name != "email"]


@pytest.fixture(params=LABS)
async def lab(request: pytest.FixtureRequest) -> AsyncIterator[Lab]:
    async with LABS[request.param]() as made:
        yield made


def message(lab: Lab, **changes: Any) -> Message:
    values: dict[str, Any] = {
        "lead_id": "main.4f4f.1",
        "decision_id": "d1",
        "person": "4f4f",
        "template": "assignment",
        "audience": "owner",
        "recipient": "M1",
        "to": lab.to,
        "body": Body("T1 new lead: Cora Lone", "A new lead is yours.", "A new lead is yours."),
        "facts": (("Name", "Cora Lone"),),
        "link": "https://crm.example/leads/1",
        "buttons": ("accepted",),
        "data": {"tier": "T1", "score": 80, "company": {"name": "Lone Inc"}},
        "contact": {"name": "Cora Lone", "email": "coo@lone.example"},
        "devices": lab.devices,
    }
    return Message(**{**values, **changes})


async def send(lab: Lab, sent: Message, key: str = KEY, seconds: float | None = None) -> Sent:
    async with outside(lab.settings) as way_out:
        return await CHANNELS[lab.channel].send(sent, key, way_out, seconds or lab.settings.send_timeout_seconds)


async def unanswered(lab: Lab) -> DeliveryError:
    """Return what comes of a message that a server takes and never answers."""
    for seconds in SHORT_SECONDS:
        lab.mood.script, calls = ["hang"], lab.calls()
        with pytest.raises(DeliveryError) as refused:
            await send(lab, message(lab), seconds=seconds)
        if lab.calls() > calls:
            return refused.value
    raise AssertionError(f"the server was not asked in {SHORT_SECONDS[-1]} s")


async def test_a_message_arrives_once(lab: Lab) -> None:
    await send(lab, message(lab))
    assert len(lab.arrived()) == 1
    assert "Cora" in lab.arrived()[0] or lab.channel in ("sms", "push")


async def test_a_server_error_is_worth_another_try(lab: Lab) -> None:
    lab.mood.script = [503]
    with pytest.raises(Retryable) as refused:
        await send(lab, message(lab))
    assert not refused.value.may_have_arrived
    await send(lab, message(lab))
    assert len(lab.arrived()) == 1


async def test_a_bad_request_is_not_tried_again(lab: Lab) -> None:
    lab.mood.script = [400]
    with pytest.raises(Refused):
        await send(lab, message(lab))


@pytest.mark.parametrize("lab", TAKES_STATUS, indirect=True)
async def test_a_request_to_wait_is_passed_on_with_its_seconds(lab: Lab) -> None:
    lab.mood.script = [("later", 17)]
    with pytest.raises(Retryable) as refused:
        await send(lab, message(lab))
    assert refused.value.after_seconds == 17
    assert refused.value.is_throttled


async def test_a_connection_that_breaks_after_accepting_may_have_arrived(lab: Lab) -> None:
    lab.mood.script = ["drop"]
    with pytest.raises(Retryable) as refused:
        await send(lab, message(lab))
    assert refused.value.may_have_arrived


async def test_silence_ends_within_the_time_out_and_may_have_arrived(lab: Lab) -> None:
    async with asyncio.timeout(300):
        refused = await unanswered(lab)
    assert isinstance(refused, Retryable)
    assert refused.may_have_arrived


async def test_a_repeat_after_a_lost_answer_is_recognised(lab: Lab) -> None:
    lab.mood.script = ["drop"]
    with pytest.raises(Retryable):
        await send(lab, message(lab))
    await send(lab, message(lab, may_be_repeat=True))
    assert lab.known() == 1


async def test_nobody_listening_is_worth_another_try_and_nothing_has_arrived(lab: Lab) -> None:
    async with outside(lab.gone) as way_out:
        with pytest.raises(Retryable) as refused:
            await CHANNELS[lab.channel].send(message(lab, devices=lab.gone_devices), KEY, way_out, 60)
    assert not refused.value.may_have_arrived


async def test_without_settings_nothing_is_sent_and_the_record_says_so(lab: Lab) -> None:
    channel = CHANNELS[lab.channel]
    assert channel.is_configured(lab.settings)
    assert not channel.is_configured(ChannelSettings())
    async with outside(ChannelSettings()) as way_out:
        with pytest.raises(Suppressed, match="not configured"):
            await channel.send(message(lab), KEY, way_out, 1)


@pytest.mark.parametrize(
    "script",
    [
        pytest.param([503], id="a server error"),
        pytest.param([400], id="a refusal"),
        pytest.param(["drop"], id="a lost connection"),
        pytest.param(["hang"], id="silence"),
    ],
)
async def test_reasons_name_no_person_and_no_secret(lab: Lab, script: list[Any]) -> None:
    lab.mood.script = list(script)
    if script == ["hang"]:
        error = await unanswered(lab)
    else:
        with pytest.raises(DeliveryError) as refused:
            await send(lab, message(lab))
        error = refused.value
    said = f"{error!r} {error.reason} {error.__cause__}"
    for secret in ("Cora", "coo@", "mona@", "12125550101", "xoxb", "whsec", "MfKQ", "pat-lab", "00D-lab", "127.0.0.1"):
        assert secret not in said


@pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE)
async def test_a_hostile_field_arrives_as_plain_text(lab: Lab, value: str) -> None:
    asked = decision(
        notice(channels=(lab.channel,), note=value, **({"audience": "crm"} if lab.channel == "crm" else {})),
        contact=contact(name=value, first_name=value, phone=value, linkedin=value),
        lead=lead(company=Company(name=value, domain="lone.example", industry=value)),
        reason=value,
    )
    ledger = opened(asked, lab.settings, NOW)
    made = message_for(asked, ledger.rows[0], REPS.get, load(None), lab.settings, {}, devices=lab.devices)
    await send(lab, replace(made, to=lab.to))
    arrived = lab.arrived()[0]
    CHECKS.get(lab.channel, check_nothing)(arrived)


class Page(HTMLParser):
    """The elements and attributes that a page has in the eyes of a parser."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}


def check_mail(arrived: str) -> None:
    """No header of the sender's choosing, no element that the field brought, nothing that turns the text around."""
    mail = message_from_string(arrived, policy=policy.default)
    assert isinstance(mail, EmailMessage)
    assert mail["To"] == "mona@sales.example"
    assert mail["Bcc"] is None
    assert len(mail["Subject"]) <= 155  # folding may add a blank
    parts = [part.get_content() for part in mail.iter_parts()]
    assert len(parts) == 2
    page = Page()
    page.feed(parts[1])
    page.close()
    assert page.tags <= {"html", "head", "meta", "title", "body", "div", "p", "br", "table", "tr", "th", "td"}
    assert page.attributes <= {"charset", "name", "content", "style", "dir", "scope"}
    assert all(len(part) < 60_000 for part in parts)
    for part in parts:
        assert not set(part) & INVISIBLE


def check_slack(arrived: str) -> None:
    """No mention, no link, no formatting but ours, and within Slack's limits."""
    row = orjson.loads(arrived)
    assert row.get("link_names") in (None, False, "0", 0)
    blocks = orjson.loads(row["blocks"]) if isinstance(row["blocks"], str) else row["blocks"]
    assert len(blocks) <= 50
    texts = [block["text"] for block in blocks if "text" in block]
    fields = [field for block in blocks for field in block.get("fields", ())]
    assert all(len(block.get("fields", ())) <= 10 for block in blocks)
    for text in (*texts, *fields):
        assert len(text["text"]) <= (150 if text["type"] == "plain_text" else 3000)
        assert not set(text["text"]) & INVISIBLE
        if text["type"] == "mrkdwn":
            assert text["verbatim"]
            assert "<" not in text["text"]
    assert all(len(field["text"]) <= 2000 for field in fields)


def check_line(arrived: str) -> None:
    """One line of bounded length."""
    assert "\n" not in arrived
    assert len(arrived) <= 500
    assert not set(arrived) & INVISIBLE


def check_push(arrived: str) -> None:
    """What the service worker shows: plain lines, within what push services take."""
    shown = orjson.loads(arrived)
    assert set(shown) == {"id", "title", "body", "url", "tag", "urgent"}
    for text in (shown["title"], shown["body"]):
        assert "\n" not in text
        assert not set(text) & INVISIBLE
    assert len(arrived.encode()) <= 3_993


def check_nothing(arrived: str) -> None:
    """JSON for machines: that it parses is enough, the receiver escapes for its own screens."""
    orjson.loads(arrived)


CHECKS: dict[str, Callable[[str], None]] = {
    "email": check_mail,
    "slack": check_slack,
    "sms": check_line,
    "push": check_push,
}
INVISIBLE = frozenset("\x00\x07\x1b\x7f\x85\u200b\u202e\u2066\u2028\ufeff\u00ad\U000e0041")
