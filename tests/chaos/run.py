"""One run: a fleet in a fresh namespace, leads and activity in, kills meanwhile, and the verdicts at the end."""

import queue
import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import orjson
import yaml

from notifiers.settings import ChannelSettings
from schemas.topics import KeyedBy
from streams.kafka import topics as kafka_topics
from streams.kafka.config import ClusterSettings
from tests.chaos import division
from tests.chaos.evidence import Evidence, Kept
from tests.chaos.fleet import STAGES, Fleet, fleet_of
from tests.chaos.keeping import kept_by
from tests.chaos.killer import Killer
from tests.chaos.laws import Verdict, verdicts
from tests.chaos.observer import Observer
from tests.chaos.outside import Outside, outside_world
from tests.chaos.quiet import Quiet
from tests.chaos.roller import Roller
from tests.chaos.upstream import Upstream

SECRET = "chaos-person-secret-0123456789"
STILL = 3  # looks in a row that find nothing under way
LOOK_SECONDS = 1.0
ROSTER_CHANGES_AT, POLICY_CHANGES_AT = 0.4, 0.6  # share of the leads sent
SHARES = {"called": 0.10, "declined": 0.03, "disqualified": 0.03, "won": 0.01}
"""Of the leads that a rep was assigned, how many of them do what."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do. per_second: leads, at most. quiet_seconds: how long all may take to settle after the last lead."""

    leads: int
    kills: int
    seed: int = 1
    per_second: float = 150.0
    quiet_seconds: float = 600.0
    ladder_seconds: int = division.LADDER_SECONDS


@dataclass(slots=True)
class Outcome:
    """What a run came to. kills: what -> times. exits: slot -> exit code at the end."""

    verdicts: list[Verdict]
    evidence: Evidence
    kept: Kept
    kills: Mapping[str, int]
    restarts: Mapping[str, int]
    exits: Mapping[str, int]
    seconds: Mapping[str, float] = field(default_factory=dict)

    @property
    def violations(self) -> int:
        return sum(len(one.violations) for one in self.verdicts)


def settings_of(cluster: ClusterSettings, folder: Path, outside: Outside) -> dict[str, str]:
    """Write the files that the stages read; return the environment that leads to them."""
    folder.mkdir(parents=True, exist_ok=True)
    org, channels = folder / "org.yaml", folder / "channels.yaml"
    org.write_text(division.org_text(outside.server.url))
    channels.write_text(yaml.safe_dump(outside.channels))
    return {
        "LEADSTREAM_BOOTSTRAP": cluster.bootstrap,
        "LEADSTREAM_NAMESPACE": cluster.namespace,
        "LEADSTREAM_PERSON_SECRET": SECRET,
        "LEADSTREAM_STATE_DIR": str(folder / "state"),
        "LEADSTREAM_ORG_FILE": str(org),
        "LEADSTREAM_CHANNELS_FILE": str(channels),
        "LEADSTREAM_HTTP_PORT_BASE": "0",
    }


def prepare(cluster: ClusterSettings, partitions: Mapping[KeyedBy, int], texts: list[str], seats: int) -> None:
    """Make the topics, hire everybody, activate the policies."""
    kafka_topics.create(cluster, partitions)
    for name in division.DIVISIONS:
        division.hire(cluster, division.roster(name, seats))
    division.publish(cluster, texts)


def run(
    cluster: ClusterSettings,
    plan: Plan,
    folder: Path,
    partitions: Mapping[KeyedBy, int],
    say: Callable[[str], None] = lambda _: None,
    roller: Roller | None = None,
) -> Outcome:
    """Do the plan on an empty namespace and judge it. folder: empty, for settings, state and logs.

    roller: restarts stages in order, in the place of kills.
    """
    texts = [division.policy_text(name, "first", plan.ladder_seconds) for name in division.DIVISIONS]
    later = division.policy_text("main", "second", plan.ladder_seconds)
    prepare(cluster, partitions, texts, max(plan.leads // 80, 4))
    started = time.monotonic()
    with outside_world() as outside:
        environ = settings_of(cluster, folder, outside)
        upstream = Upstream(cluster, plan.seed)
        evidence = Evidence(upstream.sent, outside)
        assigned: queue.SimpleQueue[str] = queue.SimpleQueue()
        channels = ChannelSettings.model_validate(outside.channels)
        killer = roller or Killer(plan.kills, plan.seed, plan.leads)
        if roller is not None:
            environ["LEADSTREAM_HTTP_PORT_BASE"] = str(roller.port_base)
        with (
            Observer(cluster, evidence, channels, assigned.put) as observer,
            fleet_of(environ, folder / "logs", faults=killer.faults) as fleet,
        ):
            day = _Day(plan, fleet, killer, upstream, observer, assigned, cluster, later)
            day.feed(say)
            fed = time.monotonic()
            with Quiet(cluster, observer, upstream.sent) as quiet:
                day.settle(quiet, say)
            settled = time.monotonic()
            exits = fleet.stop()
            restarts = {slot.name: len(slot.ends) for slot in fleet.slots.values()}
    kept = kept_by(cluster, folder / "state", [*texts, later], STAGES)
    found = verdicts(evidence, kept)
    seconds = {"fed": fed - started, "settled": settled - fed, "judged": time.monotonic() - settled}
    return Outcome(found, evidence, kept, fleet.kills, restarts, exits, seconds)


class _Day:
    """What happens while the fleet runs, on the main thread but for the leads themselves."""

    def __init__(
        self,
        plan: Plan,
        fleet: Fleet,
        killer: Killer | Roller,
        upstream: Upstream,
        observer: Observer,
        assigned: "queue.SimpleQueue[str]",
        cluster: ClusterSettings,
        later: str,
    ) -> None:
        self._plan = plan
        self._fleet = fleet
        self._killer = killer
        self._upstream = upstream
        self._observer = observer
        self._assigned = assigned
        self._random = random.Random(plan.seed + 1)
        self._sent = 0
        self._reports = 0
        self._changes: list[tuple[float, Callable[[], None]]] = [
            (ROSTER_CHANGES_AT, lambda: _lets_go(cluster)),
            (POLICY_CHANGES_AT, lambda: division.publish(cluster, [later])),
        ]

    def feed(self, say: Callable[[str], None]) -> None:
        """Send all leads, with kills, activity and changes meanwhile."""
        failed: list[BaseException] = []

        def send() -> None:
            try:
                self._upstream.send_leads(self._plan.leads, self._plan.per_second, self._note)
            except BaseException as error:
                failed.append(error)

        feeder = threading.Thread(target=send, name="upstream", daemon=True)
        feeder.start()
        said_at = time.monotonic()
        while feeder.is_alive():
            self._turn()
            if time.monotonic() - said_at > 10:
                said_at = time.monotonic()
                say(f"{self._sent} leads sent, {len(self._observer.evidence.decided)} decisions seen")
        feeder.join()
        if failed:
            raise failed[0]

    def settle(self, quiet: Quiet, say: Callable[[str], None]) -> None:
        """Wait until nothing is under way. Raises AssertionError with what still is."""
        deadline = time.monotonic() + self._plan.quiet_seconds
        still, look_at, lags = 0, 0.0, {"not": -1}
        while still < STILL:
            self._turn()
            if time.monotonic() < look_at:
                continue
            self._upstream.flush()
            lags = quiet.lags()
            still = still + 1 if not lags and self._killer.is_done(self._fleet) else 0
            look_at = time.monotonic() + LOOK_SECONDS
            say(f"under way: {orjson.dumps(lags).decode()}; kills {sum(self._fleet.kills.values())}")
            assert time.monotonic() < deadline, f"not quiet in {self._plan.quiet_seconds} s: {lags}"
            if not lags:
                self._killer.force(self._fleet)

    def _turn(self) -> None:
        self._observer.check()
        self._fleet.tend()
        # By what came out: whoever is down holds it up, so kills meet stages at work and not each other's restarts.
        self._killer.turn(self._fleet, len(self._observer.evidence.decided) / self._plan.leads)
        share = self._sent / self._plan.leads
        while self._changes and share >= self._changes[0][0]:
            self._changes.pop(0)[1]()
        self._react()
        time.sleep(0.02)

    def _react(self) -> None:
        """Let reps do something with some of the leads they were given."""
        while True:
            try:
                lead, rep = self._assigned.get_nowait().split(" ")
            except queue.Empty:
                return
            draw = self._random.random()
            for kind, chance in SHARES.items():
                draw -= chance
                if draw < 0:
                    self._reports += 1
                    self._upstream.report(lead, kind, rep, self._reports)
                    break

    def _note(self, sent: int) -> None:
        self._sent = sent


def _lets_go(cluster: ClusterSettings) -> None:
    """One rep leaves: their open leads move on at once."""
    gone = next(one for one in division.roster("main", 10) if one.id == "main-wide-0")
    division.hire(cluster, [gone.model_copy(update={"active": False})])
