"""A real run as its operators see it: every panel of every dashboard, and the traces of leads.

One run for the whole module: every stage and the meter, the intake, a Prometheus with the product's rules, a collector.
"""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from streams.kafka.config import ClusterSettings
from tests.broker import FoundBroker
from tests.lab.collector import Collector, collecting
from tests.observed.entrance import board, intake
from tests.observed.prometheus import Prometheus, prometheus
from tests.observed.scene import Scene, a_day, scene
from tools.dashboards import DASHBOARDS

SECONDS = 60.0
COMPANY = {"name": "Ada Api", "employees": 120, "country": "US", "industry": "saas"}
QUERIES = {
    f"{name} / {panel.title}: {query}": query
    for name, panels in DASHBOARDS.items()
    for panel in panels
    for query in panel.queries
}
CONTACT = (b"@acme-", b"Pat Person", b"Ada Api", b"+1212")


@dataclass(frozen=True, slots=True)
class Day:
    """A run with what watched it. collector: of traces."""

    running: Scene
    own: Prometheus
    collector: Collector


@pytest.fixture(scope="module")
def day(broker: FoundBroker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    cluster = ClusterSettings(bootstrap=broker.bootstrap, namespace=f"seen{time.time_ns() % 10**9}")
    folder: Path = tmp_path_factory.mktemp("observed")
    with ExitStack() as held:
        collector = held.enter_context(collecting())
        running = held.enter_context(scene(cluster, folder, {"LEADSTREAM_TRACES_URL": collector.url}))
        entrance = held.enter_context(intake(cluster, folder, {"LEADSTREAM_TRACES_URL": collector.url}))
        shown = held.enter_context(board(cluster, folder))
        targets = [f"127.0.0.1:{port}" for port in running.ports.values()] + [entrance, shown]
        own = held.enter_context(prometheus(folder / "prometheus", targets))
        for number in range(10):
            body = {"email": f"api{number}@acme-{number}-labs.com", "action": "demo", **COMPANY}
            assert httpx.post(f"http://{entrance}/leads", json=body, timeout=20).status_code == 202
            if number == 5:
                a_day(running)  # those before and after it: a rate needs both
        yield Day(running, own, collector)


def test_every_panel_shows_data(day: Day) -> None:
    missing = QUERIES
    deadline = time.monotonic() + SECONDS
    while missing := {title: query for title, query in missing.items() if not day.own.query(query)}:
        assert time.monotonic() < deadline, "never any data:\n" + "\n".join(missing)
        time.sleep(1)


def test_a_slow_bucket_leads_to_the_trace_of_a_lead(day: Day) -> None:
    now = time.time()
    params = {"query": "leadstream_business_step_seconds_bucket", "start": str(now - 600), "end": str(now)}
    series = httpx.get(f"{day.own.url}/api/v1/query_exemplars", params=params, timeout=20).json()["data"]
    traces = {one["labels"].get("trace_id") for row in series for one in row["exemplars"]}
    assert traces & {span.trace for span in day.collector.spans}


def test_a_lead_is_one_trace_over_all_stages_and_outside_calls(day: Day) -> None:
    wanted = {
        "intake lead.submitted",
        "enrich lead.submitted",
        "score lead.enriched",
        "assign lead.scored",
        "notify lead.decided",
        "timers wake.up",
        "meter lead.decided",
    }
    deadline = time.monotonic() + 20
    while True:
        by_trace: dict[str, set[str]] = {}
        for span in list(day.collector.spans):
            by_trace.setdefault(span.trace, set()).add(span.name)
        whole = [trace for trace, names in by_trace.items() if wanted | {"provider lab", "channel email"} <= names]
        if whole:
            break
        best = max(by_trace.values(), key=lambda names: len(names & wanted), default=set())
        assert time.monotonic() < deadline, f"no whole trace; the fullest has {sorted(best)}"
        time.sleep(0.5)
    spans = day.collector.trace(whole[0])
    by_id = {span.id: span for span in spans}
    chain = {span.name: by_id[span.parent].name for span in spans if span.parent in by_id}
    assert chain["enrich lead.submitted"] == "intake lead.submitted"
    assert chain["score lead.enriched"].split()[0] in ("enrich", "pending")
    assert chain["assign lead.scored"] == "score lead.enriched"
    assert chain["notify lead.decided"].split()[0] == chain["meter lead.decided"].split()[0] == "assign"
    assert chain["timers wake.up"].split()[0] == "assign"
    assert chain["channel email"].split()[0] == "notify"
    assert chain["provider lab"].split()[0] in ("enrich", "pending")


def test_the_intake_tells_of_what_it_took_and_of_no_request(day: Day) -> None:
    told = {span.name for span in day.collector.spans if span.service == "leadstream-intake"}
    assert told == {"intake lead.submitted"}


def test_neither_traces_nor_metrics_hold_contact_data(day: Day) -> None:
    served = [day.running.metrics_of(stage).encode() for stage in day.running.ports]
    assert day.collector.bodies
    assert all("leadstream_" in body.decode() for body in served)
    assert not [body for body in (*served, *day.collector.bodies) if any(one in body for one in CONTACT)]
