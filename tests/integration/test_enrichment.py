"""ENRICH and PENDING on a real broker beside providers that are dead or slow: counts only, no times.

The long runs with figures are `python -m tests.bench.enrichment outage` and `slow`.
"""

import os
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson
import psutil

from schemas.topics import TOPICS
from streams.kafka import topics as kafka_topics
from tests.bench.enrichment.flow import Flow, flowing
from tests.bench.process import python, running
from tests.broker import FoundBroker
from tests.lab.provider_server import Mood
from tests.lab.providers import providers_serving
from tests.waiting import eventually

RATE = 40
SECONDS = 4
LEADS = RATE * SECONDS
STAGES = ("enrich", "pending")


def test_no_lead_is_left_out_while_the_primary_is_dead_and_hardly_any_asks_it(
    broker: FoundBroker, namespace: str, tmp_path: Path
) -> None:
    with (
        providers_serving() as lab,
        flowing(broker.bootstrap, namespace, tmp_path, lab, STAGES, fast_seconds=0.3) as flow,
    ):
        assert flow.run("healthy", RATE, SECONDS).lost == 0
        healthy = lab.calls()
        assert healthy["primary"] >= LEADS and healthy["secondary"] == 0
        lab.turn("primary", Mood(down="fails"))
        # On a busy machine ENRICH has many leads at once, and asks for them all before the first failure is there.
        assert flow.run("opening", RATE, SECONDS / 8).lost == 0
        opened = lab.calls()
        assert flow.run("down", RATE, SECONDS).lost == 0
        down = lab.calls()
        late = waited_for(flow, "down")  # PENDING asks for these, behind a breaker of its own; on a quick machine none
        assert down["primary"] - opened["primary"] < LEADS / 4 + 2 * len(late), "the breaker opens after five failures"
        assert down["secondary"] - opened["secondary"] >= LEADS
        lab.turn("primary", Mood())
        lab.turn("secondary", Mood(slow_share=1, seconds=1.0, slow_seconds=1.0))
        assert flow.run("slow", RATE, SECONDS).lost == 0, "the second provider misses the fast deadline"
        records = flow.setting.records
        by_id = {row.json["lead"]["event_id"]: row.json["lead"] for row in records.read_all("leads.enriched")}
        assert waited_for(flow, "slow"), "slow answers go by leads.pending"
        assert told(flow)["primary"]["asked"] >= 2 * LEADS, "the report reads while the stages run"
        employees = [by_id[f"down-{number}"]["facts"]["company.employees"]["provider"] for number in range(LEADS)]
        assert set(employees) == {"secondary"}
        assert records.read_all("leads.dlq") == [] and "leads.dlq" in TOPICS
    kafka_topics.delete(flow.setting.cluster)


def test_killed_and_rebalanced_while_it_waits_and_asks_ahead_each_lead_comes_once(
    broker: FoundBroker, namespace: str, tmp_path: Path
) -> None:
    with (
        providers_serving() as lab,
        flowing(broker.bootstrap, namespace, tmp_path, lab, STAGES, fast_seconds=0.3) as flow,
        ThreadPoolExecutor(1) as beside,
    ):
        lab.turn("primary", Mood(seconds=0.2, slow_share=0.1, slow_seconds=0.6))
        beside_them = {**flow.environ, "LEADSTREAM_HTTP_PORT_BASE": "0"}
        passing = beside.submit(flow.run, "killed", RATE, 3 * SECONDS)
        for stage in ("enrich", "pending", "enrich"):
            asked = lab.calls()["primary"]
            eventually(  # where a slot comes back late, what waited is asked for at once: then there may be no more
                lambda asked=asked: passing.done() or lab.calls()["primary"] > asked + RATE,
                "leads that are asked for",
                seconds=120,
            )
            for process in flow.processes(stage):
                with suppress(psutil.NoSuchProcess):
                    process.kill()
        with running(python("-m", "streams.child", "enrich", "1", str(os.getpid())), beside_them):
            assert passing.result(300).lost == 0
        records = flow.setting.records
        enriched = [row.json for row in records.read_all("leads.enriched")]
        came = Counter(row["lead"]["event_id"] for row in enriched if not row.get("is_late"))
        assert set(came) >= {f"killed-{number}" for number in range(3 * LEADS)}
        assert {name: count for name, count in came.items() if count > 1} == {}
        assert records.read_all("leads.dlq") == []
    kafka_topics.delete(flow.setting.cluster)


def waited_for(flow: Flow, name: str) -> set[str]:
    """Return the leads of a run that went by leads.pending."""
    found = (row.json for row in flow.setting.records.read_all("leads.pending"))
    named = {row["lead"]["event_id"] for row in found if "lead" in row}
    return {one for one in named if one.startswith(f"{name}-")}


def told(flow: Flow) -> dict[str, dict[str, Any]]:
    """Return what `leadstream enrichment report` says of each provider."""
    command = [sys.executable, "-m", "streams.cli.main", "enrichment", "report", "--json"]
    said = subprocess.run(command, env={**os.environ, **flow.environ}, capture_output=True, text=True, check=True)
    return {row["provider"]: row for row in orjson.loads(said.stdout)["providers"]}
