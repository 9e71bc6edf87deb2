"""End to end: raw to assigned through the real stages, beside four bare transactional hops; memory; kill to commit."""

import signal
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import orjson
from confluent_kafka import Consumer
from confluent_kafka.admin import AdminClient, NewTopic

from schemas.topics import PARTITIONS, TOPICS, KeyedBy
from tests.bench import inputs
from tests.bench.arrivals import LEAD_IN_SECONDS, Latency, measure
from tests.bench.process import python, resident_bytes, running
from tests.bench.progress import committed, ends, watching
from tests.bench.setting import Setting, prepared, stage
from tests.records import Outgoing

STAGES = ("enrich", "pending", "track", "score", "assign", "notify", "timers")
SECONDS = 10
# Before anything is measured: a broker that has just started answers ten times slower than one that ran for 20 s.
WARM_RATE = 100


@dataclass(frozen=True, slots=True)
class Chain:
    """own, hops: a latency a rate. resident: stage -> bytes, after the load."""

    own: list[Latency]
    hops: list[Latency]
    resident: dict[str, int]


def own_chain(bootstrap: str, folder: Path, rates: tuple[int, ...]) -> tuple[list[Latency], dict[str, int]]:
    """Measure leads.raw to leads.assigned with all stages running."""
    setting = prepared(bootstrap, "bench-chain", folder)
    with ExitStack() as all_of_them:
        processes = {name: all_of_them.enter_context(stage(setting, name)) for name in STAGES}
        _warm(setting)
        _caught_up(setting)
        found = [
            measure(
                setting.cluster,
                setting.full("leads.raw"),
                setting.full("leads.assigned"),
                _named(rate, f"own{rate}"),
                rate,
                _lead_event,
            )
            for rate in rates
        ]
        return found, {name: resident_bytes(process) for name, process in processes.items()}


def hop_chain(bootstrap: str, name: str, rates: tuple[int, ...]) -> list[Latency]:
    """Measure four copy loops in a row, over the same records. name: of its topics and groups, new to the broker."""
    admin = AdminClient({"bootstrap.servers": bootstrap})
    names = [f"{name}{number}" for number in range(5)]
    made = admin.create_topics([NewTopic(name, PARTITIONS[KeyedBy.PERSON], 1) for name in names])
    for one in made.values():
        one.result(timeout=30)
    from streams.kafka.config import ClusterSettings

    with ExitStack() as loops:
        for number in range(4):
            command = python("-m", "tests.bench.copy_loop", bootstrap, f"{name}-{number}", *names[number : number + 2])
            loops.enter_context(running(command))
        settings = ClusterSettings(bootstrap=bootstrap)
        measure(settings, names[0], names[4], _named(WARM_RATE, "warm"), WARM_RATE, _record_id)
        return [measure(settings, names[0], names[4], _named(rate, f"hop{rate}"), rate, _record_id) for rate in rates]


def kill_to_commit(bootstrap: str, folder: Path, times: int) -> list[float]:
    """Return seconds from SIGKILL of SCORE, started again at once, to its next commit, under a load of its own."""
    setting = prepared(bootstrap, "bench-kill", folder)
    topic = setting.full("leads.enriched")
    found = []
    total = 0
    with watching(bootstrap, setting.full("score")) as reader:
        for round_number in range(times):
            with stage(setting, "score") as process:
                setting.records.write("leads.enriched", _later(round_number, 0))
                total += 50
                _until(reader, topic, total)
                process.send_signal(signal.SIGKILL)
                killed = time.perf_counter()
            with stage(setting, "score"):
                setting.records.write("leads.enriched", _later(round_number, 1))
                total += 50
                _until(reader, topic, total - 49)
                found.append(time.perf_counter() - killed)
                _until(reader, topic, total)
    return found


def _until(reader: Consumer, topic: str, goal: int) -> None:
    deadline = time.monotonic() + 60
    while committed(reader, topic, PARTITIONS[KeyedBy.PERSON]) < goal:
        if time.monotonic() > deadline:
            raise TimeoutError(f"SCORE did not commit {goal} records of {topic}")
        time.sleep(0.01)


def _later(round_number: int, half: int) -> list[Outgoing]:
    start = (round_number * 2 + half) * 50
    return list(inputs.enriched(start + 50))[start:]


def _caught_up(setting: Setting) -> None:
    """Wait until what the warm-up left to those after ASSIGN is worked off: it is no part of the rate measured."""
    deadline = time.monotonic() + 60
    for group, topic in (("assign", "leads.scored"), ("notify", "leads.assigned"), ("track", "leads.notified")):
        partitions, full = PARTITIONS[TOPICS[topic].keyed_by], setting.full(topic)
        with watching(setting.cluster.bootstrap, setting.full(group)) as reader:
            # Marks at the end of a transaction have offsets too, and nobody commits those: a few may be the last.
            goal = sum(ends(setting.cluster.bootstrap, full, partitions).values()) - 2 * partitions
            while committed(reader, full, partitions) < goal:
                if time.monotonic() > deadline:
                    raise TimeoutError(f"{group} did not catch up with {topic} within a minute of the warm-up")
                time.sleep(0.1)


def _warm(setting: Setting) -> None:
    measure(
        setting.cluster,
        setting.full("leads.raw"),
        setting.full("leads.assigned"),
        _named(WARM_RATE, "warm"),
        WARM_RATE,
        _lead_event,
    )


def _named(rate: int, name: str) -> list[Outgoing]:
    """Return leads for LEAD_IN_SECONDS and SECONDS at `rate`, each of a person of its own."""
    rows = []
    for number, row in enumerate(inputs.raw(rate * (LEAD_IN_SECONDS + SECONDS))):
        fields = orjson.loads(row.value)
        event_id = f"{name}-{number}"
        fields |= {"id": event_id, "email": f"{name}.{number}@company{number % 5000}.example"}
        rows.append(Outgoing(event_id, orjson.dumps(fields), {**row.headers, "ce_id": event_id}))
    return rows


def _lead_event(value: bytes) -> str | None:
    found = orjson.loads(value)
    return str(found["lead"]["event_id"]) if found.get("kind") != "escalated" else None


def _record_id(value: bytes) -> str | None:
    return str(orjson.loads(value)["id"])
