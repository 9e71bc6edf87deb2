"""Deliveries that failed, sent again by the command on a real broker: once, under their keys, nothing that arrived."""

import asyncio
import subprocess
import sys
from collections import Counter
from pathlib import Path
from signal import SIGKILL, SIGTERM
from typing import Any

import orjson

from schemas.wire import encode
from streams.kafka.config import ClusterSettings
from tests.integration.test_notify_kills import Slot, outgoing
from tests.lab.apis import plain_ok
from tests.lab.channels import SECRET
from tests.lab.decisions import REPS
from tests.lab.http_server import serving
from tests.records import Outgoing, Records
from tests.waiting import READ_LOOK_SECONDS, eventually

LEADS = 12


async def test_what_failed_is_sent_again_once_and_what_arrived_is_left_alone(
    topics: ClusterSettings, records: Records, tmp_path: Path
) -> None:
    records.write("reps", [Outgoing("M1", encode(REPS["M1"]), {"ce_type": "rep.put"})])
    async with serving(plain_ok) as hook, serving(plain_ok) as crm:
        crm.mood.script = [400] * LEADS  # the receiver refuses them all, for good
        channels = {
            "webhooks": {
                "default": {"url": hook.url, "secret": SECRET},
                "crm": {"url": crm.url, "secret": SECRET},
            },
            "crm": {"webhook": "crm"},
            "allowed_hosts": ["127.0.0.1"],
            "unacknowledged_seconds": 900,  # else who was told of nothing for 30 s, on a busy machine, is told of that
            "fallback": [],
        }
        # TIMERS too: of a call that has had no answer within half a second, the outcome comes with a wake-up.
        notify, timers = (Slot(stage, topics, tmp_path / "state", channels) for stage in ("notify", "timers"))
        notify.start()
        timers.start()
        try:
            await in_thread(lambda: resent_again_and_again(notify, topics, records))
        except AssertionError as error:
            raise AssertionError(f"{error}\n{notify.log()}\n{timers.log()}") from error
        finally:
            notify.end(SIGTERM)
            timers.end(SIGTERM)
        told = Counter(got.headers["webhook-id"] for got in crm.accepted)
    rows = [record.json for record in records.read_all("leads.notified") if record.json["channel"] == "crm"]
    assert Counter(row["outcome"] for row in rows) == {"failed": LEADS, "delivered": LEADS}
    by_key = Counter(row["key"] for row in rows if row["outcome"] == "delivered")
    assert set(by_key.values()) == {1}
    assert told == by_key  # under the keys that they had, once each
    assert {row["resent_by"] == "" for row in rows if row["outcome"] == "delivered"} == {False}


async def in_thread(work: Any) -> None:

    await asyncio.to_thread(work)


def resent_again_and_again(notify: Slot, cluster: ClusterSettings, records: Records) -> None:
    records.write("leads.assigned", [outgoing(number) for number in range(LEADS)])
    eventually(
        lambda: len(crm_rows(records)) == LEADS, lambda: f"each refusal: {crm_rows(records)}", look=READ_LOOK_SECONDS
    )
    shown = command(cluster, "--channel", "crm")
    assert (len(shown["deliveries"]), shown["written"]) == (LEADS, 0)
    # Killed while nothing is on its way: what was at that moment might rightly come twice, under its key.
    notify.end(SIGKILL)
    # Given twice at once, as by two people: the second order changes nothing.
    for _ in range(2):
        command(cluster, "--channel", "crm", "--send", "--reason", "they mended it")
    notify.start()
    eventually(
        lambda: len(crm_rows(records)) >= 2 * LEADS,
        lambda: f"what was sent again: {crm_rows(records)}",
        look=READ_LOOK_SECONDS,
    )
    assert command(cluster, "--channel", "crm", "--send", "--reason", "once more")["deliveries"] == []
    assert command(cluster, "--channel", "webhook")["deliveries"] == []


def crm_rows(records: Records) -> list[dict[str, Any]]:
    return [record.json for record in records.read_all("leads.notified") if record.json["channel"] == "crm"]


def command(cluster: ClusterSettings, *arguments: str) -> Any:
    line = [
        sys.executable,
        "-m",
        "streams.cli.main",
        "--bootstrap",
        cluster.bootstrap,
        "--namespace",
        cluster.namespace,
    ]
    done = subprocess.run([*line, "notify", "resend", *arguments, "--json"], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return orjson.loads(done.stdout)
