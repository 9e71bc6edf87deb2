"""`python -m tests.chaos --leads 100000 --kills 20`: the long run, on a broker of its own; exits 1 on a violation."""

import argparse
import sys
import tempfile
import time
import uuid
from pathlib import Path

from rich.console import Console

from schemas.topics import PARTITIONS
from streams.broker.ports import free_ports
from streams.kafka.config import ClusterSettings
from tests.broker import found_broker
from tests.chaos.roller import ORDER, Roller
from tests.chaos.run import Outcome, Plan, run
from tests.chaos.verdict_table import print_verdicts


def main() -> int:
    """Run, print the laws, return the exit code."""
    asked = _arguments()
    plan = Plan(asked.leads, asked.kills, asked.seed, asked.per_second, asked.quiet_seconds)
    console = Console(width=120)
    started = time.monotonic()

    def say(text: str) -> None:
        console.print(f"[{time.monotonic() - started:6.1f} s] {text}", highlight=False)

    folder = Path(asked.folder or tempfile.mkdtemp(prefix="leadstream-chaos-"))
    say(f"{plan.leads} leads, {plan.kills} kills, seed {plan.seed}; logs and state in {folder}")
    with found_broker() as broker:
        cluster = ClusterSettings(bootstrap=broker.bootstrap, namespace=f"chaos{uuid.uuid4().hex[:8]}")
        roller = _roller(asked.rolling) if asked.rolling else None
        outcome = run(cluster, plan, folder, PARTITIONS, say, roller)
    _print(console, outcome)
    if roller is not None:
        pauses = ", ".join(f"{stage} {seconds:.1f} s" for stage, seconds in roller.pauses.items())
        console.print(f"SIGTERM to ready again, the longest: {pauses}", highlight=False)
    return 1 if outcome.violations or any(outcome.exits.values()) else 0


def _roller(rounds: int) -> Roller:
    restarts = rounds * len(ORDER)
    return Roller(next(free_ports(21_000)), [0.9 * (number + 1) / (restarts + 1) for number in range(restarts)])


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--leads", type=int, default=100_000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--per-second", type=float, default=200.0, help="leads sent a second, at most")
    parser.add_argument("--quiet-seconds", type=float, default=900.0, help="how long all may take to settle")
    parser.add_argument("--rolling", type=int, default=0, help="instead of kills: restart every stage so many times")
    parser.add_argument("--folder", help="empty folder for settings, state and logs; a temporary one if not given")
    return parser.parse_args()


def _print(console: Console, outcome: Outcome) -> None:
    print_verdicts(console, outcome.verdicts)
    console.print(f"kills: {dict(outcome.kills)}", highlight=False)
    console.print(f"restarts: {dict(outcome.restarts)}; exit codes: {dict(outcome.exits)}", highlight=False)
    spent = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in outcome.seconds.items())
    sent, outside = outcome.evidence.sent, outcome.evidence.outside
    if outside is not None:
        repeats = len(outside.webhooks) - len(set(outside.webhooks)) + len(outside.mails) - len(set(outside.mails))
        calls = len(outside.webhooks) + len(outside.mails)
        console.print(f"outside: {calls:,} webhooks and mails, {repeats:,} of them repeats under the same id")
    console.print(
        f"{len(sent.leads):,} leads, {len(sent.poison):,} unreadable, {len(sent.activities) + len(sent.by_mail):,} "
        f"activities; {len(outcome.evidence.decided):,} decisions; {outcome.violations} violations; {spent}",
        highlight=False,
    )


if __name__ == "__main__":
    sys.exit(main())
