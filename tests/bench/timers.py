"""What a pending wake-up costs TIMERS: memory, restore, fires at 10k, 100k and 1M; the index alone, then on Kafka.

`python -m tests.bench.timers` measures the index alone and draws docs/timers-cost.svg.
"""

import json
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
from confluent_kafka import KafkaException, Producer

from schemas.timer import TIMER_ARMED, TimerArmed
from schemas.topics import PARTITIONS
from schemas.wire import encode
from streams.kafka import topics as kafka_topics
from streams.kafka.config import ClusterSettings, plain_producer_config
from streams.store.store import Position
from streams.timers.index import entry, microseconds, open_index
from streams.timers.loop import FIRE_LIMIT
from tests.bench import fire_loop
from tests.bench.plot import svg
from tests.bench.process import python, resident_bytes, running
from tests.bench.progress import ends
from tests.bench.setting import ROOT, Setting

SIZES = (10_000, 100_000, 1_000_000)
WAIT_SECONDS = 600.0
BACKLOG = 60_000  # ten minutes of 100 armings a second
PLOTTED = (10_000, 30_000, 100_000, 300_000, 1_000_000)
BARE = 100_000  # fires of the bare loop: its records are all made before
CHUNK = 500  # armings between two looks at what is due, as the loop takes them
HEADERS: dict[str, str | bytes | None] = {"ce_type": TIMER_ARMED, "ce_schemaversion": "1"}
FAR = timedelta(days=2)
_SCRAMBLE = 0x9E3779B97F4A7C15F39CC0605CEDC835  # odd: no two numbers come to one key


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one wake-up with `pending` others waiting, in microseconds of processor time, RocksDB's threads included: to
    arm one on disk, to find and drop a due one."""

    pending: int
    arm_us: float
    fire_us: float


def run(bootstrap: str, folder: Path, sizes: tuple[int, ...] = SIZES) -> dict[str, Any]:
    """Return the figures by name."""
    found: dict[str, Any] = {}
    for size in sizes:
        cost = index_cost(folder / f"index-{size}", size)
        found[f"timers {size:,} pending, index"] = {
            "arm us": round(cost.arm_us, 1),
            "fire us": round(cost.fire_us, 1),
        }
    found["timers, ten minutes of armings at once"] = {
        name: round(value, 2) for name, value in backlog(bootstrap, folder).items()
    }
    empty = on_kafka(bootstrap, folder, 0)
    for size in sizes:
        pending = on_kafka(bootstrap, folder, size)
        found[f"timers {size:,} pending, on Kafka"] = {
            "MB over empty": round((pending["resident"] - empty["resident"]) / 1e6),
            "restore s": round(pending["restore"], 2),
            "MB over empty, restarted": round((pending["restarted"] - empty["restarted"]) / 1e6),
            "fires per second": round(pending["fires"]),
            "bare loop per second": round(pending["bare"]),
            "ratio": round(pending["fires"] / pending["bare"], 2),
        }
    return found


def index_cost(folder: Path, pending: int) -> Cost:
    """Fill an index with `pending` entries far ahead, then arm and fire a tenth as many that are due."""
    index = open_index(folder)
    body = bytes(8) + b'leads.scored\0main\0\0{"epoch":1}'
    far_us = microseconds(datetime.now(UTC) + FAR)
    for start in range(0, pending, 10_000):
        rows = [(_key(n).encode(), entry(far_us + n, body)) for n in range(start, min(start + 10_000, pending))]
        index.load(rows, Position("bench", start, 0.0))
    index.flush()
    count = 40_000
    began = time.process_time()
    for start in range(0, count, CHUNK):
        rows = [(_key(pending + n).encode(), entry(1_000_000 + n, body)) for n in range(start, start + CHUNK)]
        index.take(rows, Position("bench", pending + start, 0.0))
    armed = time.process_time()
    left = count
    while left:
        due = index.due(10**9, FIRE_LIMIT)
        index.remove(due)
        left -= len(due)
    fired = time.process_time()
    index.close()
    return Cost(pending, (armed - began) / count * 1e6, (fired - armed) / count * 1e6)


def backlog(bootstrap: str, folder: Path, records: int = BACKLOG) -> dict[str, float]:
    """Let `records` armings come in at once; return the worst lateness of wake-ups that fall due meanwhile.

    Of those that TIMERS had before, and of those that are armed for at once in the backlog itself: they are read when
    all before them has been. From due to what Kafka has as the time of the wake-up's record.
    """
    setting = Setting(ClusterSettings(bootstrap=bootstrap, namespace="bench-timers-backlog"), folder, "")
    kafka_topics.create(setting.cluster, PARTITIONS)
    topic = setting.full("leads.timers")
    producer = Producer(plain_producer_config(setting.cluster) | {"linger.ms": 20})
    with _slot(setting, "backlog"):
        _caught_up(setting, "backlog")
        begin = datetime.now(UTC) + timedelta(seconds=2)
        for n in range(100):  # one each 50 ms, from before the burst until well after it
            producer.produce(
                topic, encode(_armed(begin + timedelta(milliseconds=50 * n))), f"before/{n}", headers=HEADERS
            )
        producer.flush()
        setting.records.read_until(["leads.scored"], bool, WAIT_SECONDS)
        far = encode(_armed(datetime.now(UTC) + FAR))
        for n in range(records):
            is_due = n % 1_000 == 500
            value = encode(_armed(datetime.now(UTC))) if is_due else far
            producer.produce(topic, value, f"within/{n}" if is_due else _key(n), headers=HEADERS)
            producer.poll(0)
        producer.flush()
        due = 100 + records // 1_000
        fired = setting.records.read_until(["leads.scored"], lambda seen: len(seen) >= due, WAIT_SECONDS)
    late: dict[str, float] = {}
    for one in fired:
        name = f"armed {one.json['waker'].partition('/')[0]}, worst s"
        seconds = one.timestamp_ms / 1_000 - datetime.fromisoformat(one.json["due_at"]).timestamp()
        late[name] = max(seconds, late.get(name, 0.0))
    return {"records": records, **late}


def on_kafka(bootstrap: str, folder: Path, pending: int) -> dict[str, float]:
    """Arm `pending` wake-ups, let a slot take them, measure it, restart it without its folder, let all fall due.

    Returns resident and restarted (bytes, once caught up), restore (seconds) and, with any pending, fires and bare (a
    second; the latter of a bare loop that writes the same records).
    """
    setting = Setting(ClusterSettings(bootstrap=bootstrap, namespace=f"bench-timers-{pending}"), folder, "")
    kafka_topics.create(setting.cluster, PARTITIONS)
    _arm(setting, pending, datetime.now(UTC) + FAR)
    with _slot(setting, "first") as process:
        _caught_up(setting, "first")
        resident = resident_bytes(process)
    shutil.rmtree(setting.environ["LEADSTREAM_STATE_DIR"])
    with _slot(setting, "second") as process:
        restore = _caught_up(setting, "second")
        restarted = resident_bytes(process)
    found = {"resident": float(resident), "restarted": float(restarted), "restore": restore}
    if not pending:
        return found
    fires = _fires(setting, pending)
    return found | {"fires": fires, "bare": fire_loop.per_second(setting, min(pending, BARE))}


def _fires(setting: Setting, pending: int) -> float:
    """Arm all of them anew, due at once, and return the fires a second of a slot that starts with them."""
    _arm(setting, pending, datetime.now(UTC) - timedelta(hours=1))
    first: tuple[float, int] | None = None
    deadline = time.monotonic() + WAIT_SECONDS
    with _slot(setting, "third"):
        while time.monotonic() < deadline:
            seen, now = _written(setting), time.monotonic()
            if first is None and seen:
                first = (now, seen)
            if first is not None and seen >= pending:
                return (seen - first[1]) / max(now - first[0], 0.001)
            time.sleep(0.05)
    raise TimeoutError(f"{pending} wake-ups did not fire in {WAIT_SECONDS} s")


def _written(setting: Setting) -> int:
    try:
        return sum(ends(setting.cluster.bootstrap, setting.full("leads.scored"), 6).values())
    except KafkaException:  # a busy broker that has just made the topics
        return 0


def _arm(setting: Setting, count: int, due_at: datetime) -> None:
    producer = Producer(plain_producer_config(setting.cluster) | {"linger.ms": 20})
    topic, value = setting.full("leads.timers"), encode(_armed(due_at))
    for n in range(count):
        if n % 5_000 == 0:
            producer.flush()
            value = encode(_armed(due_at + timedelta(milliseconds=n)))
        producer.produce(topic, value, _key(n), headers=HEADERS)
        producer.poll(0)
    producer.flush()


def _armed(due_at: datetime) -> TimerArmed:
    data = {"epoch": 1}
    return TimerArmed(due_at=due_at, topic="leads.scored", to_key="main", data=data, armed_at=datetime.now(UTC))


def _key(number: int) -> str:
    """Return a key in no order, as those of persons are: keys in order find each other's blocks in the cache."""
    return f"lead/main.{number * _SCRAMBLE % (1 << 128):032x}.1"


@contextmanager
def _slot(setting: Setting, name: str) -> Iterator[psutil.Process]:
    """Run TIMERS with its log in a file of its own."""
    log = _log(setting, name)
    run = f"exec {' '.join(python('-m', 'streams.cli.main', 'run', 'timers'))} >{log} 2>&1"
    with running(["/bin/sh", "-c", run], {**setting.environ, "LEADSTREAM_LOG_LEVEL": "info"}) as process:
        yield process


def _caught_up(setting: Setting, name: str) -> float:
    """Return what the restore took, in seconds, once it is done."""
    log = _log(setting, name)
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        for line in log.read_text().splitlines() if log.exists() else ():
            said = json.loads(line)
            if said.get("event") == "timers.caught_up":
                return float(said["elapsed_seconds"])
            if said.get("event") == "process.ended":
                raise RuntimeError(f"TIMERS ended before it caught up: {said['reason']}")
        time.sleep(0.05)
    raise TimeoutError(f"TIMERS did not catch up in {WAIT_SECONDS} s")


def _log(setting: Setting, name: str) -> Path:
    return setting.folder / f"{setting.cluster.namespace}-{name}.log"


def main() -> None:
    """Measure the index alone and draw it."""
    with tempfile.TemporaryDirectory(prefix="leadstream-bench-") as scratch:
        costs = [index_cost(Path(scratch) / str(size), size) for size in PLOTTED]
    for cost in costs:
        print(f"{cost.pending:>9,} pending: {cost.arm_us:5.1f} us to arm, {cost.fire_us:5.1f} us to find and drop")
    lines = {
        "to arm one": [(cost.pending, cost.arm_us) for cost in costs],
        "to find and drop one": [(cost.pending, cost.fire_us) for cost in costs],
    }
    title = "The index of TIMERS: processor time a wake-up"
    (ROOT / "docs" / "timers-cost.svg").write_text(svg(title, "wake-ups pending", "microseconds", lines))


if __name__ == "__main__":
    main()
