"""leads.timers is compacted hard while slots are killed and come back: nothing is lost, nothing rises from the dead.

The broker is the embedded one, set so that it cleans within seconds what it cleans within days in production. A slot
refuses to start on a topic that is set so; for its start, and only then, tombstones are kept as long as we ask for.
"""

import random
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

from schemas.topics import DELETE_RETENTION_SECONDS
from streams.broker.embedded import start
from streams.broker.ports import CHOICES
from streams.kafka import topics as kafka_topics
from streams.kafka.config import ClusterSettings, admin_config, qualified
from streams.timers.index import open_index
from tests.conftest import FEW_PARTITIONS
from tests.integration.test_timers import TimersSlots, all_taken, armed, fired
from tests.records import Outgoing, Records
from tests.waiting import eventually

# No test waits for the broker longer than this: it cleans every 200 ms.
CLEANED_SECONDS = 120.0
WAITS = (8, 30, 90)  # seconds: a busy machine gets longer to take what is armed before it is due
# And after this many a tombstone that is still there was stamped with the wrong retention.
STAMPED_SECONDS = 20.0
HARSH = {
    "segment.ms": "200",
    "min.cleanable.dirty.ratio": "0.01",
}
GONE = {"delete.retention.ms": "1000", "min.compaction.lag.ms": "0", "max.compaction.lag.ms": "500"}
# Nothing is cleaned meanwhile: a tombstone keeps for ever the retention that held when it was first cleaned.
KEPT = {
    "delete.retention.ms": str(DELETE_RETENTION_SECONDS * 1_000),
    "min.compaction.lag.ms": "600000",
    "max.compaction.lag.ms": str(2**63 - 1),
}


@dataclass(frozen=True, slots=True)
class Compacted:
    """A namespace on a broker that compacts at once."""

    slots: TimersSlots
    records: Records

    def start(self, machine: str = "here") -> "subprocess.Popen[bytes]":
        """Start a slot and return it once it has caught up."""
        self._set(KEPT)
        before = self.slots.log().count("timers.caught_up") if self.slots.running else 0
        process = self.slots.start(machine=machine)
        self.slots.caught_up(before + 1)
        self._set(GONE)
        return process

    def _set(self, settings: Mapping[str, str]) -> None:
        cluster = self.slots.cluster
        topic = qualified(cluster.namespace, "leads.timers")
        configure(cluster.bootstrap, ConfigResource(ResourceType.TOPIC, topic), settings)

    def kept(self) -> Mapping[str, list[bytes | None]]:
        """Return the values that the topic still has, by key, in order."""
        found: dict[str, list[bytes | None]] = {}
        for record in self.records.read_all("leads.timers"):
            found.setdefault(record.key or "", []).append(record.value)
        return found

    def cleaned(self, gone: str, what: str) -> None:
        """Keep writing, so that segments roll, until the topic has no record with this prefix any more.

        The broker stamps a tombstone with the retention that held when it cleaned it first, and one that it was at
        when we changed the retention has days to go. Such a key is written its tombstone anew, which takes its place.
        """
        again = time.monotonic() + STAMPED_SECONDS

        def look() -> bool:
            nonlocal again
            self._rolled()
            left = {key: values[-1] for key, values in self.kept().items() if key.startswith(gone)}
            if left and time.monotonic() > again:
                stamped = [key for key, value in left.items() if value is None]
                self.records.write("leads.timers", [Outgoing(key, None) for key in stamped])
                again = time.monotonic() + STAMPED_SECONDS
            return not left

        eventually(look, lambda: f"{what}; there is {self.kept()}", CLEANED_SECONDS, look=0.2)

    def deduplicated(self, key: str) -> None:
        """Keep writing until the topic has one record of `key`."""
        eventually(
            lambda: self._rolled() and len(self.kept().get(key, ())) <= 1,
            f"one record of {key}",
            CLEANED_SECONDS,
            look=0.2,
        )

    def _rolled(self) -> bool:
        """Write something, so that the segment before ends: only what lies in an ended one is cleaned."""
        far = datetime.now(UTC) + timedelta(days=1)
        self.records.write("leads.timers", [armed(f"filler/{n}", far) for n in range(8)])
        return True


@pytest.fixture(scope="module")
def bootstrap(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with start(tmp_path_factory.mktemp("harsh") / "kafka", port=random.choice(CHOICES)) as broker:
        configure(broker.bootstrap, ConfigResource(ResourceType.BROKER, "1"), {"log.cleaner.backoff.ms": "200"})
        yield broker.bootstrap


@pytest.fixture
def compacted(bootstrap: str, tmp_path: Path, namespace: str) -> Iterator[Compacted]:
    cluster = ClusterSettings(bootstrap=bootstrap, namespace=namespace)
    kafka_topics.create(cluster, FEW_PARTITIONS)
    topic = ConfigResource(ResourceType.TOPIC, qualified(cluster.namespace, "leads.timers"))
    configure(bootstrap, topic, HARSH | GONE)
    slots = TimersSlots(cluster, tmp_path)
    try:
        yield Compacted(slots, Records(cluster))
    finally:
        for process in slots.running:
            if process.poll() is None:
                process.kill()
                process.wait()


def configure(bootstrap: str, resource: ConfigResource, settings: Mapping[str, str]) -> None:
    entries = [
        ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET) for name, value in settings.items()
    ]
    asked = ConfigResource(resource.restype, resource.name, incremental_configs=entries)
    admin = AdminClient(admin_config(ClusterSettings(bootstrap=bootstrap)))
    for future in admin.incremental_alter_configs([asked]).values():
        future.result(120)


def away_for_days(folder: Path) -> None:
    """Set back when the indexes of a slot were last written: what is measured by it is as if it had been away so long.

    The broker has really dropped the tombstones; days of waiting are what is spared.
    """
    for part in folder.iterdir():
        index = open_index(part)
        position = index.position()
        assert position is not None
        index.fold({}, replace(position, written_at=position.written_at - 0.6 * DELETE_RETENTION_SECONDS))
        index.close()


def test_a_slot_that_returns_after_the_tombstones_are_gone_fires_nothing_that_was_cancelled(
    compacted: Compacted,
) -> None:
    """Its index has the cancelled wake-ups; the topic says nothing of them any more."""
    for wait in WAITS:
        first = compacted.start()
        due_at = datetime.now(UTC) + timedelta(seconds=wait)
        doomed, kept = ({f"{name}/{wait}/{n}" for n in range(20)} for name in ("doomed", "kept"))
        compacted.records.write("leads.timers", [armed(key, due_at) for key in doomed | kept])
        all_taken(compacted.records, str(wait))
        first.kill()
        first.wait()
        before = fired(compacted.records.read_all("leads.scored"))
        if not before.keys() & (doomed | kept):
            break
    assert not before.keys() & (doomed | kept), "this machine takes a minute to take 40 armings"
    compacted.records.write("leads.timers", [Outgoing(key, None) for key in doomed])
    compacted.cleaned("doomed/", "the cancelled wake-ups and their tombstones to be gone")
    away_for_days(compacted.slots.folder / "here" / compacted.slots.cluster.namespace / "timers-0")
    compacted.start()
    eventually(lambda: datetime.now(UTC) > due_at, "all to be due", 240)
    compacted.records.read_until(["leads.scored"], lambda found: fired(found).keys() >= kept)
    all_taken(compacted.records, "again")
    now = fired(compacted.records.read_all("leads.scored")) - before
    assert {key: times for key, times in now.items() if not key.startswith("canary/")} == dict.fromkeys(kept, 1)
    assert '"wiped": [0, 1]' in compacted.slots.log()


def test_kills_while_the_topic_is_compacted_lose_no_wake_up_and_fire_none_twice(compacted: Compacted) -> None:
    """Armed, armed again, cancelled, fired and armed after their fire, with a restore after each kill."""
    process = compacted.start()
    expected: dict[str, int] = {}
    for turn in range(3):
        now = datetime.now(UTC)
        far, soon = now + timedelta(days=1), now + timedelta(seconds=2)
        keys = [f"lead/{n}" for n in range(60)]
        compacted.records.write("leads.timers", [armed(key, far) for key in keys])
        compacted.records.write("leads.timers", [armed(key, soon) for key in keys[:30]])
        for key in keys[:30]:
            expected[key] = expected.get(key, 0) + 1
        process.kill()  # before, while or after they fire
        process.wait()
        compacted.records.write("leads.timers", [armed(key, soon) for key in keys[30:45]])
        compacted.records.write("leads.timers", [Outgoing(key, None) for key in keys[30:]])
        compacted.deduplicated("lead/0")
        process = compacted.start(machine="here" if turn % 2 else f"new-{turn}")
        total = sum(expected.values())
        compacted.records.read_until(["leads.scored"], lambda found, least=total: len(found) >= least, 240)  # type: ignore[misc]
    compacted.cleaned("lead/", "all that fired or was cancelled to be gone from the topic")
    process.kill()
    process.wait()
    compacted.start(machine="last")
    compacted.records.write("leads.timers", [armed("canary", datetime.now(UTC))])
    found = compacted.records.read_until(["leads.scored"], lambda found: fired(found)["canary"] == 1, 240)
    assert fired(found) == expected | {"canary": 1}
