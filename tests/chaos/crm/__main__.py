"""`python -m tests.chaos.crm --leads 5000`: reconcile after a two-hour outage of the CRM; exits 1 if any is left."""

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console

from schemas.topics import PARTITIONS
from streams.broker.embedded import start
from streams.kafka import topics as kafka_topics
from streams.kafka.config import ClusterSettings
from tests.chaos.crm.outage import command, written
from tests.lab.http_server import serving
from tests.lab.hubspot_org import APP_ID, HubSpotOrg

say = Console(highlight=False).print


async def outage(cluster: ClusterSettings, leads: int) -> int:
    """Return how many differences are left, after telling each step."""
    written(cluster, leads)
    org = HubSpotOrg()
    async with serving(org) as server:
        channels = {"crm": {"hubspot": {"token": "t", "base_url": server.url, "app_id": APP_ID}}}
        for what in (("reconcile", "--dry-run"), ("reconcile",), ("reconcile", "--dry-run")):
            started = time.monotonic()
            ran = await command(cluster, channels, *what)
            seconds = time.monotonic() - started
            shown = {name: value for name, value in (ran.said or {}).items() if name != "left"}
            say(f"{' '.join(what)}: exit {ran.code}, {seconds:.1f} s, {shown} {ran.error}")
        left = len(ran.said["left"])
        say(f"contacts: {len(org.things['contacts'])}; calls: {org.calls}; 429: {org.throttled}; 400: {org.refused}")
        return left + org.throttled + len(org.refused)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.crm", description=__doc__)
    parser.add_argument("--leads", type=int, default=5_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="leadstream-chaos-crm-") as folder, start(Path(folder) / "kafka") as broker:
        cluster = ClusterSettings(bootstrap=broker.bootstrap, namespace="crm")
        kafka_topics.create(cluster, PARTITIONS)
        return min(1, asyncio.run(outage(cluster, asked.leads)))


if __name__ == "__main__":
    sys.exit(main())
