"""One channel away while decisions go on: what the other channel feels, how the backlog drains, what it costs in calls.

NOTIFY and TIMERS run as `leadstream run` starts them, on a real broker; both receivers are local servers in this
process, which shares the machine with all of them.
"""

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from signal import SIGTERM
from typing import Any

import orjson
import psutil
from aiohttp import web
from confluent_kafka import Producer

from notifiers.delivery import delivery_key
from schemas.decision import Decision
from schemas.wire import encode, headers_for
from streams.kafka.config import ClusterSettings, plain_producer_config, qualified
from tests.integration.test_notify_kills import Slot
from tests.lab.channels import SECRET
from tests.lab.decisions import REPS, decision, notice
from tests.lab.http_server import Got, serving
from tests.lab.push_service import Browser, PushService
from tests.lab.push_service import settings as push_settings
from tests.records import Outgoing, Records

CHANNELS = ("webhook", "push")
DRAINED_WITHIN_SECONDS = 60.0
MOST_CALLS_A_DELIVERY = 1.1
MOST_ADDED_SECONDS = 0.25
"""By how much the other channel's p99 may rise: what two runs of the same health differ by."""

_WARM_SECONDS = 5.0
_GIVEN_UP_SECONDS = 300.0
_LOOK_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Plan:
    """rate: leads a second. outage_seconds: how long channel `down` answers 503; the other one is up throughout."""

    rate: float = 50
    outage_seconds: float = 600
    before_seconds: float = 20
    down: str = "webhook"

    @property
    def other(self) -> str:
        return next(name for name in CHANNELS if name != self.down)


@dataclass
class Receiver:
    """Keeps when each decision arrived first, monotonic. is_down: answers 503. calls: all of them.

    backlog: decisions that still have to arrive.
    """

    arrived: dict[str, float] = field(default_factory=dict)
    backlog: set[str] = field(default_factory=set)
    is_down: bool = False
    calls: int = 0

    def keep(self, decision_id: str) -> None:
        self.arrived.setdefault(decision_id, time.monotonic())
        self.backlog.discard(decision_id)

    async def __call__(self, got: Got) -> web.StreamResponse:
        self.calls += 1
        return web.Response(status=503) if self.is_down else await self.take(got)

    async def take(self, got: Got) -> web.StreamResponse:
        raise NotImplementedError


class Hook(Receiver):
    """A receiver of webhooks."""

    async def take(self, got: Got) -> web.StreamResponse:
        self.keep(orjson.loads(got.body)["data"]["decision_id"])
        return web.Response(status=204)


class Gateway(Receiver):
    """A push service. A push names the lead alone; its person is its number here."""

    def __init__(self) -> None:
        super().__init__()
        self._service = PushService(on_push=lambda message: self.keep(f"d{int(message['tag'].split('.')[1], 16)}"))

    async def take(self, got: Got) -> web.StreamResponse:
        return await self._service(got)


@dataclass(frozen=True)
class Phase:
    """What was seen of the other channel and of NOTIFY while something went on. Seconds from decision to receipt."""

    leads: int
    p50: float
    p99: float
    longest: float
    notify_cores: float
    notify_mb: float


@dataclass(frozen=True)
class Outcome:
    """Seconds unless said otherwise.

    backlog: decisions made while the channel was away. probed_after: from its return to the first one that arrived;
    drained_after: to the last. drained_per_second: of all that arrived between the two, new ones too. open_left:
    backlog that had neither arrived nor ended when we gave up. amplification: calls to the channel from its going to
    the end of the drain, over what arrived in that time.
    delivered, expired: outcomes of the backlog on record; doubled: keys with a second outcome.
    """

    down: str
    leads: int
    before: Phase
    during: Phase
    draining: Phase
    backlog: int
    calls_while_down: int
    probed_after: float
    drained_after: float
    drained_per_second: float
    amplification: float
    open_left: int
    delivered: int
    expired: int
    doubled: int
    load: float

    @property
    def broken(self) -> list[str]:
        """Return which promises were not kept."""
        added = self.during.p99 - self.before.p99
        kept = {
            f"no delay on others: p99 rose by {added:.2f} s": added <= MOST_ADDED_SECONDS,
            f"all delivered or expired within {DRAINED_WITHIN_SECONDS:.0f} s of its return: {self.drained_after} s, "
            f"{self.open_left} left": self.drained_after <= DRAINED_WITHIN_SECONDS and not self.open_left,
            f"at most {MOST_CALLS_A_DELIVERY} calls a delivery: {self.amplification}": self.amplification
            <= MOST_CALLS_A_DELIVERY,
            "one outcome a delivery": not self.doubled and self.delivered + self.expired == self.backlog,
        }
        return [name for name, is_kept in kept.items() if not is_kept]


def decided(number: int) -> Decision:
    """Return a T2 assignment whose owner is told by webhook and push, valid for a quarter of an hour."""
    person = f"{number:032x}"
    at = datetime.now(UTC)
    return decision(
        notice(channels=CHANNELS, expires_at=at + timedelta(minutes=15)),
        decision_id=f"d{number}",
        lead_id=f"main.{person}.1",
        person=person,
        tier="T2",
        at=at,
    )


@dataclass
class _Meter:
    """NOTIFY's processor time and memory between two looks."""

    process: psutil.Process
    at: float = field(default_factory=time.monotonic)
    used: float = 0.0

    def read(self) -> tuple[float, float]:
        """Return cores since the last look, and MB now."""
        now, used = time.monotonic(), sum(self.process.cpu_times()[:2])
        cores, self.at, self.used = (used - self.used) / (now - self.at), now, used
        return round(cores, 2), round(self.process.memory_info().rss / 1e6)


async def outage(cluster: ClusterSettings, plan: Plan, folder: Path, say: Callable[[str], None]) -> Outcome:
    """Run the plan and return what was seen."""
    records = Records(cluster)
    records.write("reps", [Outgoing("M1", encode(REPS["M1"]), {"ce_type": "rep.put"})])
    receivers: dict[str, Receiver] = {"webhook": Hook(), "push": Gateway()}
    up, down = receivers[plan.other], receivers[plan.down]
    decided_at: dict[str, float] = {}
    async with (
        serving(receivers["webhook"]) as hook,
        serving(receivers["push"]) as gateway,
        running(cluster, hook.url, folder) as notify,
        contextlib.AsyncExitStack() as feeding,
    ):
        device = Browser().device(gateway.url)
        records.write("devices", [Outgoing(device.key, encode(device), {"ce_type": "device.put"})])
        await _eventually(lambda: bool(notify.assigned()), 60, "partitions", notify)
        await feeding.enter_async_context(_fed(cluster, plan.rate, decided_at))
        await _eventually(lambda: bool(up.arrived), 60, "the first notice", notify)
        await asyncio.sleep(_WARM_SECONDS)
        meter = _Meter(psutil.Process(notify.process.pid if notify.process else 0))
        meter.read()
        began = time.monotonic()
        await asyncio.sleep(plan.before_seconds)
        went, before, calls, arrived = time.monotonic(), meter.read(), down.calls, len(down.arrived)
        down.is_down = True
        say(f"{plan.down} is away; before that NOTIFY used {before[0]} of a core and {before[1]:.0f} MB")
        await asyncio.sleep(plan.outage_seconds)
        back, during, calls_while_down = time.monotonic(), meter.read(), down.calls - calls
        backlog = {one for one, at in decided_at.items() if went <= at < back} - down.arrived.keys()
        down.backlog = set(backlog)
        down.is_down = False
        say(f"it is back; {len(backlog)} wait, {calls_while_down} calls meanwhile, NOTIFY: {during[0]}, {during[1]} MB")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_GIVEN_UP_SECONDS):
                while down.backlog:
                    await asyncio.sleep(_LOOK_SECONDS)
        end, draining = time.monotonic(), meter.read()
        load, spent, taken = os.getloadavg()[0], down.calls - calls, len(down.arrived) - arrived
        say(f"{len(down.backlog)} left {end - back:.1f} s after the return")
        await asyncio.sleep(_WARM_SECONDS)  # the other channel's last notices
    rows = [record.json for record in records.read_all("leads.notified")]
    ended = {row["key"]: row["outcome"] for row in rows}
    outcomes = [ended.get(delivery_key(one, "owner", "M1", plan.down), "") for one in backlog]
    after = sorted(at - back for at in down.arrived.values() if at >= back)
    late = [at - back for one, at in down.arrived.items() if one in backlog]
    return Outcome(
        down=plan.down,
        leads=len(decided_at),
        before=_phase(up, decided_at, began, went, before),
        during=_phase(up, decided_at, went, back, during),
        draining=_phase(up, decided_at, back, end, draining),
        backlog=len(backlog),
        calls_while_down=calls_while_down,
        probed_after=round(after[0], 1) if after else float("inf"),
        drained_after=round(max(late, default=0.0), 1),
        drained_per_second=round(sum(at <= max(late) for at in after) / max(max(late) - after[0], 0.1)) if late else 0,
        amplification=round(spent / max(taken, 1), 3),
        open_left=sum(one in down.backlog and not outcome for one, outcome in zip(backlog, outcomes, strict=True)),
        delivered=outcomes.count("delivered"),
        expired=outcomes.count("expired") + outcomes.count("failed"),
        doubled=len(rows) - len(ended),
        load=round(load, 1),
    )


def _phase(up: Receiver, decided_at: dict[str, float], first: float, last: float, used: tuple[float, float]) -> Phase:
    """Return what the leads decided between two instants saw; one that never arrived counts as late for ever."""
    waits = sorted(up.arrived.get(one, float("inf")) - at for one, at in decided_at.items() if first <= at < last)
    return Phase(len(waits), _share(waits, 0.5), _share(waits, 0.99), _share(waits, 1.0), *used)


@contextlib.asynccontextmanager
async def running(cluster: ClusterSettings, hook: str, folder: Path) -> AsyncIterator[Slot]:
    """Run NOTIFY and TIMERS for the block; give NOTIFY's slot."""
    channels: dict[str, Any] = {
        "webhooks": {"default": {"url": hook, "secret": SECRET}},
        "push": push_settings(),
        "allowed_hosts": ["127.0.0.1"],
    }
    notify, timers = (Slot(stage, cluster, folder / "state", channels) for stage in ("notify", "timers"))
    (folder / "state").mkdir(parents=True, exist_ok=True)
    timers.start()
    notify.start()
    try:
        yield notify
    finally:
        for slot in (notify, timers):
            await asyncio.to_thread(slot.end, SIGTERM)


@contextlib.asynccontextmanager
async def _fed(cluster: ClusterSettings, rate: float, decided_at: dict[str, float]) -> AsyncIterator[None]:
    """Write decisions at a steady rate for the block; keep when each was handed to the broker's client."""
    producer = Producer(plain_producer_config(cluster) | {"linger.ms": 0})

    async def feed() -> None:
        started, number = time.monotonic(), 0
        while True:
            await asyncio.sleep(max(0.0, started + number / rate - time.monotonic()))
            one = decided(number)
            headers: Iterable[tuple[str, bytes]] = headers_for(
                one.decision_id, "lead.decided", "leadstream/assign", one.at, {}
            )
            decided_at[one.decision_id] = time.monotonic()
            topic = qualified(cluster.namespace, "leads.assigned")
            producer.produce(topic, encode(one), one.person, headers=list(headers))
            producer.poll(0)
            number += 1

    feeding = asyncio.create_task(feed())
    try:
        yield
    finally:
        feeding.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await feeding
        producer.flush(120)


async def _eventually(is_so: Callable[[], bool], seconds: float, what: str, notify: Slot) -> None:
    """Return once `is_so`. Raises AssertionError with NOTIFY's log after `seconds`."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, f"did not see {what} within {seconds:.0f} s\n{notify.log()}"
        await asyncio.sleep(_LOOK_SECONDS)


def _share(ordered: list[float], share: float) -> float:
    return round(ordered[min(len(ordered) - 1, int(len(ordered) * share))], 3) if ordered else 0.0
