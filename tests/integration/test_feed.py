"""`leadstream feed` on a real broker, killed in the middle: each event at the receiver, repeats under the same id."""

import asyncio
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from signal import SIGKILL, SIGTERM

import orjson

from schemas.wire import encode, headers_for
from streams.kafka.config import ClusterSettings
from tests.integration.test_notify_kills import outgoing
from tests.lab.apis import plain_ok
from tests.lab.channels import SECRET
from tests.lab.decisions import NOW
from tests.lab.http_server import Server, serving
from tests.records import Outgoing, Records
from tests.unit.notifiers.test_feed import ENRICHED, SCORED
from tests.waiting import eventually

LEADS, KILLS = 150, 3


class Feed:
    """The command as a user starts it."""

    def __init__(self, cluster: ClusterSettings, folder: Path, webhooks: dict[str, object]) -> None:
        channels = {"webhooks": webhooks, "allowed_hosts": ["127.0.0.1"], "retry_cap_seconds": 0.5}
        self._env = os.environ | {
            "LEADSTREAM_BOOTSTRAP": cluster.bootstrap,
            "LEADSTREAM_NAMESPACE": cluster.namespace,
            "LEADSTREAM_HTTP_PORT_BASE": "0",
            "LEADSTREAM_CHANNELS": orjson.dumps(channels).decode(),
        }
        self._log = folder / "feed.log"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self._log.open("ab") as log:
            command = [sys.executable, "-m", "streams.cli.main", "feed"]
            self.process = subprocess.Popen(command, env=self._env, stdout=log, stderr=log)

    def end(self, number: int) -> int:
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(120)

    def has_begun(self) -> bool:
        """Tell whether it has the positions of both receivers."""
        return self._log.read_text().count('"event": "feed.began"') == 2

    def log(self) -> str:
        return self._log.read_text()[-3_000:]


async def test_every_stage_s_events_arrive_and_kills_double_no_id(
    topics: ClusterSettings, records: Records, tmp_path: Path
) -> None:
    async with serving(plain_ok) as all_of_it, serving(plain_ok) as dead:
        webhooks = {
            "warehouse": {"url": all_of_it.url, "secret": SECRET, "events": ["*"]},
            "dead": {"url": dead.url, "secret": SECRET, "events": ["lead.assigned"]},
            "notices": {"url": dead.url, "secret": SECRET},
        }
        dead.mood.script = [503] * 1_000_000
        feed = Feed(topics, tmp_path, webhooks)
        try:
            await asyncio.to_thread(fed_under_kills, feed, records, all_of_it)
            dead.mood.script.clear()
            await asyncio.to_thread(eventually, lambda: len(ids(dead)) == LEADS, "the one that was down")
        except AssertionError as error:
            raise AssertionError(f"{error}\n{feed.log()}") from error
        finally:
            code = await asyncio.to_thread(feed.end, SIGTERM)
    assert code == 0
    types = Counter(
        orjson.loads(got.body)["type"] for got in {g.headers["webhook-id"]: g for g in all_of_it.accepted}.values()
    )
    assert types == {
        "lead.accepted": LEADS, "lead.enriched": 1, "lead.scored": 1, "lead.assigned": LEADS,
    }  # fmt: skip
    twice = [name for name, count in Counter(g.headers["webhook-id"] for g in all_of_it.accepted).items() if count > 1]
    assert len(twice) <= KILLS * 2 * 100  # at most a batch a topic's worth a kill, each under its own id


def fed_under_kills(feed: Feed, records: Records, receiver: Server) -> None:
    feed.start()
    # A receiver seen first begins with what comes from now on.
    eventually(feed.has_begun, lambda: f"both receivers' positions: {feed.log()}")
    share = LEADS // (KILLS + 1)
    for number in range(KILLS):
        before = len(ids(receiver))
        written(records, range(number * share, (number + 1) * share))
        eventually(lambda before=before: len(ids(receiver)) > before + 5, "some events", 240)  # type: ignore[misc]
        feed.end(SIGKILL)
        feed.start()
    written(records, range(KILLS * share, LEADS))
    headers = {"ce_type": "lead.enriched"}
    records.write("leads.enriched", [Outgoing(SCORED.lead.person, encode(ENRICHED), headers)])
    records.write("leads.scored", [Outgoing("main", encode(SCORED), {"ce_type": "lead.scored"})])
    eventually(lambda: len(ids(receiver)) >= 2 * LEADS + 2, "every event", 240)


def written(records: Records, numbers: range) -> None:
    raw = []
    for number in numbers:
        headers = headers_for(f"raw-{number}", "lead.submitted", "test", NOW, {})
        value = encode({"id": f"raw-{number}", "email": f"p{number}@lone.example"})
        raw.append(Outgoing(f"k{number}", value, {name: said.decode() for name, said in headers}))
    records.write("leads.raw", raw)
    records.write("leads.assigned", [outgoing(number) for number in numbers])


def ids(receiver: Server) -> set[str]:
    return {got.headers["webhook-id"] for got in list(receiver.accepted)}
