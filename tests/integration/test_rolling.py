"""Every stage is restarted in order under load: nothing lost, nothing doubled, every process left when asked."""

from pathlib import Path

from streams.kafka.config import ClusterSettings
from tests.chaos.roller import ORDER, Roller
from tests.chaos.run import Plan, run
from tests.conftest import FEW_PARTITIONS
from tests.ports import free_base

LEADS = 300


def test_a_rolling_restart_under_load_loses_and_doubles_nothing(cluster: ClusterSettings, tmp_path: Path) -> None:
    shares = [0.05 + 0.1 * number for number in range(len(ORDER))]
    roller = Roller(free_base(), shares)
    outcome = run(cluster, Plan(LEADS, kills=0, per_second=30), tmp_path, FEW_PARTITIONS, roller=roller)
    assert [one for verdict in outcome.verdicts for one in verdict.violations] == []
    assert set(roller.pauses) == set(ORDER)
    assert set(outcome.exits.values()) == {0}
    assert roller.exits == [0] * len(ORDER)
