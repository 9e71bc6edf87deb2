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
from tests.waiting import eventually
from tools.dashboards import DASHBOARDS

SECONDS = 240.0
SHOWN_SECONDS = 60  # of a panel
COMPANY = {"name": "Ada Api", "employees": 120, "country": "US", "industry": "saas"}
QUERIES = {
    f"{name} / {panel.title}: {query}": query
    for name, panels in DASHBOARDS.items()
    for panel in panels
    for query in panel.queries
}
ARMING = frozenset({"enrich", "pending", "track", "score", "assign", "notify"})
CAUSES = {
    "enrich lead.submitted": frozenset({"intake"}),
    "provider lab": frozenset({"enrich", "pending"}),
    "score lead.enriched": frozenset({"enrich", "pending"}),
    "assign lead.scored": frozenset({"score"}),
    "notify lead.decided": frozenset({"assign"}),
    "meter lead.decided": frozenset({"assign"}),
    "channel email": frozenset({"notify"}),
    "timers wake.up": ARMING,  # of one lead several set wake-ups, each for its own sake
}
"""Span -> the stages whose spans may stand above it. A lead has several spans of one name."""
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
            assert httpx.post(f"http://{entrance}/leads", json=body, timeout=60).status_code == 202
            if number == 5:
                a_day(running)  # those before and after it: a rate needs both
        yield Day(running, own, collector)


def test_every_panel_shows_data(day: Day) -> None:
    missing = dict(QUERIES)

    def all_shown() -> bool:
        for title in [title for title, query in missing.items() if is_shown(query)]:
            del missing[title]
        return not missing

    def is_shown(query: str) -> bool:
        return bool(day.own.query(query) or day.own.query_over(query, SHOWN_SECONDS))

    eventually(all_shown, lambda: "data in:\n" + "\n".join(missing), SECONDS, look=0.5)


def test_a_slow_bucket_leads_to_the_trace_of_a_lead(day: Day) -> None:
    def traces_of_buckets() -> set[str | None]:
        now = time.time()
        params = {"query": "leadstream_business_step_seconds_bucket", "start": str(now - 600), "end": str(now)}
        series = httpx.get(f"{day.own.url}/api/v1/query_exemplars", params=params, timeout=60).json()["data"]
        return {one["labels"].get("trace_id") for row in series for one in row["exemplars"]}

    eventually(
        lambda: traces_of_buckets() & {span.trace for span in list(day.collector.spans)},
        "a trace that an exemplar names",
        SECONDS,
        look=0.5,
    )


def test_a_lead_is_one_trace_over_all_stages_and_outside_calls(day: Day) -> None:
    def of_whole_traces() -> list[dict[str, set[str]]]:
        return [above for above in causes_by_trace(day.collector) if not lacking(above)]

    def fullest() -> str:
        return (
            f"a whole trace; the fullest lacks {min(map(lacking, causes_by_trace(day.collector)), key=len, default=())}"
        )

    for above in eventually(of_whole_traces, fullest, look=0.5):
        stages = {name: {cause.split()[0] for cause in causes} for name, causes in above.items()}
        assert {name: stages[name] - allowed for name, allowed in CAUSES.items() if not stages[name] <= allowed} == {}
        assert "score lead.enriched" in above["assign lead.scored"]
        assert above["enrich lead.submitted"] == {"intake lead.submitted"}


def causes_by_trace(collector: Collector) -> list[dict[str, set[str]]]:
    """Return, a trace, the names of all spans that stand above spans of a name, of what has come so far."""
    spans = list(collector.spans)
    names = {span.id: span.name for span in spans}
    found: dict[str, dict[str, set[str]]] = {}
    for span in spans:
        if span.parent in names:
            found.setdefault(span.trace, {}).setdefault(span.name, set()).add(names[span.parent])
    return list(found.values())


def lacking(above: dict[str, set[str]]) -> set[str]:
    """Return what is still to come of a trace: spans with a cause, and a wake-up that ASSIGN set."""
    by_assign = any(cause.startswith("assign ") for cause in above.get("timers wake.up", ()))
    return (CAUSES.keys() - above.keys()) | (set() if by_assign else {"a wake-up of ASSIGN"})


def test_the_intake_tells_of_what_it_took_and_of_no_request(day: Day) -> None:
    def told() -> set[str]:
        return {span.name for span in list(day.collector.spans) if span.service == "leadstream-intake"}

    assert eventually(told, "a span of the intake") == {"intake lead.submitted"}


def test_neither_traces_nor_metrics_hold_contact_data(day: Day) -> None:
    served = [day.running.metrics_of(stage).encode() for stage in day.running.ports]
    assert day.collector.bodies
    assert all("leadstream_" in body.decode() for body in served)
    assert not [body for body in (*served, *day.collector.bodies) if any(one in body for one in CONTACT)]
