"""The board under load: 500 leads a second with twenty browsers, and what it costs the stages beside it."""

import asyncio
import math
import re
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from threading import Event, Thread
from typing import Any

import aiohttp
import httpx
import psutil
from confluent_kafka import Producer

from routing.pool_state import PoolState, Turn
from routing.rep_state import RepState, row_of
from schemas.decision import DecisionKind
from schemas.rep import Rep
from schemas.wire import encode, headers_for
from streams.kafka.config import plain_producer_config
from tests.bench.arrivals import Latency, measure
from tests.bench.chain import STAGES, _lead_event, _named, _warm
from tests.bench.process import python, resident_bytes, running
from tests.bench.setting import Setting, prepared, stage
from tests.integration.board_world import trace
from tests.unit.streams.board.decisions import decided, person, settled, standing
from tests.waiting import eventually

BROWSERS = 20
MADE = datetime(2001, 1, 1, tzinfo=UTC)  # when the shapes of records are made; stands nowhere else in them
_NOBODY = person(0).encode()
PORT, STILL_PORT = 18_090, 18_091
_COUNTED = re.compile(r"<b>([\d,]+)</b><span>arrived")


@dataclass(slots=True)
class Written:
    """When the n-th lead was written, monotonic seconds: at[n-1]."""

    at: list[float] = field(default_factory=list)
    stop: Event = field(default_factory=Event)


@dataclass(frozen=True, slots=True)
class Soak:
    """delays: seconds from a lead's record to the page of a browser that counts it. memory: MiB, every ten seconds.

    cores: what the board took of one, on average.
    """

    leads: int
    delays: list[float]
    memory: list[int]
    cores: float

    def quantile(self, share: float) -> float:
        rows = sorted(self.delays)
        return rows[min(len(rows) - 1, int(len(rows) * share))] if rows else float("nan")


def soak(bootstrap: str, folder: Path, rate: int, seconds: float) -> Soak:
    """Write what the stages would of `rate` leads a second for so long, and look at what twenty browsers see."""
    setting = prepared(bootstrap, "bench-board", folder)
    written = Written()
    with board(setting) as process:
        writer = Thread(target=_write, args=(setting, written, rate, seconds), daemon=True)
        writer.start()
        before, began = _cpu_seconds(process), time.monotonic()
        delays, memory = asyncio.run(_watch(written, process, seconds + 5))
        cores = (_cpu_seconds(process) - before) / (time.monotonic() - began)
        written.stop.set()
        writer.join()
    return Soak(len(written.at), delays, memory, cores)


def _cpu_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


@dataclass(frozen=True, slots=True)
class Beside:
    """Raw to assigned in seconds, of each round: without browsers or board; with twenty browsers on a server that only
    gives them a page; with the board and the same browsers. cores: what the board took of one."""

    alone: list[Latency]
    browsers: list[Latency]
    board: list[Latency]
    cores: float


def beside(bootstrap: str, folder: Path, rate: int, rounds: int = 3) -> Beside:
    """Send leads at `rate` through all stages, by turns in the three cases.

    The board is held by SIGSTOP in two of them, and has caught up before the third begins: neither its start nor what
    it missed is measured.
    """
    setting = prepared(bootstrap, "bench-beside", folder)
    found = Beside([], [], [], 0.0)
    spent = lasted = 0.0
    with ExitStack() as held:
        for name in STAGES:
            held.enter_context(stage(setting, name))
        _warm(setting)
        process = held.enter_context(board(setting))
        _caught_up()
        page = folder / "page.html"
        page.write_bytes(_get("/", {"HX-Request": "true"}))
        held.enter_context(running(python("-m", "tests.bench.still", str(STILL_PORT), str(page))))
        try:
            for number in range(rounds):
                process.suspend()
                found.alone.append(_sent(setting, rate, f"alone{number}"))
                with browsers(STILL_PORT):
                    found.browsers.append(_sent(setting, rate, f"browsers{number}"))
                process.resume()
                _caught_up()
                with browsers(PORT):
                    before, began = _cpu_seconds(process), time.monotonic()
                    found.board.append(_sent(setting, rate, f"board{number}"))
                    spent, lasted = spent + _cpu_seconds(process) - before, lasted + time.monotonic() - began
        finally:
            process.resume()  # else it would not hear that it is to end
    return replace(found, cores=spent / lasted)


def _sent(setting: Setting, rate: int, name: str) -> Latency:
    source, target = setting.full("leads.raw"), setting.full("leads.assigned")
    return measure(setting.cluster, source, target, _named(rate, name), rate, _lead_event)


@contextmanager
def browsers(port: int) -> Iterator[None]:
    """Run twenty browsers on a server until the end of the block."""
    with running(python("-m", "tests.bench.browsers", str(port))) as process:
        eventually(lambda: len(process.net_connections()) >= BROWSERS, "twenty browsers", 30, look=0.1)
        yield


def _caught_up() -> None:
    def is_so() -> bool:
        try:
            return b"leadstream_board_lag_records 0.0" in _get("/metrics", {})
        except httpx.TransportError:
            return False

    eventually(is_so, "the board to have read everything", 60, look=0.2)


def _get(path: str, headers: dict[str, str]) -> bytes:
    return httpx.get(f"http://127.0.0.1:{PORT}{path}", headers=headers, timeout=20).content


@contextmanager
def board(setting: Setting) -> Iterator[psutil.Process]:
    """Run a board, open on loopback, until the end of the block."""
    more = {"LEADSTREAM_BOARD_IS_OPEN": "true", "LEADSTREAM_BOARD_PORT": str(PORT)}
    with running(python("-m", "streams.cli.main", "board"), {**setting.environ, **more}) as process:
        yield process


@dataclass(frozen=True, slots=True)
class Shape:
    """A record as a stage writes it, of lead 0 at `MADE`: another's is made by putting in its ids and its times."""

    topic: str
    key: bytes
    value: bytes

    def of(self, number: int, times: list[tuple[bytes, bytes]]) -> tuple[bytes, bytes]:
        """Return the key and value of lead `number`."""
        mine, key = person(number).encode(), self.key
        value = self.value.replace(_NOBODY, mine)
        for made, now in times:
            value = value.replace(made, now)
        return key.replace(_NOBODY, mine), value


def _shapes() -> dict[str, list[Shape]]:
    """Return what the stages write of one lead: as it arrives, is contacted, is closed.

    On arrival, besides the decision: three outcomes of notices (the owner's, the CRM's, the reply to the lead), and of
    ASSIGN's state the lead, its owner, pool and turn. That is eight records; with the end of every second lead nine.
    """
    first = decided(number=0, arrived=MADE, trace=trace(), owner="r-1")
    told = [settled(first), *(settled(first, channel=one, is_first=False) for one in ("crm", "auto_reply"))]
    state = {
        f"lead/{first.lead_id}": encode(first) or b"",
        "rep/main/r-1": encode(RepState("r-1", row_of(Rep(id="r-1", name="Ada", limit=40)), 1200, 24)) or b"",
        "pool/main/pool-1": encode(PoolState(level=40, base=300, turns=40)) or b"",
        "turn/main/pool-1/r-1": encode(Turn(start=40, base=300, weight=100, given=14)) or b"",
    }
    contacted = decided(DecisionKind.CONTACTED, 0, 2, "r-1", MADE, sla=standing(MADE, contacted_at=MADE))
    closed = decided(DecisionKind.CLOSED, 0, 2, None, MADE, sla=None)

    def about(topic: str, value: Any) -> Shape:
        return Shape(topic, value.person.encode(), encode(value) or b"")

    return {
        "arrived": [
            about("leads.assigned", first),
            *(about("leads.notified", one) for one in told),
            *(Shape("state.assign", key.encode(), value) for key, value in state.items()),
        ],
        "contacted": [about("leads.assigned", contacted)],
        "closed": [about("leads.assigned", closed)],
    }


def _records(shapes: dict[str, list[Shape]], number: int, times: list[tuple[bytes, bytes]]) -> Iterator[Any]:
    """Yield (topic, key, value): every lead but the latest few thousand is contacted or closed, as in a real day."""
    due = [("arrived", number)]
    if number > 2_000:
        due.append(("contacted" if number % 2 == 0 else "closed", number - 2_000))
    for name, lead in due:
        for shape in shapes[name]:
            yield shape.topic, *shape.of(lead, times)


def _times(now: datetime) -> list[tuple[bytes, bytes]]:
    def said(at: datetime) -> bytes:
        return at.isoformat(timespec="microseconds").replace("+00:00", "Z").encode()

    made = {seconds: MADE + timedelta(seconds=seconds) for seconds in (0, 1, 2, 150, 300)}
    return [
        (at.isoformat().replace("+00:00", "Z").encode() + b'"', said(now + timedelta(seconds=seconds)) + b'"')
        for seconds, at in made.items()
    ]


def _write(setting: Setting, written: Written, rate: int, seconds: float) -> None:
    """Write what the stages would: two cores do not carry them, a broker and the board at 500 leads a second."""
    producer = Producer(plain_producer_config(setting.cluster) | {"linger.ms": 20})
    shapes, full = (
        _shapes(),
        {name: setting.full(name) for name in ("leads.assigned", "leads.notified", "state.assign")},
    )
    headers: dict[str, str | bytes | None] = {**dict(headers_for("bench", "t", "bench", MADE, {}))}
    began, number = time.monotonic() + 5, 0
    while not written.stop.is_set() and time.monotonic() < began + seconds:
        goal = int((time.monotonic() - began) * rate)
        times = _times(datetime.now(UTC))
        while number < goal:
            number += 1
            for topic, key, value in _records(shapes, number, times):
                producer.produce(full[topic], key=key, value=value, headers=headers)
            written.at.append(time.monotonic())
            producer.poll(0)
        time.sleep(0.02)
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


async def browse(port: int) -> None:
    """Be twenty browsers until this process is ended."""
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=5)
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}", timeout=timeout, connector=connector) as client:
        await _answering(client)
        await asyncio.gather(*(_browser(client, Written(), [], math.inf) for _ in range(BROWSERS)))


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
    """Do as board.js does: hear of a change, ask for the part and say which one is there, see how many leads it counts.

    The delay of every lead that is counted for the first time is taken: from its record to this answer.
    """
    counted, part = 0, ""
    async with client.get("/events") as events:
        async for line in events.content:
            if time.monotonic() >= until:
                return
            if not line.startswith(b"event: changed"):
                continue
            async with client.get("/", headers={"HX-Request": "true", "X-Has-Part": part}) as answer:
                if answer.status != 200:
                    continue
                found, part = _COUNTED.search(await answer.text()), answer.headers["X-Part"]
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
        "cores of the board": round(found.cores, 2),
        "MiB at 60 s": found.memory[min(6, len(found.memory) - 1)],
        "MiB at the middle": half[0],
        "MiB at the end": found.memory[-1],
    }


def beside_summary(found: Beside) -> dict[str, Any]:
    """Return medians of the rounds for the table, and what the board costs over its browsers."""
    figures: dict[str, Any] = {"rounds": len(found.board), "cores of the board": round(found.cores, 2)}
    for name in ("p50", "p99"):
        alone, readers, shown = (
            median(getattr(one, name) for one in rows) for rows in (found.alone, found.browsers, found.board)
        )
        figures[f"{name} s alone"] = round(alone, 3)
        figures[f"{name} s beside browsers only"] = round(readers, 3)
        figures[f"{name} s beside the board"] = round(shown, 3)
        figures[f"ratio {name} to browsers only"] = round(shown / readers, 2)
        figures[f"ratio {name} to alone"] = round(shown / alone, 2)
    return figures
