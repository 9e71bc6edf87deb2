"""NOTIFY's long tests; each exits 1 if a promise is broken.

`python -m tests.chaos.notify --minutes 10`: a channel away at 50 leads a second.
`python -m tests.chaos.notify --kills 20`: SIGKILL around the calls, over all channels.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

from rich.console import Console

from schemas.topics import PARTITIONS
from streams.broker.embedded import start
from streams.kafka import topics as kafka_topics
from streams.kafka.config import ClusterSettings
from tests.chaos.notify.kills import Outcome as KillsOutcome
from tests.chaos.notify.kills import kills
from tests.chaos.notify.outage import CHANNELS, Plan, outage
from tests.chaos.notify.outage import Outcome as OutageOutcome


def main() -> int:
    """Run, print, return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.chaos.notify", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--rate", type=float, default=50.0)
    parser.add_argument("--down", choices=CHANNELS, default="webhook", help="which of the two channels goes away")
    parser.add_argument("--kills", type=int, default=0)
    asked = parser.parse_args()
    console, started = Console(highlight=False), time.monotonic()

    def say(text: str) -> None:
        console.print(f"[{time.monotonic() - started:6.1f} s] {text}", markup=False)

    with tempfile.TemporaryDirectory(prefix="leadstream-chaos-notify-") as scratch:
        folder = Path(scratch)
        with start(folder / "kafka") as broker:
            cluster = ClusterSettings(bootstrap=broker.bootstrap, namespace="outage")
            kafka_topics.create(cluster, PARTITIONS)
            if asked.kills:
                return _judged(asyncio.run(kills(cluster, asked.kills, folder, say)), console)
            plan = Plan(asked.rate, asked.minutes * 60, down=asked.down)
            return _judged(asyncio.run(outage(cluster, plan, folder, say)), console)


def _judged(found: KillsOutcome | OutageOutcome, console: Console) -> int:
    for name, value in asdict(found).items():
        shown = ", ".join(f"{key} {one}" for key, one in value.items()) if isinstance(value, dict) else value
        console.print(f"{name.replace('_', ' ')}: {shown}", markup=False)
    for broken in found.broken:
        console.print(f"not kept: {broken}", markup=False)
    return 1 if found.broken else 0


if __name__ == "__main__":
    sys.exit(main())
