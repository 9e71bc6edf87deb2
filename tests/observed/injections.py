"""Ten faults, each really made in a running fleet, and healed again."""

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

BACKLOG = 12_000  # activities at once, for a stage that takes a hundred a second
ROTATION, AHEAD = "turn/main/wide/", "main-wide-0"
AHEAD_TURNS = 14.0  # the others catch up by ten a minute, and some while ASSIGN restores: it must last until it is seen
ROOM = 200_000  # seats of the small team: a full pool holds leads past their route deadline, which is a fault too


@dataclass(slots=True)
class World:
    """What can be broken. switches: a folder; a file in it that is named like a stage spoils that stage
    (`spoiled/sitecustomize.py`)."""

    scene: Scene
    feed: Feed
    provider: Provider
    mail: Mail
    switches: Path
    held: dict[str, Callable[[], None]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Injection:
    """make, heal: called once each. how: for the table. alert: what must fire, within `seconds`.

    besides: pages that making it raises, and that are no part of it.
    """

    how: str
    alert: str
    seconds: float
    make: Callable[[World], None]
    heal: Callable[[World], None]
    besides: frozenset[str] = frozenset()


def _kill_assign(world: World) -> None:
    assert world.scene.fleet.kill("assign")


def _start_assign(world: World) -> None:
    world.scene.fleet.restart("assign")


def _slow_down(world: World) -> None:
    """Let each record take TRACK ten milliseconds more, with more to do than it then can."""
    (world.switches / "track-slow").touch()
    rows = (
        {"id": f"late-{n}", "kind": "called", "lead_id": "main.nobody.1", "at": datetime.now(UTC).isoformat()}
        for n in range(BACKLOG)
    )
    Records(world.scene.cluster).write("leads.activity", [Raw(row["id"], row, {"ce_id": row["id"]}) for row in rows])


def _hang_a_transaction(world: World) -> None:
    """Open a transaction where ASSIGN reads, write into it, and do nothing more."""
    cluster = world.scene.cluster
    # A stranger's: the broker would end one of ours after 10 s, before anybody need be woken.
    producer = Producer(producer_config(cluster, "hung") | {"transaction.timeout.ms": 120_000})
    producer.init_transactions(120)
    producer.begin_transaction()
    producer.produce(qualified(cluster.namespace, "leads.scored"), b"{}", b"hung", partition=0)
    producer.flush(120)
    world.held["hung"] = lambda: producer.abort_transaction(120)


def _flood(world: World) -> None:
    world.feed.poison_share = 0.3


def _no_flood(world: World) -> None:
    world.feed.poison_share = 0.0


def _away(*absences: Absence) -> Callable[[World], None]:
    """Put the small team on the roster again, with these absences."""

    def put(world: World) -> None:
        team = [one for one in roster("main", ROOM) if one.team == "tight" and one.role == "rep"]
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
    """Spoil what ASSIGN restores: one member of a rotation is turns ahead of what they are owed, the others behind.

    What one is ahead the others are behind: without that the rotation would share out the surplus, nobody would come
    back to what they are owed, and the alert would come and go for ever.
    The fault begins once ASSIGN is restored and serves: that it was away for it is no part of it.
    """
    scene = world.scene
    assert scene.fleet.kill("assign")
    found = Records(scene.cluster).read_all("state.assign")
    rows = {row.key: row for row in found if row.key and row.key.startswith(ROTATION)}
    spoiled = []
    for key, last in rows.items():
        turn = last.json
        turns = AHEAD_TURNS if key == ROTATION + AHEAD else -AHEAD_TURNS / (len(rows) - 1)
        turn["start"] += round(turns * turn["base"] / turn["weight"])
        spoiled.append(Raw(key, orjson.dumps(turn), partition=last.partition))
    Records(scene.cluster).write("state.assign", spoiled)
    rmtree(scene.folder / "state" / scene.cluster.namespace / "assign-0")
    scene.fleet.restart("assign")
    scene.until_ready("assign")


def _nothing(world: World) -> None:
    """Heals by itself: who is ahead gets no lead until the others have caught up."""


# The biased rotation is the last: it evens out only as fast as leads come, and others would be made meanwhile.
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
        lambda w: (w.switches / "score-clock").touch(),
        lambda w: (w.switches / "score-clock").unlink(),
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
    "a stage lags": Injection(
        "12,000 activities at once, and each takes TRACK 10 ms",
        "StageBehind",
        120,
        _slow_down,
        lambda w: (w.switches / "track-slow").unlink(),
    ),
    "silence": Injection(
        "nobody sends a lead any more", "NoLeads", 240, lambda w: w.feed.pause(), lambda w: w.feed.go_on()
    ),
    "a biased rotation": Injection(
        "ASSIGN, started again, restores a changelog in which a rep is 14 turns ahead, the other seven two behind",
        "RotationBiased",
        40,
        _bias,
        _nothing,
        frozenset({"StageDown"}),
    ),
}
