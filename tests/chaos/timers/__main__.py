"""`python -m tests.chaos.timers --wakeups 100000 --minutes 5 --kills 10 --outage 120`; exits 1 on a violation."""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from schemas.topics import PARTITIONS
from streams.broker.embedded import start
from tests.chaos.timers.plan import Plan
from tests.chaos.timers.run import Outcome, run
from tests.chaos.verdict_table import print_verdicts


def main() -> int:
    """Run, print the laws and how late it was, return the exit code."""
    asked = _arguments()
    plan = Plan(asked.wakeups, asked.minutes * 60, asked.kills, asked.outage, seed=asked.seed)
    console = Console(width=120)
    folder = Path(asked.folder or tempfile.mkdtemp(prefix="leadstream-chaos-timers-"))
    console.print(f"{plan}; logs and state in {folder}", highlight=False)
    with start(folder / "kafka") as broker:
        outcome = run(broker, plan, folder, PARTITIONS, "chaos", _saying(console))
    _print(console, outcome)
    (folder / "timers.json").write_text(json.dumps([asdict(row) for row in outcome.lateness], indent=2) + "\n")
    return 1 if outcome.violations or any(outcome.exits.values()) else 0


def _saying(console: Console) -> Callable[[str], None]:
    started = time.monotonic()

    def say(text: str) -> None:
        console.print(f"[{time.monotonic() - started:6.1f} s] {text}", highlight=False, markup=False)

    return say


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.timers", description=__doc__)
    parser.add_argument("--wakeups", type=int, default=100_000)
    parser.add_argument("--minutes", type=float, default=5.0, help="in which they fall due")
    parser.add_argument("--kills", type=int, default=10, help="of TIMERS, half of them at named points")
    parser.add_argument("--outage", type=float, default=120.0, help="seconds without a broker, 0 for none")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", help="empty folder for state and logs; a temporary one if not given")
    return parser.parse_args()


def _print(console: Console, outcome: Outcome) -> None:
    print_verdicts(console, outcome.verdicts)
    late = Table("lateness", "fires", "p50 s", "p99 s", "worst s")
    for row in outcome.lateness:
        late.add_row(row.phase, f"{row.fires:,}", f"{row.p50:.3f}", f"{row.p99:.3f}", f"{row.worst:.3f}")
    console.print(late)
    console.print(f"kills: {dict(outcome.kills)}; exit codes: {dict(outcome.exits)}", highlight=False)


if __name__ == "__main__":
    sys.exit(main())
