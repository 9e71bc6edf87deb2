"""5,000 leads with activity through all stages, 8 of them killed meanwhile: nothing lost, nothing doubled.

`make chaos` is the same with 100,000 leads and 20 kills. docs/exactly-once.md says what is promised.
"""

from pathlib import Path

import pytest

from streams.fault import FaultName
from streams.kafka.config import ClusterSettings
from tests.chaos.fleet import STAGES
from tests.chaos.laws import LAWS
from tests.chaos.run import Outcome, Plan, run
from tests.chaos.wrongs import WRONGS, spoilt
from tests.conftest import FEW_PARTITIONS

LEADS, KILLS = 5_000, 8


@pytest.mark.timeout(1_800)
def test_kills_lose_and_double_nothing(cluster: ClusterSettings, tmp_path: Path) -> None:
    plan = Plan(LEADS, KILLS, quiet_seconds=600)
    outcome = run(cluster, plan, tmp_path, FEW_PARTITIONS, print)
    assert [one for verdict in outcome.verdicts for one in verdict.violations] == []
    assert sum(outcome.kills.values()) >= KILLS
    assert set(outcome.exits.values()) == {0}, "SIGTERM ends every stage in order"
    assert {name.partition(" ")[0] for name in outcome.kills} == set(STAGES), "every stage was killed"
    assert {name.partition(" ")[2] for name in outcome.kills} > set(FaultName), "at every named point, and at random"
    _assert_the_checker_objects(outcome)


def _assert_the_checker_objects(outcome: Outcome) -> None:
    """What makes the verdict worth something: the same evidence with one thing wrong is not passed."""
    for name, spoil in WRONGS.items():
        wrong = spoilt(outcome.evidence, spoil)
        found = (verdict for law in LAWS for verdict in law(wrong, outcome.kept))  # no further than the first objection
        assert any(one.violations for one in found), f"not noticed: {name}"
