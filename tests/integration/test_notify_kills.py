"""NOTIFY on a real broker, killed at named points and at random: one outcome a delivery, repeats under the same key."""

import asyncio
import itertools
import os
import random
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import orjson

from notifiers.settling import ALL_CHANNELS
from schemas.decision import Decision
from schemas.wire import encode, headers_for
from streams.kafka.config import ClusterSettings
from tests.lab.apis import plain_ok
from tests.lab.channels import SECRET
from tests.lab.decisions import NOW, REPS, decision, notice
from tests.lab.http_server import serving
from tests.lab.push_service import Browser, PushService
from tests.lab.push_service import settings as push_settings
from tests.records import Outgoing, Record, Records
from tests.waiting import READ_LOOK_SECONDS, eventually

LEADS = 200
FAULTS = ["after-produce:2", "inside-commit:2", "after-commit-before-fold:2"]
RANDOM_KILLS = 2


def decided(number: int) -> Decision:
    person = f"{number:032x}"
    return decision(
        notice(channels=("webhook", "push", "email")),
        notice(id="crm", audience="crm", recipients=(), channels=("crm",)),
        decision_id=f"d{number}",
        lead_id=f"main.{person}.1",
        person=person,
    )


def outgoing(number: int) -> Outgoing:
    one = decided(number)
    headers = headers_for(one.decision_id, "lead.decided", "leadstream/assign", NOW, {})
    return Outgoing(one.person, encode(one), {name: value.decode() for name, value in headers})


class Slot:
    """One slot of a stage as `leadstream run` starts it."""

    def __init__(self, stage: str, cluster: ClusterSettings, folder: Path, channels: dict[str, Any]) -> None:
        self._command = [sys.executable, "-m", "streams.cli.main", "run", stage]
        self._env = os.environ | {
            "LEADSTREAM_BOOTSTRAP": cluster.bootstrap,
            "LEADSTREAM_NAMESPACE": cluster.namespace,
            "LEADSTREAM_STATE_DIR": str(folder),
            "LEADSTREAM_HTTP_PORT_BASE": "0",
            "LEADSTREAM_CHANNELS": orjson.dumps(channels).decode(),
        }
        self._log = folder.parent / f"{stage}.log"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, fault: str = "") -> None:
        with self._log.open("ab") as log:
            env = self._env | {"LEADSTREAM_FAULT": fault}
            self.process = subprocess.Popen(self._command, env=env, stderr=log, stdout=log)

    def end(self, number: signal.Signals) -> int:
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(120)

    def assigned(self) -> int:
        """Return how many of its processes have got their partitions so far."""
        return self._log.read_text().count('"event": "partitions.assigned"')

    def log(self) -> str:
        return self._log.read_text()[-4_000:] if self._log.exists() else ""


async def test_kills_lose_and_double_nothing(topics: ClusterSettings, records: Records, tmp_path: Path) -> None:
    records.write("reps", [Outgoing("M1", encode(REPS["M1"]), {"ce_type": "rep.put"})])
    service = PushService()
    async with serving(plain_ok) as hook, serving(service) as gateway:
        device = Browser().device(gateway.url)
        records.write("devices", [Outgoing(device.key, encode(device), {"ce_type": "device.put"})])
        channels = {
            "webhooks": {"default": {"url": hook.url, "secret": SECRET}},
            "push": push_settings(),
            "crm": {"webhook": "default"},
            "allowed_hosts": ["127.0.0.1"],
            "unacknowledged_seconds": 900,  # else who was told of nothing for 30 s, on a busy machine, is told of that
        }
        folder = tmp_path / "state"
        notify, timers = (Slot(stage, topics, folder, channels) for stage in ("notify", "timers"))
        timers.start()
        try:
            await asyncio.to_thread(killed_again_and_again, notify, records)
            found = await asyncio.to_thread(settled, records, LEADS * 4)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{notify.log()}\n{timers.log()}") from error
        finally:
            notify.end(signal.SIGTERM)
            timers.end(signal.SIGTERM)
        called = Counter(got.headers["webhook-id"] for got in hook.accepted)
        called.update(message["id"] for message in service.messages)
    rows = [record.json for record in found if not is_late(record)]
    each = Counter((row["decision_id"], row["notice"], row["recipient"], row["channel"]) for row in rows)
    assert [key for key, count in each.items() if count > 1] == []
    assert len(each) == LEADS * 4
    assert Counter((row["channel"], row["outcome"]) for row in rows) == {
        ("webhook", "delivered"): LEADS,
        ("push", "delivered"): LEADS,
        ("email", "suppressed"): LEADS,
        ("crm", "delivered"): LEADS,
    }
    assert Counter(row["decision_id"] for row in rows if row["is_first"]) == {f"d{n}": 1 for n in range(LEADS)}
    assert set(called) == {row["key"] for row in rows if row["channel"] != "email"}


def killed_again_and_again(notify: Slot, records: Records) -> None:
    """Write all decisions, a few at a time, while the slot is killed at each named point and at random."""
    chance = random.Random(7)
    numbers = iter(range(LEADS))

    def write(count: int) -> None:
        records.write("leads.assigned", [outgoing(number) for number in itertools.islice(numbers, count)])

    for fault in FAULTS:
        notify.start(fault)

        seen = -1

        def is_dead() -> bool:
            """Write one lead when the one before was told of: the fault's count is of batches."""
            nonlocal seen
            if notify.process is not None and notify.process.poll() is not None:
                return True
            if (told := len(records.read_all("leads.notified"))) > seen:
                seen = told
                write(1)
            return False

        eventually(is_dead, f"the end at {fault}")
        notify.end(signal.SIGKILL)
    for _ in range(RANDOM_KILLS):
        aim = len(records.read_all("leads.notified")) + chance.randint(1, 40)
        write(20)
        notify.start()
        eventually(
            lambda aim=aim: len(records.read_all("leads.notified")) >= aim, "some outcomes", look=READ_LOOK_SECONDS
        )  # type: ignore[misc]
        notify.end(signal.SIGKILL)
    write(LEADS)
    notify.start()


def settled(records: Records, count: int) -> list[Record]:
    return records.read_until(
        ["leads.notified"], lambda found: sum(not is_late(record) for record in found) >= count, 240
    )


def is_late(record: Record) -> bool:
    """Tell whether it says that an owner was not told in 30 s (NOT-5), which is so where a busy machine starts slowly;
    what became of each channel is said all the same."""
    return bool(record.json["channel"] == ALL_CHANNELS)
