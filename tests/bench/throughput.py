"""Records a second of each stage, beside a bare copy loop over the same records in the same run."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx
from confluent_kafka.admin import AdminClient, NewTopic
from prometheus_client.parser import text_string_to_metric_families

from schemas.topics import PARTITIONS, TOPICS
from streams.broker.ports import free_ports
from tests.bench import inputs
from tests.bench.process import python, resident_bytes, running
from tests.bench.progress import Rate, measure
from tests.bench.setting import Setting, prepared, stage
from tests.records import Outgoing


@dataclass(frozen=True, slots=True)
class Case:
    """One stage and what it reads."""

    stage: str
    topic: str
    records: Callable[[int], Iterator[Outgoing]]
    rules: int = 20
    reps: int = 10


CASES = (
    Case("enrich", "leads.raw", inputs.raw),
    Case("track", "leads.activity", inputs.activity),
    Case("score", "leads.enriched", inputs.enriched),
    Case("assign", "leads.scored", inputs.scored, rules=100, reps=200),
)


@dataclass(frozen=True, slots=True)
class Throughput:
    """ratio: the stage's rate over the copy loop's. steps: what the stage says of its time, microseconds a record.

    Steps are wall time, which others on the machine lengthen; processor: microseconds a record of the whole process,
    its start and the threads of its libraries included.
    """

    stage: str
    per_second: float
    copy_per_second: float
    resident_bytes: int
    steps: Mapping[str, int]
    processor: int

    @property
    def ratio(self) -> float:
        return self.per_second / self.copy_per_second


def run(bootstrap: str, folder: Path, case: Case, count: int) -> Throughput:
    """Measure one case with `count` records."""
    setting = prepared(bootstrap, f"bench-{case.stage}", folder, rules=case.rules, reps=case.reps)
    setting.records.write(case.topic, case.records(count))
    port = next(free_ports(25_000))
    with stage(setting, case.stage, {"LEADSTREAM_HTTP_PORT": str(port)}) as process:
        own = _rate(setting, case, setting.full(case.stage))
        resident = resident_bytes(process)
        steps = _steps(port, count)
        spent = process.cpu_times()
    copy = copied(setting, case, python("-m", "tests.bench.copy_loop"), "copy")
    processor = round((spent.user + spent.system) / count * 1e6)
    return Throughput(case.stage, own.per_second, copy.per_second, resident, steps, processor)


def _steps(port: int, count: int) -> dict[str, int]:
    """Return microseconds a record by step, from the stage's metrics page."""
    page = httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=10).text
    return {
        sample.labels["step"]: round(sample.value / count * 1e6)
        for family in text_string_to_metric_families(page)
        for sample in family.samples
        if sample.name == "leadstream_streams_step_seconds_sum"
    }


def copied(setting: Setting, case: Case, command: list[str], name: str) -> Rate:
    """Measure a pass-through over the case's records, to a topic of its own."""
    group, target = f"{setting.cluster.namespace}-{name}", f"{setting.full(case.topic)}-{name}"
    partitions = PARTITIONS[TOPICS[case.topic].keyed_by]
    admin = AdminClient({"bootstrap.servers": setting.cluster.bootstrap})
    for made in admin.create_topics([NewTopic(target, partitions, 1)]).values():
        made.result(timeout=30)
    with running([*command, setting.cluster.bootstrap, group, setting.full(case.topic), target]):
        return _rate(setting, case, group)


def _rate(setting: Setting, case: Case, group: str) -> Rate:
    partitions = PARTITIONS[TOPICS[case.topic].keyed_by]
    return measure(setting.cluster.bootstrap, group, setting.full(case.topic), partitions)
