"""What traces cost: the same stage over the same records, with spans exported and without, in turns."""

from pathlib import Path
from typing import Any

from schemas.topics import PARTITIONS, TOPICS
from tests.bench.progress import measure
from tests.bench.setting import prepared, stage
from tests.bench.throughput import CASES, Case
from tests.lab.collector import collecting

TURNS = 2
STAGES = ("track", "score")


def run(bootstrap: str, folder: Path, count: int) -> dict[str, Any]:
    """Return records a second with traces and without, best of each, and the spans that came, of each stage."""
    found: dict[str, Any] = {}
    for case in (one for one in CASES if one.stage in STAGES):
        rates: dict[bool, list[float]] = {False: [], True: []}
        spans = 0
        for turn in range(TURNS):
            for is_traced in (False, True):
                with collecting() as collector:
                    url = collector.url if is_traced else ""
                    rates[is_traced].append(_rate(bootstrap, folder, case, count, f"{turn}-{is_traced}".lower(), url))
                spans = len(collector.spans) if is_traced else spans
        plain, traced = max(rates[False]), max(rates[True])
        found[f"traces of {case.stage}"] = {
            "per second without": round(plain),
            "per second with": round(traced),
            "ratio": round(traced / plain, 2),
            "spans sent": f"{spans}/{count}",
        }
    return found


def _rate(bootstrap: str, folder: Path, case: Case, count: int, name: str, url: str) -> float:
    setting = prepared(bootstrap, f"bench-traces-{case.stage}-{name}", folder, rules=case.rules, reps=case.reps)
    setting.records.write(case.topic, case.records(count))
    partitions = PARTITIONS[TOPICS[case.topic].keyed_by]
    with stage(setting, case.stage, {"LEADSTREAM_TRACES_URL": url}):
        return measure(bootstrap, setting.full(case.stage), setting.full(case.topic), partitions).per_second
