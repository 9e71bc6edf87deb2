"""What a process says of itself."""

import urllib.error
import urllib.request

import pytest
from prometheus_client import CollectorRegistry

from streams.health import Health, Phase, PortRefused, serving
from streams.metrics import RunnerMetrics


def status(port: int | None, path: str) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=60) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def test_the_three_paths_say_what_the_process_is() -> None:
    health = Health()
    registry = CollectorRegistry()
    RunnerMetrics(registry, "enrich").transactions.inc()
    with serving(health, registry, "127.0.0.1", 0) as port:
        assert status(port, "/health")[0] == 200
        assert status(port, "/ready")[0] == 503
        health.enter(Phase.RUNNING)
        assert status(port, "/ready") == (200, b'{"phase":"running","reason":""}')
        assert b'leadstream_streams_transactions_total{stage="enrich"} 1.0' in status(port, "/metrics")[1]
        health.enter(Phase.FAILED, "StoreFailed")
        assert status(port, "/ready") == (503, b'{"phase":"failed","reason":"StoreFailed"}')
        assert status(port, "/other")[0] == 404


def test_a_port_that_is_taken_is_named_with_the_setting_that_moves_it() -> None:
    registry = CollectorRegistry()
    with serving(Health(), registry, "127.0.0.1", 0) as port:
        told = pytest.raises(PortRefused, match=rf"127\.0\.0\.1:{port}.*LEADSTREAM_HTTP_PORT_BASE")
        with told, serving(Health(), registry, "127.0.0.1", port):
            pass


def test_a_loop_that_no_longer_goes_round_is_not_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    health = Health()
    health.enter(Phase.RUNNING)
    assert health.is_alive
    monkeypatch.setattr("streams.health.HUNG_SECONDS", 0.0)
    assert not health.is_alive
    health.enter(Phase.STARTING)
    assert health.is_alive
