"""A lead goes from raw to notified through every stage, each its own process, on a real Kafka."""

from pathlib import Path

from streams.kafka.config import ClusterSettings
from tests.chaos.run import Plan, run
from tests.conftest import FEW_PARTITIONS


def test_twenty_leads_go_from_raw_to_notified(cluster: ClusterSettings, tmp_path: Path) -> None:
    outcome = run(cluster, Plan(leads=20, kills=0, per_second=20, ladder_seconds=2), tmp_path, FEW_PARTITIONS)
    evidence = outcome.evidence
    assert [one for verdict in outcome.verdicts for one in verdict.violations] == []
    assert set(outcome.exits.values()) == {0}
    assert len({row.about for row in evidence.scored if row.type == "lead.scored"}) == 20
    told = {row.key for row in evidence.settled if row.outcome == "delivered"}
    assert all(told & set(row.deliveries) for row in evidence.decided if row.kind == "assigned")
