"""What a slot tells of itself."""

from datetime import UTC, datetime, timedelta
from urllib.request import Request, urlopen

import pytest
from prometheus_client import CollectorRegistry, Histogram

from streams.health import Health, serving
from streams.metrics import STEPS, RunnerMetrics


def lag_of(registry: CollectorRegistry) -> float:
    found = registry.get_sample_value("leadstream_streams_watermark_lag_seconds", {"stage": "score"})
    assert found is not None
    return found


def test_the_lag_in_seconds_goes_on_rising_while_a_stage_hangs() -> None:
    registry = CollectorRegistry()
    metrics = RunnerMetrics(registry, "score")
    assert lag_of(registry) == 0.0
    metrics.set_watermark(datetime.now(UTC) - timedelta(minutes=15))
    assert lag_of(registry) == pytest.approx(900, abs=120)
    metrics.set_watermark(datetime.now(UTC) - timedelta(hours=1))
    assert lag_of(registry) == pytest.approx(3600, abs=120)
    metrics.set_watermark(None)
    assert lag_of(registry) == 0.0


@pytest.mark.parametrize("step", STEPS)
def test_each_step_of_a_batch_has_a_series_from_the_start(step: str) -> None:
    registry = CollectorRegistry()
    RunnerMetrics(registry, "score")
    labels = {"stage": "score", "step": step}
    assert registry.get_sample_value("leadstream_streams_step_seconds_count", labels) == 0


@pytest.mark.parametrize(("accept", "has_exemplar"), [("application/openmetrics-text", True), ("text/plain", False)])
def test_exemplars_are_told_to_who_asks_for_open_metrics(accept: str, has_exemplar: bool) -> None:
    registry = CollectorRegistry()
    times = Histogram("leadstream_test_seconds", "A time.", registry=registry)
    times.observe(0.2, exemplar={"trace_id": "4bf92f3577b34da6a3ce929d0e0e4736"})
    with serving(Health(), registry, "127.0.0.1", 0) as port:
        request = Request(f"http://127.0.0.1:{port}/metrics", headers={"Accept": accept})
        with urlopen(request, timeout=60) as answer:
            said = answer.read().decode()
    assert ('trace_id="4bf92f3577b34da6a3ce929d0e0e4736"' in said) is has_exemplar
    assert 'leadstream_test_seconds_bucket{le="0.25"}' in said
