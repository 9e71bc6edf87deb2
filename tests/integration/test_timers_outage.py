"""TIMERS is killed and the broker goes away while wake-ups fall due: none early, lost, doubled or invented.

`make chaos` does the same with 100,000 wake-ups over five minutes, 10 kills and two minutes without a broker.
"""

import random
from pathlib import Path

from streams.broker.embedded import start
from streams.broker.ports import CHOICES
from tests.chaos.timers.plan import Plan
from tests.chaos.timers.run import run
from tests.conftest import FEW_PARTITIONS


def test_kills_and_an_outage_lose_and_double_no_wake_up(tmp_path: Path) -> None:
    plan = Plan(500, 15.0, 2, outage_seconds=5.0, lead_seconds=10.0)
    with start(tmp_path / "kafka", port=random.choice(CHOICES)) as broker:
        outcome = run(broker, plan, tmp_path, FEW_PARTITIONS, "chaos", print)
    # Lateness is judged by `make chaos`: here the machine may be at anything.
    exact = [one for one in outcome.verdicts if one.law != "late within limits"]
    assert [violation for one in exact for violation in one.violations] == []
    assert (len(outcome.expected), len(outcome.fires)) == (500, 500)
    assert sum(outcome.kills.values()) >= 2
    assert len(outcome.disturbed.outages) == 1
    assert set(outcome.exits.values()) == {0}
