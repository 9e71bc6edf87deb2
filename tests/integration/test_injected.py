"""Three faults, really made: the right alert fires, and no other page. `python -m tests.observed.inject` makes ten."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.kafka.config import ClusterSettings
from tests.broker import FoundBroker
from tests.observed.inject import CLEAR_SECONDS, injected, well, world
from tests.observed.injections import INJECTIONS, World
from tests.observed.prometheus import Prometheus
from tests.waiting import eventually

STAGES = ("enrich", "track", "score", "assign", "notify")
CLEARS_SLOWLY = "a flood of poison"
IN_THE_SUITE = ("a channel is down", "a stage is dead", CLEARS_SLOWLY)


@pytest.fixture(scope="module")
def running(broker: FoundBroker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, Prometheus]]:
    cluster = ClusterSettings(bootstrap=broker.bootstrap, namespace=f"inject{time.time_ns() % 10**9}")
    folder: Path = tmp_path_factory.mktemp("injected")
    with world(cluster, folder, STAGES) as (of, watching):
        eventually(lambda: well(watching, 2, 0) == set(), "two seconds without a page")
        yield of, watching


@pytest.mark.parametrize("name", IN_THE_SUITE)
def test_a_fault_raises_its_alert_and_no_other_page(running: tuple[World, Prometheus], name: str) -> None:
    of, watching = running
    seen = injected(of, watching, INJECTIONS[name], clear_seconds=0 if name == CLEARS_SLOWLY else CLEAR_SECONDS)
    assert seen.after is not None, f"{INJECTIONS[name].alert} did not fire: {seen}"
    assert name == CLEARS_SLOWLY or seen.cleared is not None, f"it did not clear: {seen}"
    assert seen.pages == set()
