"""ENRICH, TRACK and SCORE away for many contact windows, on a real broker: nobody loses a lead that they had called.

`python -m tests.chaos.outage` is the same for 24 windows, as many as two hours have.
"""

from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from streams.kafka.config import ClusterSettings
from tests.chaos.outage import HOLD_SECONDS, Outcome, Plan, TooSlow, run
from tests.conftest import FEW_PARTITIONS

WINDOW_SECONDS = (6, 20, 60)
MEASURED_SECONDS = 3  # the lag is read once a second, and believed for this long


def outage(cluster: ClusterSettings, folder: Path) -> Outcome:
    """Return what an outage came to; a machine that is too busy to call within one contact window gets a longer one."""
    for window in WINDOW_SECONDS:
        plan = Plan(leads=8, meanwhile=3, window_seconds=window, windows=4)
        of_its_own = cluster.model_copy(update={"namespace": f"{cluster.namespace}-{window}"})
        with suppress(TooSlow):
            return run(of_its_own, plan, folder / str(window), FEW_PARTITIONS)
    raise AssertionError(f"this machine does not report four calls in {WINDOW_SECONDS[-1]} s")


def test_an_outage_takes_no_lead_from_whoever_had_called(cluster: ClusterSettings, tmp_path: Path) -> None:
    outcome = outage(cluster, tmp_path)
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
