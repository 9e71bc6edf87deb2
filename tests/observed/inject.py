"""Faults made one by one in a real run: which alerts fire, and which stay quiet?

`python -m tests.observed.inject` runs every stage on a real broker under a steady flow of leads, a real Prometheus with
the shipped rules at shortened windows beside it, makes each fault, waits for its alert, heals it, waits until no page
fires, and writes docs/alerts-injected.md. It takes about ten minutes.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from streams.broker.embedded import start
from streams.kafka.config import ClusterSettings
from tests.chaos import division
from tests.observed.compressed import FACTOR, write_rules
from tests.observed.feed import feeding
from tests.observed.injections import INJECTIONS, ROOM, Injection, World
from tests.observed.prometheus import Prometheus, prometheus
from tests.observed.scene import METERED, scene
from tests.observed.switched import Mail, Provider, switched_on
from tests.waiting import eventually

PAGE = Path(__file__).parents[2] / "docs" / "alerts-injected.md"
WINDOW_SECONDS = 3_600  # contact window of T1: no ladder runs meanwhile
WARM_SECONDS = 60.0  # first leads load what their stages need; and NoLeads compares with five minutes ago
WELL_SECONDS = 60.0  # how long all must be well before the first fault, without a page
CLEAR_SECONDS = 600.0
PATIENCE = 4  # a busy machine gets so many times what an alert takes otherwise
LOOK_SECONDS = 0.5


@dataclass(slots=True)
class Seen:
    """What a fault came to. after: seconds from the fault to its alert, None for never.

    pages, tickets: others that fired from the fault until it was healed and no page fired any more. cleared: seconds
    from the healing until then.
    """

    after: float | None = None
    cleared: float | None = None
    pages: set[str] = field(default_factory=set)
    tickets: set[str] = field(default_factory=set)


@contextmanager
def world(
    cluster: ClusterSettings, folder: Path, stages: tuple[str, ...] = METERED
) -> Iterator[tuple[World, Prometheus]]:
    """Yield a fleet under load and a Prometheus that watches it with the shortened rules."""
    provider, mail, switches = Provider(), Mail(), folder / "switches"
    switches.mkdir(parents=True)
    org = folder / "org-injected.yaml"
    org.write_text(division.org_text(f"http://127.0.0.1:{provider.port}"))
    environ = {
        "LEADSTREAM_ORG_FILE": str(org),
        "LEADSTREAM_TEST_SWITCHES": str(switches),
        # what spoils a process is imported before its own folder is looked in: it is to find the same code
        "PYTHONPATH": os.pathsep.join(map(str, (Path(__file__).parent / "spoiled", Path(__file__).parents[2]))),
    }
    with ExitStack() as held:
        held.enter_context(switched_on(provider, mail))
        running = held.enter_context(
            scene(cluster, folder, environ, stages, WINDOW_SECONDS, {"smtp": {"port": mail.port}}, ROOM)
        )
        targets = [f"127.0.0.1:{port}" for port in running.ports.values()]
        rules = write_rules(folder / "rules")
        watching = held.enter_context(prometheus(folder / "prometheus", targets, "2s", rules))
        feed = held.enter_context(feeding(running))
        yield World(running, feed, provider, mail, switches), watching


def well(watching: Prometheus, seconds: float = WELL_SECONDS, warm_seconds: float = WARM_SECONDS) -> set[str]:
    """Return the pages that fire though all is well, looked for over `seconds`, `warm_seconds` after ASSIGN's start."""
    eventually(lambda: watching.query("leadstream_assign_pool_members"), "ASSIGN to know its pools", look=LOOK_SECONDS)
    _pages_over(watching, warm_seconds)
    return _pages_over(watching, seconds)


def _pages_over(watching: Prometheus, seconds: float) -> set[str]:
    pages: set[str] = set()
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        pages |= watching.firing("page")
        time.sleep(LOOK_SECONDS)
    return pages


def injected(of: World, watching: Prometheus, one: Injection, clear_seconds: float = CLEAR_SECONDS) -> Seen:
    """Make the fault, wait for its alert, heal it, wait for quiet; return what was seen."""
    seen = Seen()
    eventually(lambda: not watching.firing("page"), "all to be well before the fault", CLEAR_SECONDS, look=LOOK_SECONDS)
    before = watching.firing("ticket")
    one.make(of)
    began = time.monotonic()

    def look() -> frozenset[str]:
        firing = watching.firing("page")
        seen.pages |= firing - {one.alert} - one.besides
        seen.tickets |= watching.firing("ticket") - before - {one.alert}
        return firing

    try:
        while seen.after is None and time.monotonic() - began < PATIENCE * one.seconds:
            look()
            if one.alert in watching.firing():
                seen.after = time.monotonic() - began
            time.sleep(LOOK_SECONDS)
    finally:
        one.heal(of)
    healed = time.monotonic()
    while seen.cleared is None and time.monotonic() - healed < clear_seconds:
        if not look() and one.alert not in watching.firing():
            seen.cleared = time.monotonic() - healed
        time.sleep(LOOK_SECONDS)
    return seen


def page(rows: Sequence[tuple[str, Seen]], before: set[str]) -> str:
    """Return docs/alerts-injected.md. before: pages that fired while all was well."""
    said = []
    for name, seen in rows:
        one = INJECTIONS[name]
        after = "never" if seen.after is None else f"{seen.after:.0f} s"
        cleared = "never" if seen.cleared is None else f"{seen.cleared:.0f} s"
        others = ", ".join(sorted(seen.pages)) or "none"
        tickets = ", ".join(sorted(seen.tickets)) or "none"
        alert = f"[{one.alert}](runbooks/{one.alert}.md)"
        said.append(f"| {name} | {one.how} | {alert} | {after} | {others} | {tickets} | {cleared} |")
    quiet = f"Before the first fault all was well for {WELL_SECONDS:.0f} s; pages meanwhile: "
    return _HEAD + "\n".join(said) + f"\n\n{quiet}{', '.join(sorted(before)) or 'none'}.\n"


_HEAD = f"""# Faults made one by one

<!-- made by `python -m tests.observed.inject`; don't edit -->

Every stage as a process on a real broker, four leads a second, and a real Prometheus that scrapes them every 2 s with
the rules of `deploy/prometheus`. So that a fault takes seconds, windows and waits are divided by {FACTOR}, those of a
day and more so that a week is five minutes; what a rule compares with stays as it ships. Each fault is made while all
is well, and healed once its alert fires. *After* is from the fault to the alert at these windows; what it is at the
real ones says [alerts.md](alerts.md). *Other pages*, *tickets*: from the fault until no page fires any more. *Clear*:
from the healing until then.

| fault | made by | alert | after | other pages | tickets besides | clear |
|---|---|---|---|---|---|---|
"""


def main() -> int:
    """Make the faults; return 1 where an alert did not fire or another page did."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", choices=[*INJECTIONS], help="these alone; the page is not written then")
    asked = parser.parse_args()
    rows: list[tuple[str, Seen]] = []
    with (
        tempfile.TemporaryDirectory(prefix="leadstream-inject-", ignore_cleanup_errors=True) as folder,
        start(Path(folder) / "kafka") as broker,
        world(ClusterSettings(bootstrap=broker.bootstrap, namespace="inject"), Path(folder)) as (of, watching),
    ):
        before = well(watching)
        print(f"all is well: {sorted(before) or 'no page'}", flush=True)
        for name in asked.only or INJECTIONS:
            rows.append((name, injected(of, watching, INJECTIONS[name])))
            print(f"{name}: {rows[-1][1]}", flush=True)
    if not asked.only:
        PAGE.write_text(page(rows, before))
    return 1 if before or any(seen.after is None or seen.pages for _, seen in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
