"""TIMERS on a real broker: nothing early, nothing lost, nothing acted on twice, whatever is killed when."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from schemas.timer import TIMER_ARMED, TimerArmed
from schemas.wire import encode
from streams.kafka.config import ClusterSettings, plain_producer_config, qualified, uncommitted_consumer_config
from tests.records import Outgoing, Record, Records
from tests.waiting import READ_LOOK_SECONDS, eventually

EXIT_SECONDS = 240.0  # for a process to end, however busy the machine
WAITS = (2.5, 15, 40)  # seconds: a busy machine gets longer to take what is armed before it is due
ARMED_HEADERS = {"ce_type": TIMER_ARMED, "ce_schemaversion": "1"}


@dataclass(slots=True)
class TimersSlots:
    """Starts slots of TIMERS as processes of their own; each test's state folders are apart."""

    cluster: ClusterSettings
    folder: Path
    running: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    def start(self, slot: int = 0, machine: str = "here", fault: str = "") -> "subprocess.Popen[bytes]":
        environment = {
            **os.environ,
            "LEADSTREAM_BOOTSTRAP": self.cluster.bootstrap,
            "LEADSTREAM_NAMESPACE": self.cluster.namespace,
            "LEADSTREAM_STATE_DIR": str(self.folder / machine),
            "LEADSTREAM_HTTP_PORT_BASE": "0",
            "LEADSTREAM_FAULT": fault,
        }
        with (self.folder / f"{slot}.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "streams.child", "timers", str(slot), str(os.getpid())],
                env=environment,
                stderr=log,
            )
        self.running.append(process)
        return process

    def log(self, slot: int = 0) -> str:
        return (self.folder / f"{slot}.log").read_text()

    def caught_up(self, times: int = 1, slot: int = 0) -> None:
        try:
            eventually(lambda: self.log(slot).count("timers.caught_up") >= times, "timers.caught_up", 240)
        except AssertionError as error:
            raise AssertionError(self.log(slot)) from error


@pytest.fixture
def slots(topics: ClusterSettings, tmp_path: Path) -> Iterator[TimersSlots]:
    started = TimersSlots(topics, tmp_path)
    try:
        yield started
    finally:
        for process in started.running:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.kill()
                process.wait()


def armed(key: str, due_at: datetime, data: Mapping[str, object] | None = None) -> Outgoing:
    timer = TimerArmed(
        due_at=due_at, topic="leads.scored", to_key="main", data=dict(data or {}), armed_at=datetime.now(UTC)
    )
    return Outgoing(key, encode(timer), ARMED_HEADERS)


def fired(records: list[Record]) -> Counter[str]:
    return Counter(record.json["waker"] for record in records)


def earliness(record: Record) -> float:
    """Return by how many seconds a wake-up was written before it was due (Kafka's time, milliseconds)."""
    return datetime.fromisoformat(record.json["due_at"]).timestamp() - (record.timestamp_ms + 1) / 1_000


def test_a_wake_up_fires_once_when_it_is_due_and_leaves_a_tombstone(slots: TimersSlots, records: Records) -> None:
    slots.start()
    slots.caught_up()
    due_at = datetime.now(UTC) + timedelta(seconds=1)
    records.write("leads.timers", [armed("lead/a", due_at, {"epoch": 3})])
    (record,) = records.read_until(["leads.scored"], lambda found: len(found) >= 1)
    assert record.key == "main"
    assert record.headers["ce_type"] == "wake.up"
    assert record.json["waker"] == "lead/a"
    assert record.json["data"] == {"epoch": 3}
    assert datetime.fromisoformat(record.json["due_at"]) == due_at
    assert earliness(record) <= 0
    tombstones = records.read_until(["leads.timers"], lambda found: len(found) >= 2)
    assert [(r.key, r.value) for r in tombstones[1:]] == [("lead/a", None)]


def test_a_cancelled_wake_up_does_not_fire_and_a_later_arming_counts(slots: TimersSlots, records: Records) -> None:
    slots.start()
    slots.caught_up()
    for wait in WAITS:
        due_at = datetime.now(UTC) + timedelta(seconds=wait)
        cancelled, moved, last = (f"lead/{name}/{wait}" for name in ("cancelled", "moved", "last"))
        records.write(
            "leads.timers",
            [
                armed(cancelled, due_at),
                Outgoing(cancelled, None),
                armed(moved, due_at),
                armed(moved, due_at + timedelta(seconds=0.5)),
                armed(last, due_at + timedelta(seconds=1)),
            ],
        )
        all_taken(records, str(wait))
        if datetime.now(UTC) < due_at:
            break
    assert datetime.now(UTC) < due_at, "this machine takes half a minute to take five armings"
    found = records.read_until(["leads.scored"], lambda found: fired(found)[last] == 1)
    mine = [record for record in found if record.json["waker"] in (cancelled, moved, last)]
    assert fired(mine) == {moved: 1, last: 1}
    assert all(earliness(record) <= 0 for record in found)


def test_what_fell_due_while_nobody_ran_fires_once_oldest_first(slots: TimersSlots, records: Records) -> None:
    now = datetime.now(UTC)
    records.write("leads.timers", [armed("lead/cancelled", now - timedelta(seconds=50))])
    records.write("leads.timers", [armed(f"lead/{n:02}", now - timedelta(seconds=60 - n)) for n in range(40)])
    records.write("leads.timers", [Outgoing("lead/cancelled", None)])
    slots.start()
    found = records.read_until(["leads.scored"], lambda found: len(found) >= 40)
    assert [record.json["waker"] for record in found] == [f"lead/{n:02}" for n in range(40)]


def all_taken(records: Records, name: str) -> None:
    """Wait until TIMERS has taken all that was armed so far: what is armed after it, and overdue, has fired."""
    keys = {f"canary/{name}/{number}" for number in (0, 1)}
    overdue = datetime.now(UTC) - timedelta(seconds=1)
    canaries = [replace(armed(key, overdue), partition=number) for number, key in enumerate(sorted(keys))]
    records.write("leads.timers", canaries)
    records.read_until(["leads.scored"], lambda found: fired(found).keys() >= keys)


@pytest.mark.parametrize("fault", ["after-produce:3", "inside-commit:3", "after-commit-before-fold:3"])
def test_a_kill_at_a_named_point_of_a_fire_loses_none_and_doubles_none(
    slots: TimersSlots, records: Records, fault: str
) -> None:
    first = slots.start(fault=fault)
    slots.caught_up()
    due_at = datetime.now(UTC) + timedelta(seconds=1)
    records.write("leads.timers", [armed(f"lead/{n}", due_at + timedelta(milliseconds=5 * n)) for n in range(300)])
    more: list[str] = []

    def is_dead() -> bool:
        """A busy machine may fire all of those at once: each look arms one more, so that there is a third time."""
        if first.poll() is None:
            more.append(f"more/{len(more)}")
            records.write("leads.timers", [armed(more[-1], datetime.now(UTC))])
        return first.poll() is not None

    eventually(is_dead, f"the end at {fault}", look=READ_LOOK_SECONDS)
    assert first.wait(EXIT_SECONDS) == -signal.SIGKILL
    slots.start()
    wanted = {f"lead/{n}" for n in range(300)} | set(more)
    found = records.read_until(["leads.scored"], lambda found: fired(found).keys() >= wanted)
    slots.caught_up(2)
    assert fired(records.read_all("leads.scored")) == dict.fromkeys(wanted, 1)
    assert all(earliness(record) <= 0 for record in found)


def test_five_kills_while_hundreds_fall_due_lose_none_and_double_none(slots: TimersSlots, records: Records) -> None:
    start = datetime.now(UTC) + timedelta(seconds=1)
    keys = {f"lead/{n}" for n in range(1_500)}
    records.write(
        "leads.timers", [armed(key, start + timedelta(milliseconds=8 * n)) for n, key in enumerate(sorted(keys))]
    )
    process = slots.start()
    for kill in range(1, 6):
        records.read_until(["leads.scored"], lambda found, least=kill * 200: len(fired(found)) >= least, 240)  # type: ignore[misc]
        process.kill()
        process.wait()
        times = slots.log().count("timers.caught_up")
        process = slots.start()
    found = records.read_until(["leads.scored"], lambda found: len(fired(found)) >= len(keys), 240)
    slots.caught_up(times + 1)  # on a slow machine an earlier one may have fired the rest
    assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    assert process.wait(EXIT_SECONDS) == 0
    counted = fired(records.read_all("leads.scored"))
    assert set(counted) == keys
    assert set(counted.values()) == {1}
    assert all(earliness(record) <= 0 for record in found)


def test_a_slot_without_its_folder_finds_everything_in_the_topic(slots: TimersSlots, records: Records) -> None:
    now = datetime.now(UTC)
    records.write("leads.timers", [armed("lead/soon", now), armed("lead/later", now + timedelta(hours=1))])
    process = slots.start()
    records.read_until(["leads.scored"], lambda found: len(found) >= 1)
    process.send_signal(signal.SIGTERM)
    assert process.wait(EXIT_SECONDS) == 0
    records.write("leads.timers", [armed("lead/new", datetime.now(UTC))])
    slots.start(machine="elsewhere")
    records.read_until(["leads.scored"], lambda found: len(found) >= 2)
    assert fired(records.read_all("leads.scored")) == {"lead/soon": 1, "lead/new": 1}


def test_a_wake_up_tells_how_old_the_oldest_activity_is_that_nobody_handled(
    slots: TimersSlots, records: Records
) -> None:
    """TRACK is down: what was reported lies unread, and a reassign step must know."""
    slots.start()
    slots.caught_up()
    written_at = time.time()
    told_lag(records, "before", lambda lag, _: lag == 0)
    records.write("leads.activity", [Outgoing("x", {"kind": "called", "lead_id": "main.p.1"})])
    # Measured before the fire, of what was written after `written_at`: it can be no older than this when it fires.
    told_lag(records, "after", lambda lag, fired_at: 1 < lag <= fired_at - written_at)


def told_lag(records: Records, name: str, holds: Callable[[float, float], bool]) -> None:
    """Wait until a wake-up tells a lag of activity, in seconds, that `holds` with its time: one each half a second.

    Some may say nothing, or that it was measured a while ago: the broker answers when it can.
    """
    begin = datetime.now(UTC)
    records.write("leads.timers", [armed(f"{name}/{n}", begin + timedelta(seconds=n / 2)) for n in range(360)])
    records.read_until(
        ["leads.scored"],
        lambda found: any(
            holds(one.json.get("activity_lag_seconds", -1.0), one.timestamp_ms / 1_000)
            for one in found
            if one.json["waker"].startswith(name)
        ),
        180,
    )


@pytest.mark.parametrize("hours", [-1, 1], ids=["behind", "ahead"])
def test_a_broker_whose_clock_is_an_hour_off_makes_no_wake_up_early_or_late(
    slots: TimersSlots, records: Records, hours: int
) -> None:
    """Kafka tells its time by stamping records: those of the armings are an hour off."""
    slots.start()
    slots.caught_up()
    now = datetime.now(UTC)
    stamp = int((now + timedelta(hours=hours)).timestamp() * 1_000)
    producer = Producer(plain_producer_config(slots.cluster))
    topic = qualified(slots.cluster.namespace, "leads.timers")
    dues = {f"lead/{n}": now + timedelta(seconds=1 + n / 20) for n in range(20)}
    for key, due_at in dues.items():
        one = armed(key, due_at)
        assert isinstance(one.value, bytes)
        producer.produce(topic, one.value, key, headers=list(ARMED_HEADERS.items()), timestamp=stamp)
    assert producer.flush(120) == 0
    found = records.read_until(["leads.scored"], lambda found: len(found) >= 20)
    assert fired(found) == dict.fromkeys(dues, 1)
    assert all(earliness(record) <= 0 for record in found)
    assert all(earliness(record) > -1_800 for record in found)


def are_taken(cluster: ClusterSettings) -> bool:
    """Tell whether the group has committed all that is in leads.timers, but for the end of a transaction."""
    asker = Consumer(uncommitted_consumer_config(cluster) | {"group.id": qualified(cluster.namespace, "timers")})
    try:
        topic = qualified(cluster.namespace, "leads.timers")
        found = asker.committed([TopicPartition(topic, 0), TopicPartition(topic, 1)], timeout=60)
        ends = [asker.get_watermark_offsets(each, timeout=60, cached=False)[1] for each in found]
        return all(each.offset >= end - 1 for each, end in zip(found, ends, strict=True))
    finally:
        asker.close()


def test_a_stopped_slot_that_wakes_up_after_its_session_fires_nothing(slots: TimersSlots, records: Records) -> None:
    """The zombie has due entries on disk and has consumed nothing since: its offsets alone fence it."""
    zombie = slots.start(0)
    slots.caught_up()
    slots.start(1)
    slots.caught_up(slot=1)
    slots.caught_up(2)  # the zombie has one of the two partitions now
    keys: list[str] = []
    for wait in (12, 40, 120):  # seconds: a busy machine gets longer to take them all before the first is due
        due_at = datetime.now(UTC) + timedelta(seconds=wait)
        keys += [f"lead/{wait}/{n}" for n in range(100)]
        records.write("leads.timers", [armed(key, due_at) for key in keys[-100:]])
        eventually(lambda: are_taken(slots.cluster), "both slots to have taken the armings", 120, READ_LOOK_SECONDS)
        zombie.send_signal(signal.SIGSTOP)
        if datetime.now(UTC) < due_at:
            break
        zombie.send_signal(signal.SIGCONT)
    assert datetime.now(UTC) < due_at, "this machine takes two minutes to take a hundred armings"
    found = records.read_until(["leads.scored"], lambda found: len(fired(found)) >= len(keys), 240)
    zombie.send_signal(signal.SIGCONT)
    assert zombie.wait(EXIT_SECONDS) in (1, 3)
    again = records.read_all("leads.scored")
    assert len(again) == len(found) == len(keys)
    assert fired(again) == Counter(keys)


def test_two_slots_around_a_rebalance_fire_each_wake_up_once(slots: TimersSlots, records: Records) -> None:
    """A second slot takes over a partition while wake-ups fall due on both, and gives it back when it ends."""
    slots.start(0)
    slots.caught_up()
    early, late = ({f"lead/{half}{n}" for n in range(400)} for half in ("early", "late"))
    records.write("leads.timers", falling_due(early))
    records.read_until(["leads.scored"], lambda found: len(fired(found)) >= 50, 240)
    second = slots.start(1)
    slots.caught_up(slot=1)
    records.write("leads.timers", falling_due(late))
    records.read_until(["leads.scored"], lambda found: len(late & fired(found).keys()) >= 50, 240)
    keys = early | late
    second.send_signal(signal.SIGTERM)
    assert second.wait(EXIT_SECONDS) == 0
    found = records.read_until(["leads.scored"], lambda found: len(fired(found)) >= len(keys), 240)
    eventually(lambda: still_armed(records) == set(), "nothing to be armed", look=READ_LOOK_SECONDS)
    assert Counter(fired(records.read_all("leads.scored")).values()) == {1: len(keys)}
    assert all(earliness(record) <= 0 for record in found)


def falling_due(keys: set[str]) -> list[Outgoing]:
    """Return armings that fall due one after the other, 6 s in all, from a second from now on."""
    begin = datetime.now(UTC) + timedelta(seconds=1)
    return [armed(key, begin + timedelta(milliseconds=15 * n)) for n, key in enumerate(sorted(keys))]


def in_flight(slots: TimersSlots, records: Records) -> "subprocess.Popen[bytes]":
    """Return a slot that is stopped with three fires in its transaction, and arm and cancel behind its back."""
    overdue = datetime.now(UTC) - timedelta(seconds=5)
    with records.writing() as write:  # connected already: the broker ends the transaction after ten seconds
        write("leads.timers", [armed(f"lead/{name}", overdue) for name in ("plain", "cancelled", "again")])
        slot = slots.start(fault="after-produce:1:pause")
        eventually(lambda: psutil.Process(slot.pid).status() == psutil.STATUS_STOPPED, "the fire to be under way")
        again = armed("lead/again", datetime.now(UTC) + timedelta(seconds=2))
        write("leads.timers", [Outgoing("lead/cancelled", None), again])
    return slot


def still_armed(records: Records) -> set[str | None]:
    last = {record.key: record.value for record in records.read_all("leads.timers")}
    return {key for key, value in last.items() if value is not None}


def test_what_is_cancelled_or_armed_again_while_its_fire_is_under_way_fires_for_the_arming_before(
    slots: TimersSlots, records: Records
) -> None:
    """The waker decides (tests/worked/test_races.py); the new arming fires too, in its own time."""
    slot = in_flight(slots, records)
    slot.send_signal(signal.SIGCONT)
    found = records.read_until(["leads.scored"], lambda found: len(found) >= 4)
    eventually(lambda: still_armed(records) == set(), "nothing to be armed", look=READ_LOOK_SECONDS)
    assert fired(records.read_all("leads.scored")) == {"lead/plain": 1, "lead/cancelled": 1, "lead/again": 2}
    assert len({(record.json["waker"], record.json["due_at"]) for record in found}) == 4
    assert all(earliness(record) <= 0 for record in found)


def test_what_is_cancelled_or_armed_again_before_a_killed_fire_was_committed_does_not_fire(
    slots: TimersSlots, records: Records
) -> None:
    """The fire never was: the restart reads the cancel and the new arming before it fires anything."""
    slot = in_flight(slots, records)
    slot.kill()
    slot.wait()
    slots.start()
    found = records.read_until(["leads.scored"], lambda found: fired(found)["lead/again"] == 1, 240)
    eventually(lambda: still_armed(records) == set(), "nothing to be armed", look=READ_LOOK_SECONDS)
    assert fired(records.read_all("leads.scored")) == {"lead/plain": 1, "lead/again": 1}
    assert all(earliness(record) <= 0 for record in found)
