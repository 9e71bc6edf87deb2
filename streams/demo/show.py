"""The demo from start to end: broker, topics, policy, people, stages, leads, table, summary."""

import secrets
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

import orjson
import yaml
from rich.console import Console
from rich.live import Live

from enrichment.providers.directory import companies
from routing.policy import compile_policy
from schemas.account import Account
from schemas.rep import Rep
from streams.broker.embedded import start
from streams.broker.ports import free_ports, is_free
from streams.cli.decided import wait_for_decision
from streams.cli.exit_code import ExitCode
from streams.cli.policies import activate, publish
from streams.cli.records import read
from streams.cli.table_import import put_all
from streams.cli.writer import Outgoing, write
from streams.demo import intake_thread, sinks, stage_processes
from streams.demo.feed import Feed
from streams.demo.promise import Promise, promises
from streams.demo.scenario import Scenario, scenario
from streams.demo.screen import decisions, live, summary
from streams.demo.sinks import Sinks
from streams.demo.tail import Tail
from streams.demo.watched import Line, Watched
from streams.errors import Fatal
from streams.kafka import topics
from streams.kafka.config import ClusterSettings

HOME = Path(".leadstream")
REP_DOMAIN = "seller.example"
READY_SECONDS = 60.0
SHOW_SECONDS = 75.0
_TICK_SECONDS = 0.05
_NEXT = (
    "\nWhere to look next: docs/concepts.md (how it works), docs/publish.md (your own leads), docs/cli.md (commands)."
)
_PLAIN_WIDTH = 140  # of a log file, which has none
_HEALTH_PORT = 9400
_BOARD_PORT = 8090
_COUNTED = ("leads.raw", "leads.enriched", "leads.scored", "leads.assigned", "leads.notified", "decisions", "leads.dlq")


class StagesNotReady(Fatal):
    """The stages did not route a first lead in time. The end of their log says why."""


@dataclass(frozen=True, slots=True)
class Stage:
    """What runs during the demo."""

    cluster: ClusterSettings
    sinks: Sinks
    scenario: Scenario
    watched: Watched
    console: Console
    stopped: threading.Event


def run() -> int:
    """Run the demo and return its exit code: 0 if everything it promises was seen."""
    console = Console() if sys.stdout.isatty() else Console(width=_PLAIN_WIDTH)
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    HOME.mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="demo-", dir=HOME))
    code = _run(folder, console, stopped)  # where it raises, its logs stay in the folder
    shutil.rmtree(folder, ignore_errors=True)
    return code


def _run(folder: Path, console: Console, stopped: threading.Event) -> int:
    started = time.monotonic()
    with ExitStack() as running:
        console.print("Starting Apache Kafka on this machine (its jars are downloaded once) ...")
        broker = running.enter_context(start(folder / "broker"))
        cluster = ClusterSettings(bootstrap=broker.bootstrap)
        console.print(f"Kafka listens on {broker.bootstrap}. Making topics, policy, roster and accounts ...")
        reps = prepared(cluster)
        receiving = running.enter_context(sinks.listening(REP_DOMAIN))
        board_port = next(free_ports(_BOARD_PORT))
        environment = _environment(cluster, receiving, folder, board_port)
        log = folder / "stages.log"
        process = running.enter_context(stage_processes.running(environment, log))
        console.print(f"Starting the stages, and the board: http://127.0.0.1:{board_port}")
        _wait_until_ready(cluster, log, lambda: process.poll() is None and not stopped.is_set())
        names = {rep.id: rep.name for rep in reps}
        stage = Stage(cluster, receiving, scenario(companies()), Watched(names), console, stopped)
        with _following(cluster) as tail:
            kept = _show(stage, tail)
            elapsed = time.monotonic() - started
            console.print(summary(stage.watched, kept, _counts(cluster), elapsed))
            console.print(_NEXT, highlight=False, soft_wrap=True)
            if sys.stdout.isatty() and not stopped.is_set():
                _stay(stage, tail, running.enter_context(intake_thread.listening(cluster)), board_port)
    return ExitCode.OK if all(one.is_kept for one in kept) else ExitCode.FAILED


def prepared(cluster: ClusterSettings) -> list[Rep]:
    """Make the topics, write roster and accounts, publish and activate the demo's policy; return the roster."""
    topics.create(cluster)
    folder = files("streams.demo")
    reps = [Rep.model_validate(row) for row in yaml.safe_load((folder / "roster.yaml").read_text())["reps"]]
    put_all(cluster, "reps", "rep.put", lambda rep: rep.id, reps)
    accounts = [Account(domain="siemens.com", name="Siemens", owner="r-ella", is_named=True, is_customer=True)]
    put_all(cluster, "accounts", "account.put", lambda one: one.domain, accounts)
    policy = compile_policy((folder / "policy.yaml").read_text())
    activate(cluster, publish(cluster, policy, reps), "the demo")
    return reps


def _environment(cluster: ClusterSettings, receiving: Sinks, folder: Path, board_port: int) -> dict[str, str]:
    channels = {
        "smtp": {"host": "127.0.0.1", "port": receiving.smtp_port, "sender": f"leads@{REP_DOMAIN}", "start_tls": False},
        "webhooks": {"demo": {"url": receiving.webhook_url, "secret": receiving.secret}},
        "crm": {"webhook": "demo"},
        "allowed_hosts": ["127.0.0.1"],
    }
    return {
        "LEADSTREAM_BOOTSTRAP": cluster.bootstrap,
        "LEADSTREAM_PERSON_SECRET": secrets.token_hex(32),
        "LEADSTREAM_STATE_DIR": str(folder / "state"),
        "LEADSTREAM_CHANNELS": orjson.dumps(channels).decode(),
        "LEADSTREAM_BOARD_IS_OPEN": "true",
        "LEADSTREAM_BOARD_ACTORS": "*",
        "LEADSTREAM_BOARD_PORT": str(board_port),
        "LEADSTREAM_HTTP_PORT_BASE": str(_HEALTH_PORT if is_free(_HEALTH_PORT) else 0),
    }


def _wait_until_ready(cluster: ClusterSettings, log: Path, is_running: Callable[[], bool]) -> None:
    """Send a test lead and wait for its decision: then the whole way is open. Raises StagesNotReady."""
    now = datetime.now(UTC)
    fields = {"id": "demo-test", "email": "test@leadstream.example", "is_test": True, "submitted_at": now.isoformat()}
    deadline = time.monotonic() + READY_SECONDS
    with wait_for_decision(cluster, "demo-test", 1.0) as decision:
        write(cluster, [Outgoing("demo-test", "leads.raw", "demo-test", "lead.submitted", orjson.dumps(fields))])
        while decision() is None:
            if not is_running() or time.monotonic() > deadline:
                tail = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
                what = (
                    f"The stages did not route a first lead in {READY_SECONDS:.0f} s. Their logs are in {log.parent}."
                )
                raise StagesNotReady(f"{what}\n{tail}")


@contextmanager
def _following(cluster: ClusterSettings) -> Iterator[Tail]:
    tail = Tail(cluster)
    try:
        yield tail
    finally:
        tail.close()


def _show(stage: Stage, tail: Tail) -> tuple[Promise, ...]:
    began = time.monotonic()
    feed = Feed(stage.cluster, stage.scenario, began)
    kept = promises(stage.scenario, stage.watched, stage.sinks.arrived)
    with Live(live(stage.watched, kept), console=stage.console, refresh_per_second=8, transient=True) as shown:
        while not stage.stopped.is_set() and time.monotonic() - began < SHOW_SECONDS:
            tail.read(stage.watched, _TICK_SECONDS)
            feed.tick(stage.watched, time.monotonic())
            kept = promises(stage.scenario, stage.watched, stage.sinks.arrived)
            shown.update(live(stage.watched, kept))
            if all(one.is_kept for one in kept):
                break
    feed.close()
    stage.console.print(decisions(_highlights(stage.watched)))
    return kept


def _highlights(watched: Watched) -> list[Line]:
    special = [line for line in watched.lines if line.what]
    return [*(line for line in watched.lines if not line.what)][:8] + special


def _counts(cluster: ClusterSettings) -> Mapping[str, int]:
    return {topic: sum(1 for _ in read(cluster, topic)) for topic in _COUNTED}


def _stay(stage: Stage, tail: Tail, intake: str, board_port: int) -> None:
    stage.console.print(_while_it_runs(stage, intake, board_port), highlight=False, soft_wrap=True)
    seen = len(stage.watched.lines)
    while not stage.stopped.is_set():
        tail.read(stage.watched, 0.2)
        if len(stage.watched.lines) > seen:
            stage.console.print(decisions(stage.watched.lines[seen:]))
            seen = len(stage.watched.lines)
    stage.console.print("Stopping ...")


def _while_it_runs(stage: Stage, intake: str, board_port: int) -> str:
    here = Path(sys.executable).with_name("leadstream")
    command = here.relative_to(Path.cwd()) if here.is_relative_to(Path.cwd()) else here
    lead = next((one.lead_id for one in stage.watched.reassigned.values()), "LEAD")
    body = '{"email": "you@adobe.com", "action": "demo"}'
    return (
        f"\nWhile it runs, look at the board: http://127.0.0.1:{board_port}\n"
        "In another terminal:\n"
        f"  export LEADSTREAM_BOOTSTRAP={stage.cluster.bootstrap}\n"
        f"  {command} lead explain {lead}\n"
        f"  {command} dlq list\n"
        "Send a lead of your own:\n"
        f"  curl {intake}/leads -H 'Content-Type: application/json' -d '{body}'\n"
        "It shows below, and changes hands when nobody calls. Ctrl-C ends everything."
    )
