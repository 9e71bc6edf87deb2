"""One run: TIMERS on a broker of its own, wake-ups that fall due, kills and an outage meanwhile, and the verdict."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from confluent_kafka import Producer

from schemas.timer import TIMER_ARMED, TimerArmed
from schemas.topics import KeyedBy
from schemas.wire import encode
from streams.broker.embedded import Broker, start_at
from streams.kafka import topics as kafka_topics
from streams.kafka.config import ClusterSettings, plain_producer_config, qualified
from tests.chaos.fleet import Fleet, fleet_of
from tests.chaos.laws import Verdict
from tests.chaos.timers.laws import Disturbed, Fire, Lateness, identity, latenesses, verdicts
from tests.chaos.timers.observer import Observer
from tests.chaos.timers.plan import Arming, Plan, armings
from tests.records import Records

STAGE = "timers"
SECRET = "chaos-person-secret-0123456789"
HEADERS: dict[str, str | bytes | None] = {"ce_type": TIMER_ARMED, "ce_schemaversion": "1"}
LOOK_SECONDS = 0.02
WRITTEN_SECONDS = 900.0  # an arming waits for a broker that is away


@dataclass(slots=True)
class Outcome:
    """What a run came to. expected: identities that had to fire. exits: slot -> exit code at the end."""

    verdicts: list[Verdict]
    lateness: list[Lateness]
    kills: Mapping[str, int]
    exits: Mapping[str, int]
    expected: list[str]
    fires: list[Fire]
    disturbed: Disturbed

    @property
    def violations(self) -> int:
        return sum(len(one.violations) for one in self.verdicts)


class Arms:
    """Writes armings, with acknowledgement, over a broker's outage too."""

    def __init__(self, cluster: ClusterSettings) -> None:
        config = plain_producer_config(cluster) | {"delivery.timeout.ms": int(WRITTEN_SECONDS * 1_000)}
        self._producer = Producer(config | {"linger.ms": 5})
        self._topic = qualified(cluster.namespace, "leads.timers")
        self._refused: list[str] = []

    def write(self, rows: Iterable[Arming]) -> None:
        """Hand over the rows in order."""
        for row in rows:
            value = None if row.due_at is None else encode(_armed(row.due_at))
            while True:
                try:
                    self._producer.produce(self._topic, value, row.waker, headers=HEADERS, on_delivery=self._delivered)
                    break
                except BufferError:
                    self._producer.poll(0.1)
            self._producer.poll(0)

    def finish(self) -> None:
        """Wait until all is written. Raises AssertionError where something was not."""
        left = self._producer.flush(WRITTEN_SECONDS)
        assert not left and not self._refused, f"{left} armings not written, {self._refused[:3]}"

    def _delivered(self, error: object, _: object) -> None:
        if error:
            self._refused.append(str(error))


def run(
    broker: Broker,
    plan: Plan,
    folder: Path,
    partitions: Mapping[KeyedBy, int],
    namespace: str,
    say: Callable[[str], None] = lambda _: None,
) -> Outcome:
    """Do the plan in an empty namespace and judge it. Call it on the main thread: the broker it starts dies with it."""
    cluster = ClusterSettings(bootstrap=broker.bootstrap, namespace=namespace)
    kafka_topics.create(cluster, partitions)
    first_due = datetime.now(UTC) + timedelta(seconds=plan.lead_seconds)
    planned = armings(plan, first_due)
    arms = Arms(cluster)
    expected = [identity(one.waker, one.due_at.timestamp()) for one in planned.final if one.due_at is not None]
    again = dict(planned.again)

    def arm_again(fire: Fire) -> None:
        due_at = again.pop(fire.waker, None)
        if due_at is not None:
            arms.write([Arming(fire.waker, due_at)])
            expected.append(identity(fire.waker, due_at.timestamp()))

    arms.write([*planned.before, *planned.final])
    arms.finish()
    say(f"{plan.wake_ups} wake-ups armed, {len(planned.before)} records before them that must not fire")
    with (
        Observer(cluster, arm_again) as observer,
        fleet_of(_environ(cluster, folder), folder / "logs", (STAGE,)) as fleet,
    ):
        day = _Day(plan, fleet, observer, first_due.timestamp(), broker, say)
        try:
            day.pass_by(lambda: len(observer.fires) >= plan.wake_ups and len(expected) >= plan.wake_ups)
            arms.finish()
            exits = fleet.stop()
            fires = _all_fires(cluster, observer.fires)
            armed = _still_armed(cluster)
        finally:
            day.close()
    return Outcome(
        verdicts(expected, fires, day.disturbed, armed),
        latenesses(fires, day.disturbed),
        fleet.kills,
        exits,
        expected,
        fires,
        day.disturbed,
    )


@dataclass(slots=True)
class _Day:
    """What happens while wake-ups fall due."""

    plan: Plan
    fleet: Fleet
    observer: Observer
    first_due: float
    broker: Broker
    say: Callable[[str], None]
    disturbed: Disturbed = field(default_factory=Disturbed)
    _restarted: Broker | None = None
    _killed: int = 0

    def pass_by(self, is_complete: Callable[[], bool]) -> None:
        """Let it all happen, until everything has fired or it took too long; what did not fire is the laws' matter."""
        moments, faults, outage_at = self.plan.kill_moments(), self.plan.faults(), self.plan.outage_at
        ends_at = self.first_due + self.plan.seconds
        said_at = time.monotonic()
        while not (is_complete() and time.time() > ends_at) and time.time() < ends_at + self.plan.settle_seconds:
            self.observer.check()
            passed = time.time() - self.first_due
            if moments and passed >= moments[0]:
                moments.pop(0)
                self._kill(faults.pop(0) if faults else None)
            if outage_at is not None and passed >= outage_at:
                outage_at = None
                self._outage()
            if passed >= self.plan.seconds * 0.95:
                self._force()
            self._tend()
            if time.monotonic() - said_at > 10:
                said_at = time.monotonic()
                self.say(f"{len(self.observer.fires)} fired, {sum(self.fleet.kills.values())} kills")
            time.sleep(LOOK_SECONDS)

    def close(self) -> None:
        """End the broker that came after the outage."""
        if self._restarted is not None:
            self._restarted.stop()

    def _kill(self, fault: str | None) -> None:
        """SIGKILL from outside; the process started next dies at the named point."""
        if fault:
            self.fleet.faults[STAGE].append(fault)
        self.fleet.kill(STAGE)
        self._tend()

    def _force(self) -> None:
        """Kill whom a named point was planned for that has not come."""
        slot = self.fleet.slots[STAGE]
        if slot.fault and slot.process.poll() is None:
            slot.fault = ""
            self.fleet.kill(STAGE)

    def _tend(self) -> None:
        self.fleet.tend()
        total = sum(self.fleet.kills.values())
        if total > self._killed:
            self._killed = total
            self.disturbed.kills.append(time.time())

    def _outage(self) -> None:
        """Kill the broker, leave TIMERS to its restarts, bring the broker back on its port and data."""
        began = time.time()
        self.say(f"the broker is killed for {self.plan.outage_seconds:.0f} s")
        self.broker.kill()
        while time.time() - began < self.plan.outage_seconds:
            self._tend()
            time.sleep(LOOK_SECONDS)
        self._restarted = start_at(self.broker.data_dir, self.broker.port, self.broker.cache_dir)
        self.disturbed.outages.append((began, time.time()))
        self.say("the broker answers again")


def _environ(cluster: ClusterSettings, folder: Path) -> dict[str, str]:
    return {
        "LEADSTREAM_BOOTSTRAP": cluster.bootstrap,
        "LEADSTREAM_NAMESPACE": cluster.namespace,
        "LEADSTREAM_PERSON_SECRET": SECRET,
        "LEADSTREAM_STATE_DIR": str(folder / "state"),
        "LEADSTREAM_HTTP_PORT_BASE": "0",
    }


def _armed(due_at: datetime) -> TimerArmed:
    return TimerArmed(due_at=due_at, topic="leads.scored", to_key="main", data={}, armed_at=datetime.now(UTC))


def _all_fires(cluster: ClusterSettings, live: list[Fire]) -> list[Fire]:
    """Return every fire on the topic as a reader from its first record sees it, with when the live reader had it."""
    seen_at: dict[str, float] = {}
    for fire in live:
        seen_at.setdefault(fire.id, fire.seen_at)
    now = time.time()
    found = []
    for record in Records(cluster).read_all("leads.scored", seconds=120):
        said = record.json
        due_at = datetime.fromisoformat(said["due_at"]).timestamp()
        at = seen_at.get(identity(said["waker"], due_at), now)
        found.append(Fire(said["waker"], due_at, record.timestamp_ms / 1_000, at))
    return found


def _still_armed(cluster: ClusterSettings) -> list[str]:
    left: dict[str, bool] = {}
    for record in Records(cluster).read_all("leads.timers", seconds=120):
        left[record.key or ""] = record.value is not None
    return sorted(key for key, is_armed in left.items() if is_armed)
