"""A real day in two minutes: every stage and the meter as processes, the world outside, leads and their fates."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

import httpx
import orjson
import yaml
from confluent_kafka import Producer

from schemas.account import Account
from schemas.decision import Decision, DecisionKind, OwnerKind
from schemas.topics import KeyedBy
from streams.cli.table_import import put_all
from streams.kafka.config import ClusterSettings, plain_producer_config, qualified
from streams.topology import NAMES, PORTS_A_STAGE
from tests.chaos import division
from tests.chaos.fleet import Fleet, fleet_of
from tests.chaos.outside import Outside, outside_world
from tests.chaos.run import prepare, settings_of
from tests.conftest import FEW_PARTITIONS
from tests.ports import free_base
from tests.records import Record, Records
from tests.waiting import eventually

METERED = ("enrich", "pending", "track", "score", "assign", "notify", "timers", "meter")
READY_SECONDS = 240.0
SEATS = 10  # a day fills them
WINDOW_SECONDS = 3  # contact window of T1, so that its ladder is over in ten
PARTITIONS: Mapping[KeyedBy, int] = dict.fromkeys(FEW_PARTITIONS, 1)  # one each: eight processes share two cores


@dataclass(slots=True)
class Scene:
    """What runs. ports: stage -> port of its metrics. folder: of settings, state and logs."""

    cluster: ClusterSettings
    outside: Outside
    fleet: Fleet
    ports: Mapping[str, int]
    producer: Producer
    folder: Path
    sent: int = 0
    reports: int = 0
    fields: dict[str, Any] = field(default_factory=dict)

    def lead(self, number: int, **more: Any) -> None:
        """Send one submission of a company that has an account with us, by default."""
        value = {
            "email": f"p{number}@acme-{number % 300}-labs.com",
            "name": f"Pat Person{number}",
            "employees": 120,
            "country": "US",
            "industry": "saas",
            "action": ("demo", "webinar", "newsletter")[number % 3],
            "source": ("web", "api", "chat")[number % 3],
            "submitted_at": _now(),
        }
        self.write("leads.raw", f"lead-{number}", {**value, **more})
        self.sent += 1

    def report(self, lead_id: str, kind: str, rep: str | None, **more: Any) -> None:
        """Tell that somebody did something with a lead."""
        self.reports += 1
        name = f"act-{self.reports}"
        self.write(
            "leads.activity", name, {"id": name, "kind": kind, "lead_id": lead_id, "rep": rep, "at": _now(), **more}
        )

    def write(self, topic: str, event_id: str, value: Mapping[str, Any] | bytes) -> None:
        """Write one record as the outside does."""
        body = value if isinstance(value, bytes) else orjson.dumps(value)
        headers = {"ce_id": event_id, "traceparent": f"00-{abs(hash(event_id)) % 16**32:032x}-00f067aa0ba902b7-01"}
        self.producer.produce(qualified(self.cluster.namespace, topic), body, event_id, headers=headers)
        self.producer.poll(0)

    def assigned(self, count: int, seconds: float) -> list[Decision]:
        """Return decisions that gave a lead to a rep, at least `count`, read from the beginning."""
        rows = Records(self.cluster).read_until(("leads.assigned",), lambda found: len(_owned(found)) >= count, seconds)
        return _owned(rows)

    def until_ready(self, stage: str) -> None:
        """Wait until a stage that was started again serves."""
        eventually(lambda: _is_ready(self.ports[stage]), f"{stage} to be ready", READY_SECONDS, look=0.1)

    def metrics_of(self, stage: str) -> str:
        """Return what a stage serves."""
        return httpx.get(f"http://127.0.0.1:{self.ports[stage]}/metrics", timeout=60).text


@contextmanager
def scene(
    cluster: ClusterSettings,
    folder: Path,
    environ: Mapping[str, str] | None = None,
    stages: tuple[str, ...] = METERED,
    window_seconds: int = WINDOW_SECONDS,
    channels: Mapping[str, Any] = MappingProxyType({}),
    seats: int = SEATS,
) -> Iterator[Scene]:
    """Yield a running scene once every process is ready; none outlives the block.

    environ: further settings. window_seconds: the contact window of T1. channels: what is otherwise in theirs. seats:
    open leads that the small team has room for.
    """
    policies = [division.policy_text(one, "first", window_seconds) for one in division.DIVISIONS]
    prepare(cluster, PARTITIONS, policies, seats)
    accounts = [
        Account(domain=f"acme-{number}-labs.com", name=f"Acme {number}", owner=f"main-hot-{number % 6}", is_named=True)
        for number in range(0, 300, 2)
    ]
    put_all(cluster, "accounts", "account.put", lambda one: one.domain, accounts)
    base = free_base()
    ports = {name: base + PORTS_A_STAGE * NAMES.index(name) for name in stages}
    with ExitStack() as held:
        outside = held.enter_context(outside_world())
        settings = settings_of(cluster, folder, outside)
        led_here = {**outside.channels, "crm": {"webhook": "default"}}
        led_here |= {name: {**led_here.get(name, {}), **given} for name, given in channels.items()}
        (folder / "channels.yaml").write_text(yaml.safe_dump(led_here))
        settings |= {"LEADSTREAM_HTTP_PORT_BASE": str(base), **(environ or {})}
        fleet = held.enter_context(fleet_of(settings, folder / "logs", stages))

        def all_ready() -> bool:
            fleet.tend()
            return all(_is_ready(port) for port in ports.values())

        eventually(all_ready, lambda: f"{_unready(ports)} to be ready", READY_SECONDS, look=0.1)
        producer = Producer(plain_producer_config(cluster))
        yield Scene(cluster, outside, fleet, ports, producer, folder)
        producer.flush(120)


def a_day(of: Scene, leads: int = 150, per_second: float = 25.0) -> None:
    """Send leads with all that the metrics speak of: forms, garbage, calls, moves, ends, silence of a rep."""
    for number in range(leads):
        of.lead(number, **({"form": "trial", "step": "final"} if number % 10 == 0 else {}))
        if number % 5 == 0:
            of.write("leads.raw", f"step-{number}", {"email": "x@y.example", "form": "trial", "step": "one"})
        if number % 50 == 0:
            of.write("leads.raw", f"broken-{number}", b'{"email": "cut.off@')
        time.sleep(1 / per_second)
    of.producer.flush(120)
    given = of.assigned(leads // 3, 120)
    for number, decision in enumerate(given):
        lead, rep = decision.lead_id, decision.owner.id
        if decision.tier == "T1" and number % 2:
            continue  # nobody calls: the ladder runs
        of.report(lead, "called", rep)
        if number % 3 == 0:
            of.report(lead, "meeting_held", rep)
            of.report(lead, "stage_changed", rep, stage="mid")
            of.report(lead, "won", rep, value=5_000.0)
        elif number % 3 == 1:
            of.report(lead, "disqualified", rep)
        elif decision.owner.pool == "wide":
            of.report(lead, "fit_rated", rep)
            of.report(lead, "reassigned", None, to="main-wide-0", by="boss", reason="account")
    of.producer.flush(120)


def _owned(rows: Sequence[Record]) -> list[Decision]:
    decisions = [Decision.model_validate_json(row.value or b"") for row in rows]
    return [one for one in decisions if one.kind is DecisionKind.ASSIGNED and one.owner.kind is OwnerKind.REP]


def _is_ready(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/ready", timeout=10).status_code == 200
    except httpx.TransportError:
        return False


def _unready(ports: Mapping[str, int]) -> list[str]:
    return [name for name, port in ports.items() if not _is_ready(port)]


def _now() -> str:
    return datetime.now(UTC).isoformat()
