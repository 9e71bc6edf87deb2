"""From a T1 lead in leads.raw to the receipt at a channel, and `POST /leads?wait`: all stages, local receivers."""

import asyncio
import re
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import orjson
from confluent_kafka import Producer

from schemas.wire import encode, headers_for
from streams.broker.ports import free_ports
from streams.kafka.config import plain_producer_config
from tests.bench.chain import STAGES
from tests.bench.process import python, resident_bytes, running
from tests.bench.setting import Setting, prepared, roster
from tests.lab.http_server import Answer, serving
from tests.lab.push_service import Browser, PushService
from tests.lab.push_service import settings as push_settings
from tests.records import Outgoing

TOLD_RATE, WAITED_RATE = 50, 20
SECONDS = 20
_WARM_SECONDS = 5
_NAME = re.compile(r"Told (\w+)")


class Gateway:
    """When each lead's first push arrived, by the name in its title."""

    def __init__(self) -> None:
        self.arrived: dict[str, float] = {}

    def got(self, message: dict[str, Any]) -> None:
        found = _NAME.search(message["title"])
        if found is not None:
            self.arrived.setdefault(found[1], time.perf_counter())


def run(bootstrap: str, folder: Path) -> dict[str, Any]:
    """Return the figures of both."""
    setting = prepared(bootstrap, "bench-telling", folder)
    people = roster(10)
    setting.records.write("reps", [Outgoing(rep.id, encode(rep), {"ce_type": "rep.put"}) for rep in people])
    gateway = Gateway()
    service = PushService(on_push=gateway.got)
    with _served(service) as url, ExitStack() as all_of_them:
        devices = [Browser().device(url, rep.id) for rep in people]
        setting.records.write("devices", [Outgoing(one.key, encode(one), {"ce_type": "device.put"}) for one in devices])
        channels = {"push": push_settings(), "allowed_hosts": ["127.0.0.1"]}
        environ = {**setting.environ, "LEADSTREAM_CHANNELS": orjson.dumps(channels).decode()}
        processes = {
            name: all_of_them.enter_context(
                running(python("-m", "streams.cli.main", "run", name, "--slot", "1"), environ)
            )
            for name in STAGES
        }
        _told(setting, gateway, "warm", _WARM_SECONDS)
        told = _told(setting, gateway, "t", SECONDS)
        port = next(free_ports(18_080))
        command = python("-m", "streams.cli.main", "intake", "--open", "--port", str(port))
        all_of_them.enter_context(running(command, environ))
        waited = asyncio.run(_waited(f"http://127.0.0.1:{port}"))
        resident = resident_bytes(processes["notify"])
    return {
        f"T1, raw to receipt at {TOLD_RATE}/s": told,
        f"POST /leads?wait at {WAITED_RATE}/s": waited,
        "resident MB of notify": {"after": round(resident / 1e6)},
    }


def _lead(name: str) -> dict[str, Any]:
    return {
        "id": f"telling-{name}",
        "email": f"{name}@{name}.example",
        "name": f"Told {name}",
        "company": "Bench Inc",
        "employees": 450,
        "industry": "saas",
        "country": "US",
        "state": "TX",
        "action": "demo",
        "source": "web",
        "submitted_at": datetime.now(UTC).isoformat(),
    }


def _told(setting: Setting, gateway: Gateway, prefix: str, seconds: int) -> dict[str, Any]:
    """Send T1 leads at a steady rate; return how long each took to the gateway."""
    producer = Producer(plain_producer_config(setting.cluster) | {"linger.ms": 0})
    sent: dict[str, float] = {}
    started = time.perf_counter()
    for number in range(TOLD_RATE * seconds):
        while (wait := started + number / TOLD_RATE - time.perf_counter()) > 0:
            producer.poll(wait)  # returns at each acknowledgement too
        name = f"{prefix}{number}"
        headers = headers_for(f"telling-{name}", "lead.submitted", "bench", datetime.now(UTC), {})
        sent[name] = time.perf_counter()
        producer.produce(setting.full("leads.raw"), orjson.dumps(_lead(name)), name.encode(), headers=dict(headers))
    producer.flush(30)
    deadline = time.monotonic() + 60
    while not set(sent) <= set(gateway.arrived) and time.monotonic() < deadline:
        time.sleep(0.05)
    return _figures([gateway.arrived[name] - at for name, at in sent.items() if name in gateway.arrived], len(sent))


async def _waited(url: str) -> dict[str, Any]:
    """Post leads at a steady rate and wait for each one's decision."""
    waits: list[float] = []

    async def post(session: aiohttp.ClientSession, number: int) -> None:
        began = time.perf_counter()
        async with session.post(f"{url}/leads?wait=10s", json=_lead(f"w{number}")) as answer:
            said = await answer.json()
        if answer.status == 200 and said.get("decision"):
            waits.append(time.perf_counter() - began)

    async with aiohttp.ClientSession() as session:
        await _ready(session, url)
        started, posts = time.perf_counter(), []
        for number in range(WAITED_RATE * SECONDS):
            await asyncio.sleep(max(0.0, started + number / WAITED_RATE - time.perf_counter()))
            posts.append(asyncio.create_task(post(session, number)))
        await asyncio.gather(*posts)
    return _figures(waits, WAITED_RATE * SECONDS)


async def _ready(session: aiohttp.ClientSession, url: str) -> None:
    """Return once the intake answers with a decision: it has read the roster and follows the decisions."""
    deadline = time.monotonic() + 60
    number = 0
    while time.monotonic() < deadline:
        number += 1
        try:
            async with session.post(f"{url}/leads?wait=2s", json=_lead(f"ready{number}")) as answer:
                if answer.status == 200:
                    return
        except aiohttp.ClientConnectionError:
            await asyncio.sleep(0.2)
    raise TimeoutError("the intake did not answer with a decision")


def _figures(waits: list[float], sent: int) -> dict[str, Any]:
    ordered = sorted(waits)
    if not ordered:
        return {"seen": f"0/{sent}"}
    return {
        "p50 ms": round(ordered[len(ordered) // 2] * 1_000),
        "p99 ms": round(ordered[int(len(ordered) * 0.99)] * 1_000),
        "seen": f"{len(ordered)}/{sent}",
    }


@contextmanager
def _served(service: Answer) -> Iterator[str]:
    """Serve on a thread of its own; give the URL."""
    loop, ready, ended = asyncio.new_event_loop(), threading.Event(), asyncio.Event()
    found: list[str] = []

    async def serve() -> None:
        async with serving(service) as server:
            found.append(server.url)
            ready.set()
            await ended.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()), daemon=True)
    thread.start()
    if not ready.wait(10):
        raise TimeoutError("the gateway did not start")
    try:
        yield found[0]
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join(10)
        loop.close()
