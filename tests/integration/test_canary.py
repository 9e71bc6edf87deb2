"""A whole run whose inputs carry marked contact values and marked secrets, with real servers behind every channel.

Afterwards everything that people and machines look at is searched for the marks: logs of all processes, metrics pages,
keys and headers of every topic, the journal, timers, delivery results, foreign ids, every span that went to the
collector, and the stores that are to hold no contact. Values of dead letters hold the original bytes by design and are
left out; their headers are not.
"""

import asyncio
import hashlib
import hmac
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
import yaml
from aiohttp import web

from schemas.topics import TOPICS
from schemas.wire import encode
from streams.kafka import topics as kafka_topics
from streams.topology import NAMES, PORTS_A_STAGE
from tests.bench.setting import Setting, prepared, roster
from tests.broker import FoundBroker
from tests.lab.apis import HubSpot, Slack, Twilio, plain_ok
from tests.lab.collector import Collector, collecting
from tests.lab.http_server import Got, Server, serving
from tests.lab.mail_server import mail_serving
from tests.lab.push_service import Browser
from tests.lab.push_service import settings as push_settings
from tests.ports import free_base
from tests.records import Outgoing, Record, Records
from tests.waiting import eventually

MARK = "canaryq7f3"
TOLD_BY = {"slack", "email", "crm"}
PHONE = "512867530"  # and one more digit
SECRETS = {
    name: f"{MARK}-{name}-0123456789"
    for name in (
        "person",
        "provider",
        "slack",
        "signing",
        "smtp",
        "hubspot",
        "twilio",
        "webhook",
        "form",
        "unsub",
        "endpoint",
    )
}
OPEN_TOPICS = ("leads.notified", "leads.timers", "xref", "decisions", "suppressions", "policies")
"""Topics whose values hold no contact, beside the keys and headers of all."""
CLOSED_STORES = ("state.enrich", "state.score", "state.track")
PROVIDED = {"site": "acme.example", "size": 300, "sector": "Software", "country": "US", "state": "TX"}


def lead(number: int, **more: Any) -> dict[str, Any]:
    """Return a submission with a mark in everything that is a person's."""
    return {
        "id": f"lead-{number}",
        "email": f"{MARK}.{number}@acme{number}.example",
        "phone": f"+1{PHONE}{number % 10}",
        "first_name": f"{MARK.title()}first",
        "last_name": f"{MARK.title()}last",
        "title": f"VP {MARK}",
        "linkedin": f"https://www.linkedin.com/in/{MARK}",
        "message": f"Call {MARK} at home",
        "transcript": f"visitor: I am {MARK}",
        "company": f"Acme {number}",
        "action": ("demo", "webinar", "content")[number % 3],
        "ip": f"{MARK}-ip",
        "answers": {"your name": MARK, "budget": "high"},
        "cookie": MARK,
        **more,
    }


ODD = (
    {"id": "o1", "email": f"{MARK}@@nowhere", "phone": f"{MARK}", "country": MARK, "state": MARK, "action": "demo"},
    {"id": "o2", "email": f"{MARK}@gmail.com", "submitted_at": f"at {MARK}", "employees": f"{MARK} people"},
    {"id": "o3", "email": f"{MARK}@mailinator.com", "trap": MARK, "message": f"http://a http://b http://c {MARK}"},
    {"id": "o4", "phone": f"+1{PHONE}9", "language": MARK, "postcode": f"{MARK} 1"},
    {"id": "o5", "email": f"x@acme1.example, {MARK}@acme1.example", "name": [MARK], "answers": [MARK]},
)


@dataclass
class World:
    """What ran: its settings, the outside, and where the processes wrote."""

    setting: Setting
    folder: Path
    base: int
    outside: dict[str, Server] = field(default_factory=dict)
    collector: Collector = field(default_factory=Collector)
    metrics: str = ""
    said: str = ""


@asynccontextmanager
async def outside() -> AsyncIterator[tuple[dict[str, Server], int]]:
    """Serve every channel and the providers; some answers are errors that repeat what they were asked."""

    async def firm(got: Got) -> web.StreamResponse:
        if "acme2" in got.path or "acme5" in got.path:
            return web.Response(status=500, text=f"no {got.path} for {got.headers.get('x-key')} {got.query}")
        return web.json_response(PROVIDED | {"site": got.path.rpartition("/")[2]})

    async with (
        serving(firm) as provider, serving(Slack()) as slack, serving(HubSpot()) as hubspot, serving(Twilio()) as sms,
        serving(plain_ok) as push, mail_serving() as mails,
    ):  # fmt: skip
        hubspot.mood.script = [500, ("later", 1), 400]
        slack.mood.script = [500, "drop"]
        sms.mood.script = [400, 500]
        servers = {"provider": provider, "slack": slack, "hubspot": hubspot, "sms": sms, "push": push}
        yield servers, mails.port


def channels_of(servers: dict[str, Server], mail_port: int) -> dict[str, Any]:
    base64_secret = "whsec_" + "Y2FuYXJ5cTdmMy13ZWJob29rLTAxMjM0NTY3ODk="
    return {
        "allowed_hosts": ["127.0.0.1"],
        "retry_first_seconds": 0.1,
        "slack": {
            "token": SECRETS["slack"],
            "signing_secret": SECRETS["signing"],
            "base_url": f"{servers['slack'].url}/api/",
        },
        "smtp": {"host": "127.0.0.1", "port": mail_port, "sender": "leads@us.example"},
        "sms": {
            "account_sid": "AC" + "0" * 32,
            "auth_token": SECRETS["twilio"],
            "sender": "+12125550000",
            "base_url": servers["sms"].url,
        },
        "push": push_settings(),
        "webhooks": {"default": {"url": servers["push"].url, "secret": base64_secret}},
        "crm": {
            "hubspot": {
                "token": SECRETS["hubspot"],
                "client_secret": SECRETS["hubspot"],
                "base_url": servers["hubspot"].url,
            }
        },
        "unsubscribe_url": "http://127.0.0.1/unsubscribe",
        "unsubscribe_secret": SECRETS["unsub"],
    }


def environ_of(world: World, mail_port: int) -> dict[str, str]:
    http = {
        "url": f"{world.outside['provider'].url}/v1/{{domain}}",
        "auth": {"kind": "header", "name": "X-Key", "env": "CANARY_PROVIDER_KEY"},
        "mapping": {"domain": "site", "employees": "size", "industry": "sector", "country": "country"},
        "allow_hosts": ["127.0.0.1"],
    }
    org = {"enrichment": {"providers": [{"name": "house", "kind": "http", "http": http}]}}
    (world.folder / "org.yaml").write_text(yaml.safe_dump(org))
    form = {"kind": "generic", "secret_env": "CANARY_FORM_SECRET", "lead": {"action": "demo"}}
    (world.folder / "forms.yaml").write_text(yaml.safe_dump({"contact": form}))
    guide = {"steps": [{"name": "who", "ask": ["email", "name"]}, {"name": "more", "ask": ["answers.budget"]}]}
    (world.folder / "guides.yaml").write_text(yaml.safe_dump({"demo": guide}))
    return {
        **os.environ,
        **world.setting.environ,
        "LEADSTREAM_PERSON_SECRET": SECRETS["person"],
        "LEADSTREAM_STATE_DIR": str(world.folder / "state"),
        "LEADSTREAM_ORG_FILE": str(world.folder / "org.yaml"),
        "LEADSTREAM_CHANNELS": orjson.dumps(channels_of(world.outside, mail_port)).decode(),
        "LEADSTREAM_HTTP_PORT_BASE": str(world.base),
        "LEADSTREAM_LOG_LEVEL": "debug",
        "LEADSTREAM_INTAKE_PORT": str(world.base + 90),
        "LEADSTREAM_INTAKE_FORMS_FILE": str(world.folder / "forms.yaml"),
        "LEADSTREAM_INTAKE_GUIDES_FILE": str(world.folder / "guides.yaml"),
        "LEADSTREAM_TRACES_URL": world.collector.url,
        "CANARY_PROVIDER_KEY": SECRETS["provider"],
        "CANARY_FORM_SECRET": SECRETS["form"],
    }


@contextmanager
def processes(world: World, mail_port: int) -> Iterator[None]:
    """Run the intake and every stage under the supervisor for the block; what they say goes to files."""
    environ = environ_of(world, mail_port)
    command = [sys.executable, "-m", "streams.cli.main"]
    started = []
    try:
        for name, arguments in (("up", ["up"]), ("intake", ["intake", "--open"])):
            with (world.folder / f"{name}.log").open("wb") as said:
                started.append(subprocess.Popen(command + arguments, env=environ, stdout=said, stderr=said))
        yield
    finally:
        for one in started:
            one.send_signal(signal.SIGTERM)
        for one in started:
            try:
                one.wait(120)
            except subprocess.TimeoutExpired:
                one.kill()
                one.wait()


def run(world: World, mail_port: int) -> None:
    """Send leads and rubbish in by every door, and wait until all that must be is decided and told."""
    records = world.setting.records
    people = [rep.model_copy(update={"email": f"{rep.id}@us.example", "slack": "U0001"}) for rep in roster(3)]
    with processes(world, mail_port):
        records.write("reps", [Outgoing(rep.id, encode(rep), {"ce_type": "rep.put"}) for rep in people])
        browser = Browser(SECRETS["endpoint"])
        devices = [browser.device(world.outside["push"].url, rep.id) for rep in people]
        records.write("devices", [Outgoing(one.key, encode(one), {"ce_type": "device.put"}) for one in devices])
        with httpx.Client(base_url=f"http://127.0.0.1:{world.base + 90}", timeout=60) as client:
            eventually(lambda: _is_up(client), "the intake to listen", 240)
            doors(client)
            written(records)
            owned = records.read_until(["leads.assigned"], lambda found: len(found) >= 18, 240)
            records.read_until(["leads.notified"], _told_by_every_channel, 240)
            records.read_until(
                ["leads.dlq"], lambda found: "enrich" in {one.headers["dlq_stage"] for one in found}, 120
            )
            told = {"kind": "called", "lead_id": owned[0].json["lead_id"], "email": f"{MARK}.0@acme0.example"}
            assert client.post("/activity", json=told | {"rep": "r0"}).status_code == 202
            records.read_until(["leads.enriched"], lambda found: any(map(_is_activity, found)), 240)
            world.metrics = "\n".join(_pages(client, world.base))
    logs = [*world.folder.glob("*.log"), *(world.folder / "state" / "logs").glob("*.log")]
    assert len(logs) >= len(NAMES) + 2, [path.name for path in logs]
    world.said = "\n".join(path.read_text(errors="replace") for path in logs)


def _told_by_every_channel(found: list[Record]) -> bool:
    return len(found) >= 30 and {record.json["channel"] for record in found} >= TOLD_BY


def _is_activity(record: Record) -> bool:
    return record.headers["ce_type"] == "activity.bound"


def doors(client: httpx.Client) -> None:
    """Submit by HTTP: good, odd, refused, and by a form tool."""
    rows = [lead(number) for number in range(12)]
    assert client.post("/leads", json=rows).status_code == 202
    assert client.post("/leads", json=list(ODD)).status_code == 202
    for refused in ({"name": MARK}, {"id": 7, "email": f"{MARK}@a.example"}, [{"email": MARK, "id": ["x"]}]):
        assert client.post("/leads", json=refused).status_code == 422
    client.post("/leads", content=f'{{"email": "{MARK}'.encode(), headers={"Content-Type": "application/json"})
    client.get(f"/{MARK}", params={"email": f"{MARK}@a.example"}, headers={"X-API-Key": f"{MARK}-key"})
    client.put(f"/reps/{MARK}", json={"id": "other", "email": f"{MARK}@a.example"})
    client.post("/activity", json={"kind": MARK, "email": f"{MARK}@a.example"})
    body = orjson.dumps(lead(50))
    signature = hmac.new(SECRETS["form"].encode(), body, hashlib.sha256).hexdigest()
    assert client.post("/forms/contact", content=body, headers={"X-Signature": signature}).status_code == 200
    assert client.post("/forms/contact", content=body, headers={"X-Signature": MARK}).status_code == 401
    step = {"form": "demo", "session": MARK, "step": "who", "email": f"{MARK}.60@acme60.example", "name": MARK}
    page = client.post("/leads/next", json=step)
    assert page.json()["ask"] == ["answers.budget"] and MARK not in page.text
    assert client.post("/leads", json={"id": "g1", "profile": page.json()["profile"]}).status_code == 202


def written(records: Records) -> None:
    """Write what no door would take, straight into the topics."""
    broken = [
        Outgoing("k1", f'{{"email": "{MARK}@acme.example", '.encode(), {"ce_type": "lead.submitted", "ce_id": "b1"}),
        Outgoing("k2", orjson.dumps([f"{MARK}@acme.example"]), {"ce_type": "lead.submitted", "ce_id": "b2"}),
    ]
    records.write("leads.raw", broken)
    activity = {"kind": "called", "at": f"{MARK}", "email": f"{MARK}@acme1.example"}
    records.write("leads.activity", [Outgoing("k3", activity, {"ce_type": "activity.reported", "ce_id": "b3"})])


def _is_up(client: httpx.Client) -> bool:
    try:
        return client.get("/readyz").status_code == 200
    except httpx.HTTPError:
        return False


def _pages(client: httpx.Client, base: int) -> Iterator[str]:
    yield client.get("/metrics").text
    for number in range(len(NAMES)):
        yield client.get(f"http://127.0.0.1:{base + PORTS_A_STAGE * number}/metrics").text


@pytest.fixture(scope="module")
def world(broker: FoundBroker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("canary")
    setting = prepared(broker.bootstrap, f"canary-{os.getpid()}", folder)
    one = World(setting, folder, free_base(beside=[90]))

    async def go() -> None:
        async with outside() as (servers, mail_port):
            one.outside = servers
            await asyncio.to_thread(run, one, mail_port)

    with collecting() as one.collector:
        asyncio.run(go())
    yield one
    kafka_topics.delete(setting.cluster)


def marked(text: str) -> list[str]:
    """Return the places of marks in `text`, with a little around them."""
    low = text.lower()
    places = [at for mark in (MARK, PHONE) for at in range(len(low)) if low.startswith(mark, at)]
    return [text[max(0, at - 120) : at + 40] for at in places[:5]]


def test_the_run_did_what_it_should_so_that_there_was_something_to_leak(world: World) -> None:
    records = world.setting.records
    assigned = records.read_all("leads.assigned")
    assert any(MARK in (record.value or b"").decode().lower() for record in assigned), "contact travels beside the lead"
    assert _told_by_every_channel(records.read_all("leads.notified"))
    assert {record.headers["dlq_stage"] for record in records.read_all("leads.dlq")} >= {"enrich"}
    assert world.outside["provider"].calls > 0 and world.outside["hubspot"].calls > 0
    assert any(got.headers["x-key"] == SECRETS["provider"] for got in world.outside["provider"].accepted)


def test_no_log_line_of_any_process_holds_a_contact_or_a_secret(world: World) -> None:
    assert '"event"' in world.said and marked(world.said) == []


def test_no_span_holds_a_contact_or_a_secret(world: World) -> None:
    services = {span.service for span in world.collector.spans}
    names = {span.name for span in world.collector.spans}
    assert {"leadstream-intake", "leadstream-enrich", "leadstream-notify"} <= services
    assert "provider house" in names and any(name.startswith("channel ") for name in names)
    assert marked(b"\n".join(world.collector.bodies).decode(errors="replace")) == []


def test_no_metrics_page_holds_a_contact_or_a_secret(world: World) -> None:
    assert "leadstream_enrichment_calls_total" in world.metrics and marked(world.metrics) == []


@pytest.mark.parametrize("topic", sorted(TOPICS))
def test_no_key_or_header_holds_a_contact_or_a_secret(world: World, topic: str) -> None:
    for record in world.setting.records.read_all(topic):
        assert marked(f"{record.key} {dict(record.headers)}") == [], (topic, record.partition, record.offset)


@pytest.mark.parametrize("topic", OPEN_TOPICS + CLOSED_STORES)
def test_the_journal_the_results_the_timers_and_closed_stores_hold_no_contact(world: World, topic: str) -> None:
    found = world.setting.records.read_all(topic)
    for record in found:
        assert marked((record.value or b"").decode(errors="replace")) == [], (topic, record.key)
    assert found or topic in ("suppressions", "xref", "state.track"), topic
