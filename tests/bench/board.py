"""The board under load: 500 decisions a second with twenty browsers, and what it costs the stages beside it."""

import asyncio
import re
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread
from typing import Any

import aiohttp
import psutil
from confluent_kafka import Producer

from schemas.decision import Decision, DecisionKind
from schemas.wire import encode, headers_for
from streams.kafka.config import plain_producer_config
from tests.bench.arrivals import Latency, measure
from tests.bench.chain import STAGES, _lead_event, _named, _warm
from tests.bench.process import python, resident_bytes, running
from tests.bench.setting import Setting, prepared, stage
from tests.unit.streams.board.decisions import decided, settled, standing

BROWSERS = 20
PORT = 18_090
_COUNTED = re.compile(r"<b>([\d,]+)</b><span>arrived")


@dataclass(slots=True)
class Written:
    """When the n-th lead was written, monotonic seconds: at[n-1]."""

    at: list[float] = field(default_factory=list)
    stop: Event = field(default_factory=Event)


@dataclass(frozen=True, slots=True)
class Soak:
    """delays: seconds from a lead's record to the page of a browser that counts it. memory: MiB, every ten seconds."""

    leads: int
    delays: list[float]
    memory: list[int]

    def quantile(self, share: float) -> float:
        rows = sorted(self.delays)
        return rows[min(len(rows) - 1, int(len(rows) * share))] if rows else float("nan")


def soak(bootstrap: str, folder: Path, rate: int, seconds: float) -> Soak:
    """Write `rate` decisions a second and as many notices for so long, and look at what twenty browsers see."""
    setting = prepared(bootstrap, "bench-board", folder)
    written = Written()
    with board(setting) as process:
        writer = Thread(target=_write, args=(setting, written, rate, seconds), daemon=True)
        writer.start()
        delays, memory = asyncio.run(_watch(written, process, seconds + 5))
        written.stop.set()
        writer.join()
    return Soak(len(written.at), delays, memory)


def beside(bootstrap: str, folder: Path, rate: int) -> tuple[Latency, Latency]:
    """Return raw to assigned through all stages at `rate`, without the board and with it and twenty browsers."""
    setting = prepared(bootstrap, "bench-beside", folder)
    source, target = setting.full("leads.raw"), setting.full("leads.assigned")
    with ExitStack() as all_of_them:
        for name in STAGES:
            all_of_them.enter_context(stage(setting, name))
        _warm(setting)
        alone = measure(setting.cluster, source, target, _named(rate, "alone"), rate, _lead_event)
        process = all_of_them.enter_context(board(setting))
        watching = Thread(target=lambda: asyncio.run(_watch(Written(), process, 25)), daemon=True)
        watching.start()
        time.sleep(5)
        together = measure(setting.cluster, source, target, _named(rate, "beside"), rate, _lead_event)
        watching.join()
    return alone, together


@contextmanager
def board(setting: Setting) -> Iterator[psutil.Process]:
    """Run a board, open on loopback, until the end of the block."""
    more = {"LEADSTREAM_BOARD_IS_OPEN": "true", "LEADSTREAM_BOARD_PORT": str(PORT)}
    with running(python("-m", "streams.cli.main", "board"), {**setting.environ, **more}) as process:
        yield process


def _decisions(number: int, now: datetime) -> list[Decision]:
    """Return a lead's decision; every lead but the latest few thousand is contacted and closed, as in a real day."""
    rows = [decided(number=number, arrived=now, owner=f"r{number % 10}")]
    if number > 2_000 and number % 2 == 0:
        old = number - 2_000
        rows.append(decided(DecisionKind.CONTACTED, old, 5, f"r{old % 10}", now, sla=standing(now, contacted_at=now)))
        rows.append(decided(DecisionKind.CLOSED, old - 1, 6, None, now, sla=None))
    return rows


def _write(setting: Setting, written: Written, rate: int, seconds: float) -> None:
    producer = Producer(plain_producer_config(setting.cluster) | {"linger.ms": 5})
    began, number = time.monotonic() + 5, 0
    while not written.stop.is_set() and time.monotonic() < began + seconds:
        goal = int((time.monotonic() - began) * rate)
        while number < goal:
            number += 1
            now = datetime.now(UTC)
            rows: list[Any] = [*_decisions(number, now)]
            rows.append(settled(rows[0]))
            for row in rows:
                topic = "leads.assigned" if isinstance(row, Decision) else "leads.notified"
                headers = dict(headers_for(f"{topic}/{number}", "t", "bench", now, {}))
                producer.produce(setting.full(topic), key=row.person, value=encode(row), headers=headers)
            written.at.append(time.monotonic())
            producer.poll(0)
        time.sleep(0.01)
    producer.flush(10)


async def _watch(written: Written, process: psutil.Process, seconds: float) -> tuple[list[float], list[int]]:
    delays: list[float] = []
    memory: list[int] = []
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=5)
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(f"http://127.0.0.1:{PORT}", timeout=timeout, connector=connector) as client:
        await _answering(client)
        until = time.monotonic() + seconds
        browsers = [asyncio.create_task(_browser(client, written, delays, until)) for _ in range(BROWSERS)]
        while time.monotonic() < until:
            memory.append(resident_bytes(process) >> 20)
            await asyncio.sleep(min(10, max(0.1, until - time.monotonic())))
        await asyncio.gather(*browsers)
    return delays, memory


async def _answering(client: aiohttp.ClientSession) -> None:
    for _ in range(300):
        try:
            async with client.get("/healthz") as answer:
                if answer.status == 200:
                    return
        except aiohttp.ClientError:
            pass
        await asyncio.sleep(0.1)
    raise TimeoutError("the board did not answer in 30 s")


async def _browser(client: aiohttp.ClientSession, written: Written, delays: list[float], until: float) -> None:
    """Do as board.js does: hear of a change, ask for the part at most once a second, and see how many leads it counts.

    The delay of every lead that is counted for the first time is taken: from its record to this answer.
    """
    counted, asked = 0, 0.0
    async with client.get("/events") as events:
        async for line in events.content:
            if time.monotonic() >= until:
                return
            if not line.startswith(b"event: changed") or time.monotonic() < asked + 1:
                continue
            asked = time.monotonic()
            async with client.get("/", headers={"HX-Request": "true"}) as answer:
                found = _COUNTED.search(await answer.text())
            seen, now = int(found[1].replace(",", "")) if found else 0, time.monotonic()
            delays.extend(now - at for at in written.at[counted:seen:25])  # every 25th lead: a sample is enough
            counted = max(counted, seen)


def summary(found: Soak) -> dict[str, Any]:
    """Return the figures of a soak for the table."""
    half = found.memory[len(found.memory) // 2 :]
    return {
        "leads": found.leads,
        "p50 s": round(found.quantile(0.5), 2),
        "p95 s": round(found.quantile(0.95), 2),
        "p99 s": round(found.quantile(0.99), 2),
        "MiB at 60 s": found.memory[min(6, len(found.memory) - 1)],
        "MiB at the middle": half[0],
        "MiB at the end": found.memory[-1],
    }
