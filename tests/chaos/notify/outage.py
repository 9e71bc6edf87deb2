"""One channel away while decisions go on: what the other channel feels, how the backlog drains, what it costs in calls.

NOTIFY and TIMERS run as `leadstream run` starts them, on a real broker; both receivers are local servers.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from signal import SIGTERM
from typing import Any

import orjson
import psutil
from aiohttp import web

from schemas.decision import Decision
from schemas.wire import encode, headers_for
from streams.kafka.config import ClusterSettings
from tests.integration.test_notify_kills import Slot
from tests.lab.channels import SECRET
from tests.lab.decisions import REPS, decision, notice
from tests.lab.http_server import Got, serving
from tests.lab.push_service import Browser, PushService
from tests.lab.push_service import settings as push_settings
from tests.records import Outgoing, Records

AFTER_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Plan:
    """rate: leads a second. outage_seconds: how long one channel answers 503."""

    rate: float = 50
    outage_seconds: float = 600
    before_seconds: float = 10

    @property
    def leads(self) -> int:
        return int((self.before_seconds + self.outage_seconds + AFTER_SECONDS) * self.rate)


@dataclass
class Receiver:
    """Keeps when each key arrived first, monotonic, and whose decision it was."""

    arrived: dict[str, float] = field(default_factory=dict)
    decisions: dict[str, str] = field(default_factory=dict)

    def keep(self, key: str, decision: str) -> None:
        self.arrived.setdefault(key, time.monotonic())
        self.decisions.setdefault(key, decision)


class Hook(Receiver):
    """A receiver of webhooks that is always up."""

    async def __call__(self, got: Got) -> web.StreamResponse:
        self.keep(got.headers["webhook-id"], orjson.loads(got.body)["data"]["decision_id"])
        return web.Response(status=204)


class Gateway(Receiver):
    """A push service. is_down: answers 503. calls: all of them."""

    def __init__(self) -> None:
        super().__init__()
        self.is_down = False
        self.calls = 0
        self._service = PushService(on_push=self._took)

    async def __call__(self, got: Got) -> web.StreamResponse:
        self.calls += 1
        return web.Response(status=503) if self.is_down else await self._service(got)

    def _took(self, message: dict[str, Any]) -> None:
        # push names the lead alone; its person is its number here
        self.keep(message["id"], f"d{int(message['tag'].split('.')[1], 16)}")


@dataclass(frozen=True)
class Outcome:
    """Seconds unless said otherwise. healthy_*: decision to receipt on the channel that was up.

    drained_after: from the return to the last backlog delivery. open_left: backlog that neither arrived nor ended.
    amplification: calls of the channel that was down over its deliveries.
    """

    leads: int
    healthy_p50_before: float
    healthy_p99_before: float
    healthy_p50_during: float
    healthy_p99_during: float
    backlog: int
    drained_after: float
    calls_while_down: int
    amplification: float
    delivered: int
    expired: int
    doubled: int
    notify_mb: float
    notify_cores: float


def decided(number: int) -> Decision:
    """Return a T2 assignment whose owner is told by webhook and push, valid for a quarter of an hour."""
    person = f"{number:032x}"
    at = datetime.now(UTC)
    return decision(
        notice(channels=("webhook", "push"), expires_at=at + timedelta(minutes=15)),
        decision_id=f"d{number}",
        lead_id=f"main.{person}.1",
        person=person,
        tier="T2",
        at=at,
    )


async def outage(cluster: ClusterSettings, plan: Plan, folder: Path, say: Callable[[str], None]) -> Outcome:
    """Run the plan and return what was seen. Raises AssertionError with the slots' logs if the drain never ends."""
    records = Records(cluster)
    records.write("reps", [Outgoing("M1", encode(REPS["M1"]), {"ce_type": "rep.put"})])
    up, down = Hook(), Gateway()
    async with serving(up) as hook, serving(down) as gateway, running(cluster, hook.url, folder) as notify:
        device = Browser().device(gateway.url)
        records.write("devices", [Outgoing(device.key, encode(device), {"ce_type": "device.put"})])
        await eventually(lambda: bool(notify.assigned()), 60, "partitions")
        process = psutil.Process(notify.process.pid if notify.process else 0)
        process.cpu_percent()
        decided_at: dict[str, float] = {}
        feeding = asyncio.create_task(fed(records, plan, decided_at))
        await asyncio.sleep(plan.before_seconds)
        went, cpu, calls_before = time.monotonic(), process.cpu_times(), down.calls
        down.is_down = True
        say("the push gateway is away")
        await asyncio.sleep(plan.outage_seconds)
        back, cpu_after, calls_while_down = time.monotonic(), process.cpu_times(), down.calls - calls_before
        down.is_down = False
        memory = process.memory_info().rss / 2**20
        backlog = [d for d, at in decided_at.items() if went <= at < back]
        say(f"it is back; {len(backlog)} wait, {calls_while_down} calls meanwhile, NOTIFY holds {memory:.0f} MB")
        try:
            await eventually(lambda: set(backlog) <= set(down.decisions.values()), 300, "the backlog")
        except AssertionError as error:
            raise AssertionError(f"{error}\n{notify.log()}") from error
        finally:
            feeding.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await feeding
        drained = max(down.arrived[key] for key, of in down.decisions.items() if of in set(backlog)) - back
        say(f"drained {drained:.1f} s after the return")
        late = {up.decisions[key]: at - decided_at[up.decisions[key]] for key, at in up.arrived.items()}
        before = sorted(late[d] for d in late if decided_at[d] < went)
        during = sorted(late[d] for d in late if went <= decided_at[d] < back)
        used = sum(cpu_after[:2]) - sum(cpu[:2])
    rows = [record.json for record in records.read_all("leads.notified")]
    mine = [row for row in rows if row["channel"] == "push"]
    return Outcome(
        leads=len(decided_at),
        healthy_p50_before=_share(before, 0.5),
        healthy_p99_before=_share(before, 0.99),
        healthy_p50_during=_share(during, 0.5),
        healthy_p99_during=_share(during, 0.99),
        backlog=len(backlog),
        drained_after=round(drained, 1),
        calls_while_down=calls_while_down,
        amplification=round(down.calls / len(down.arrived), 3),
        delivered=sum(row["outcome"] == "delivered" for row in mine),
        expired=sum(row["outcome"] in ("expired", "failed") for row in mine),
        doubled=len(rows) - len({row["key"] for row in rows}),
        notify_mb=round(memory),
        notify_cores=round(used / (back - went), 2),
    )


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


async def fed(records: Records, plan: Plan, decided_at: dict[str, float]) -> None:
    """Write decisions at the plan's rate until cancelled, a tenth of a second's worth at a time."""
    started, number = time.monotonic(), 0
    while number < plan.leads:
        want = int((time.monotonic() - started) * plan.rate)
        some = [decided(n) for n in range(number, min(want, plan.leads))]
        if some:
            now = time.monotonic()
            decided_at |= {one.decision_id: now for one in some}
            await asyncio.to_thread(records.write, "leads.assigned", [_outgoing(one) for one in some])
            number += len(some)
        await asyncio.sleep(0.1)


def _outgoing(one: Decision) -> Outgoing:
    headers = headers_for(one.decision_id, "lead.decided", "leadstream/assign", one.at, {})
    return Outgoing(one.person, encode(one), {name: value.decode() for name, value in headers})


async def eventually(is_so: Callable[[], bool], seconds: float, what: str) -> None:
    """Return once `is_so`. Raises AssertionError after `seconds`."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, f"did not see {what} within {seconds:.0f} s"
        await asyncio.sleep(0.1)


def _share(ordered: list[float], share: float) -> float:
    return round(ordered[min(len(ordered) - 1, int(len(ordered) * share))], 3) if ordered else 0.0
