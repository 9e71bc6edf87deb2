"""Ten faults, each really made in a running fleet, and healed again."""

import signal
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import rmtree
from uuid import uuid4

import orjson
from confluent_kafka import Producer

from schemas.rep import Absence
from schemas.wire import encode
from streams.cli.writer import Outgoing, write
from streams.kafka.config import producer_config, qualified
from tests.chaos.division import roster
from tests.observed.feed import Feed
from tests.observed.scene import Scene
from tests.observed.switched import Mail, Provider
from tests.records import Outgoing as Raw
from tests.records import Records

BACKLOG = 30_000  # activities at once, for a stage that gets a twentieth of a core
AHEAD_TURNS = 6.0


@dataclass(slots=True)
class World:
    """What can be broken. stepped: the folder in which a file named like a stage steps its clock."""

    scene: Scene
    feed: Feed
    provider: Provider
    mail: Mail
    stepped: Path
    held: dict[str, Callable[[], None]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Injection:
    """make, heal: called once each. how: for the table. alert: what must fire, within `seconds`."""

    how: str
    alert: str
    seconds: float
    make: Callable[[World], None]
    heal: Callable[[World], None]


def _kill_assign(world: World) -> None:
    assert world.scene.fleet.kill("assign")


def _start_assign(world: World) -> None:
    world.scene.fleet.restart("assign")


def _starve_track(world: World) -> None:
    """Let TRACK run for a twentieth of the time, with more to do than it then can."""
    rows = (
        {"id": f"late-{n}", "kind": "called", "lead_id": "main.nobody.1", "at": datetime.now(UTC).isoformat()}
        for n in range(BACKLOG)
    )
    Records(world.scene.cluster).write("leads.activity", [Raw(row["id"], row, {"ce_id": row["id"]}) for row in rows])
    process, fed = world.scene.fleet.slots["track"].process, threading.Event()

    def starve() -> None:
        while not fed.is_set():
            process.send_signal(signal.SIGSTOP)
            fed.wait(0.95)
            process.send_signal(signal.SIGCONT)
            fed.wait(0.05)

    thread = threading.Thread(target=starve, daemon=True)
    thread.start()

    def heal() -> None:
        fed.set()
        thread.join()

    world.held["track"] = heal


def _hang_a_transaction(world: World) -> None:
    """Open a transaction where ASSIGN reads, write into it, and do nothing more."""
    cluster = world.scene.cluster
    # A stranger's: the broker would end one of ours after 10 s, before anybody need be woken.
    producer = Producer(producer_config(cluster, "hung") | {"transaction.timeout.ms": 120_000})
    producer.init_transactions(30)
    producer.begin_transaction()
    producer.produce(qualified(cluster.namespace, "leads.scored"), b"{}", b"hung", partition=0)
    producer.flush(10)
    world.held["hung"] = lambda: producer.abort_transaction(30)


def _flood(world: World) -> None:
    world.feed.poison_share = 0.3


def _no_flood(world: World) -> None:
    world.feed.poison_share = 0.0


def _away(*absences: Absence) -> Callable[[World], None]:
    """Put the small team on the roster again, with these absences."""

    def put(world: World) -> None:
        team = [one for one in roster("main", 10) if one.team == "tight" and one.role == "rep"]
        rows = [
            Outgoing(f"rep/{uuid4()}", "reps", one.id, "rep.put", encode(one.model_copy(update={"absences": absences})))
            for one in team
        ]
        write(world.scene.cluster, rows)

    return put


def _everybody_leaves(world: World) -> None:
    now = datetime.now(UTC)
    _away(Absence(start=now - timedelta(hours=1), until=now + timedelta(days=1)))(world)


def _bias(world: World) -> None:
    """Spoil what ASSIGN restores: one member of a rotation is turns ahead of what they were given.

    The fault begins once ASSIGN is restored and serves: that it was away for it is no part of it.
    """
    scene = world.scene
    assert scene.fleet.kill("assign")
    key = "turn/main/wide/main-wide-0"
    last = [row for row in Records(scene.cluster).read_all("state.assign") if row.key == key][-1]
    turn = last.json
    turn["start"] += round(AHEAD_TURNS * turn["base"] / turn["weight"])
    Records(scene.cluster).write("state.assign", [Raw(key, orjson.dumps(turn), partition=last.partition)])
    rmtree(scene.folder / "state" / scene.cluster.namespace / "assign-0")
    scene.fleet.restart("assign")
    scene.until_ready("assign")


def _nothing(world: World) -> None:
    """Heals by itself: who is ahead gets no lead until the others have caught up."""


INJECTIONS: Mapping[str, Injection] = {
    "a stage is dead": Injection("SIGKILL of ASSIGN, not started again", "StageDown", 40, _kill_assign, _start_assign),
    "a channel is down": Injection(
        "the mail server does not listen", "ChannelDown", 60, lambda w: w.mail.off(), lambda w: w.mail.on()
    ),
    "a flood of poison": Injection("three of ten submissions are broken JSON", "PoisonFlood", 60, _flood, _no_flood),
    "a clock is off": Injection(
        "the wall clock of SCORE is stepped by 30 s",
        "ClockOff",
        40,
        lambda w: (w.stepped / "score").touch(),
        lambda w: (w.stepped / "score").unlink(),
    ),
    "a provider is down": Injection(
        "the provider does not listen", "ProviderDown", 90, lambda w: w.provider.off(), lambda w: w.provider.on()
    ),
    "a hung transaction": Injection(
        "a producer opens a transaction on leads.scored, writes and hangs",
        "HungTransaction",
        50,
        _hang_a_transaction,
        lambda w: w.held.pop("hung")(),
    ),
    "an empty pool": Injection("all four reps of a pool are away", "PoolEmpty", 90, _everybody_leaves, _away()),
    "a biased rotation": Injection(
        "ASSIGN restores a changelog in which a rep is six turns ahead", "RotationBiased", 40, _bias, _nothing
    ),
    "a stage lags": Injection(
        "30,000 activities at once, and TRACK is stopped (SIGSTOP) for 95% of the time",
        "StageBehind",
        150,
        _starve_track,
        lambda w: w.held.pop("track")(),
    ),
    "silence": Injection(
        "nobody sends a lead any more", "NoLeads", 240, lambda w: w.feed.pause(), lambda w: w.feed.go_on()
    ),
}
