"""ENRICH, TRACK and SCORE away for many contact windows, on a real broker: nobody loses a lead that they had called.

`python -m tests.chaos.outage` is the same for 24 windows, as many as two hours have.
"""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from streams.kafka.config import ClusterSettings
from tests.chaos.outage import HOLD_SECONDS, Plan, run
from tests.conftest import FEW_PARTITIONS

MEASURED_SECONDS = 3  # the lag is read once a second, and believed for this long


@pytest.mark.timeout(300)
def test_an_outage_takes_no_lead_from_whoever_had_called(topics: ClusterSettings, tmp_path: Path) -> None:
    plan = Plan(leads=8, meanwhile=3, window_seconds=6, windows=4)
    outcome = run(topics, plan, tmp_path, FEW_PARTITIONS)
    assert (len(outcome.contacted), len(outcome.silent), len(outcome.meanwhile)) == (4, 4, 3)
    assert (outcome.taken_away, outcome.moved_meanwhile) == (0, 0)
    for lead in outcome.contacted:
        (contact,) = outcome.of(lead, "contacted")
        assert "breach" not in contact["sla"], "in time, though learnt after the outage"
    assert [len(outcome.of(lead, "reassigned")) for lead in outcome.silent] == [1] * 4, "what was held is done"
    began, until = outcome.away
    surely = began + timedelta(seconds=HOLD_SECONDS + MEASURED_SECONDS + 1)
    alerts = [row for row in outcome.decisions if row["kind"] == "escalated"]
    behind = [row for row in alerts if surely < datetime.fromisoformat(row["at"]) < until]
    assert behind
    assert all(row["sla"]["is_unverified"] for row in behind)
