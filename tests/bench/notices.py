"""What NOTIFY costs, in process: leads told at once, held deliveries that leave their line, mails written.

Processor time of this process, the least of several rounds; the receiver has its own. Reading the decision, composing,
the call, the records and the state are in it, the broker is not. Beside it a bare POST by the same client.
"""

import asyncio
import gc
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import aiohttp
import orjson
from prometheus_client import CollectorRegistry

from notifiers.channels import mail
from notifiers.compose import message_for
from notifiers.delivery import opened
from notifiers.outside import Outside, outside
from notifiers.settings import ChannelSettings
from notifiers.templates import load
from schemas.decision import told_decision_read
from schemas.timer import WAKE_UP, WakeUp
from schemas.wire import decode, encode
from streams.outbox import Outbox
from streams.runner import GC_THRESHOLDS
from streams.stage import Event
from streams.stages.notify import build
from streams.store.rocks import open_rocks
from streams.store.state import PartitionState
from tests.bench.decisions import Divided
from tests.bench.receiver import Receiver, receiving
from tests.bench.setting import roster
from tests.lab.channels import SECRET
from tests.lab.decisions import REPS, Roster

Say = Callable[[str, dict[str, Any]], None]
"""Told of each row as it is found: its name and figures."""

BATCH = 64
ROUNDS = 6


@dataclass
class Notifying:
    """One partition of NOTIFY in process, as the runner drives it but for the broker."""

    receiver: Receiver
    folder: Path
    offset: int = 0
    written: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        registry, tables = CollectorRegistry(), Roster()
        self.stage = build(settings(self.receiver), tables, self.folder, lambda: datetime.now(UTC), registry)
        self.store = open_rocks(self.folder / "store")
        self.state = PartitionState(self.store, self.stage.kinds)
        self.outbox = Outbox("notify", "bench")
        self.loop = asyncio.new_event_loop()

    def close(self) -> None:
        self.loop.run_until_complete(self.stage.close())
        self.loop.close()
        self.store.close()

    def batch(self, event_type: str, values: list[bytes]) -> None:
        """Read, prepare, handle and fold one batch."""
        now = datetime.now(UTC)
        events = [self._event(event_type, value, now) for value in values]
        context = self.loop.run_until_complete(self.stage.prepare(events, self.state, self.loop.time() + 5))
        self.outbox.clear()
        for place, event in enumerate(events):
            effects = tuple(self.stage.handle(self.state, event, context, now))
            self.outbox.take(place, event, effects, now, self.state)
        self.written = self.outbox.records()
        self.outbox.changelog({0: self.state})
        self.state.fold(0, 0.0)

    def _event(self, event_type: str, value: bytes, now: datetime) -> Event:
        self.offset += 1
        model = decode(event_type, 1, value, self.stage.parsers.get(event_type))
        return Event(f"e{self.offset}", event_type, "leads.assigned", 0, self.offset, "p", model, now, {})

    def waiting(self) -> int:
        return sum(1 for _ in self.store.scan("line/"))

    def drain(self) -> int:
        """Let the line in until it is empty; return how many turns that took."""
        (lane,) = (key.split("/")[1] for key, _ in self.store.scan("lane/"))
        at, turns = datetime.now(UTC), 0
        wake = WakeUp(waker=f"delivery/line/{lane}/p", due_at=at, fired_at=at, data={"lane": lane, "width": 1})
        again = [encode(wake) or b""]
        while self.waiting():
            self.batch(WAKE_UP, again)
            turns += 1
            # Where it was turned away, the wake-up goes by TIMERS; here it is due at once.
            again = [one.value for one in self.written if one.topic.endswith("leads.redeliver")] or [
                encode(wake) or b""
            ]
        return turns


def settings(receiver: Receiver) -> ChannelSettings:
    """Return settings with one webhook and a mail server that nothing is sent to."""
    return ChannelSettings.model_validate(
        {
            "allowed_hosts": ["127.0.0.1"],
            "webhooks": {"default": {"url": receiver.url, "secret": SECRET}},
            "smtp": {"host": "127.0.0.1", "port": 1, "sender": "leads@us.example"},
            "breaker_seconds": 0.2,
        }
    )


def run(say: Say) -> dict[str, Any]:
    """Return the figures of all parts by name."""
    before = gc.get_threshold()
    gc.set_threshold(*GC_THRESHOLDS)
    found: dict[str, Any] = {}
    try:
        with receiving() as receiver, TemporaryDirectory(prefix="leadstream-bench-") as folder:
            bare = asyncio.run(_bare(receiver))
            for name, us in (
                ("a lead told by webhook", _told(receiver, Path(folder) / "told")),
                ("a held webhook leaves its line", _held(receiver, Path(folder) / "held")),
                ("a mail written", _mail(receiver)),
            ):
                found[name] = {"us": round(us), "per second": round(1e6 / us), "of a bare POST": round(us / bare, 1)}
                say(name, found[name])
    finally:
        gc.set_threshold(*before)
    return found


def decisions(count: int, channel: str) -> list[bytes]:
    """Return decisions of ASSIGN with their traces, each told to one rep on one channel."""
    division = Divided(100, roster(200), now=datetime.now(UTC))
    division.decide(division.leads(0, count))
    return [_told_on(orjson.loads(value), channel) for value in division.decided if value is not None]


def _told_on(decision: dict[str, Any], channel: str) -> bytes:
    notice = decision["notices"][0] | {"channels": [channel], "recipients": ["M1"], "release_at": {}}
    notice.pop("expires_at", None)
    return orjson.dumps(decision | {"tier": "T2", "sla": None, "notices": [notice]})


def _told(receiver: Receiver, folder: Path) -> float:
    notifying, leads = Notifying(receiver, folder), decisions(BATCH * ROUNDS, "webhook")
    try:
        return min(
            _spent(partial(notifying.batch, "lead.decided", leads[first : first + BATCH])) / BATCH * 1e6
            for first in range(0, len(leads), BATCH)
        )
    finally:
        notifying.close()


def _held(receiver: Receiver, folder: Path) -> float:
    notifying, leads = Notifying(receiver, folder), decisions(BATCH * ROUNDS, "webhook")
    try:
        receiver.down()
        for first in range(0, len(leads), BATCH):
            notifying.batch("lead.decided", leads[first : first + BATCH])
        held = notifying.waiting()
        receiver.up()
        time.sleep(0.3)  # until the breaker asks again
        return _spent(notifying.drain) / held * 1e6
    finally:
        notifying.close()


def _mail(receiver: Receiver) -> float:
    known, texts = settings(receiver), load(None)
    world = Outside(known, None, None)  # type: ignore[arg-type]  # nothing is sent
    ledgers = [opened(told_decision_read(one), known, datetime.now(UTC)) for one in decisions(BATCH, "email")]

    def write() -> None:
        for ledger in ledgers:
            mail.compose(message_for(ledger.decision, ledger.rows[0], REPS.get, texts, known, {}), "k", world)

    return min(_spent(write) for _ in range(ROUNDS)) / BATCH * 1e6


async def _bare(receiver: Receiver) -> float:
    """Return the microseconds of a POST of the same size by the same client, sixteen at a time."""
    body = b"x" * 1_800

    async def post(session: aiohttp.ClientSession, places: asyncio.Semaphore) -> None:
        async with places, session.post(receiver.url, data=body) as answer:
            await answer.read()

    async with outside(settings(receiver)) as world:
        costs = []
        for _ in range(ROUNDS):
            places, started = asyncio.Semaphore(16), time.process_time()
            await asyncio.gather(*(post(world.guarded, places) for _ in range(200)))
            costs.append((time.process_time() - started) / 200 * 1e6)
        return min(costs)


def _spent(work: Callable[[], Any]) -> float:
    gc.collect()
    started = time.process_time()
    work()
    return time.process_time() - started
