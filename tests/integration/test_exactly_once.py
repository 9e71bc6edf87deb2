"""5,000 leads with activity through all stages, 8 of them killed meanwhile: nothing lost, nothing doubled.

`make chaos` is the same with 100,000 leads and 20 kills. docs/exactly-once.md says what is promised.
"""

import copy
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from streams.kafka.config import ClusterSettings
from tests.chaos.evidence import Evidence
from tests.chaos.laws import verdicts
from tests.chaos.run import Outcome, Plan, run
from tests.conftest import FEW_PARTITIONS

LEADS, KILLS = 5_000, 8


def _lose_a_decision(evidence: Evidence) -> None:
    evidence.decided.pop(len(evidence.decided) // 2)


def _double_a_score(evidence: Evidence) -> None:
    row = next(row for row in evidence.scored if row.type == "lead.scored")
    evidence.scored.append(row)
    evidence.record_ids["leads.scored"].append(row.id)


def _swap_two_in_a_division(evidence: Evidence) -> None:
    rows = evidence.scored
    one = len(rows) // 2
    other = next(n for n in range(one + 1, len(rows)) if rows[n].group == rows[one].group)
    rows[one], rows[other] = rows[other], rows[one]


def _act_on_a_step_again(evidence: Evidence) -> None:
    row = next(row for row in evidence.decided if row.step and row.kind == "escalated")
    evidence.decided.append(row._replace(id="another", record_id="another"))


def _give_an_epoch_to_another(evidence: Evidence) -> None:
    place, row = next((n, row) for n, row in enumerate(evidence.decided) if row.kind == "escalated")
    evidence.decided[place] = row._replace(owner="someone-else")


def _forget_a_delivery(evidence: Evidence) -> None:
    evidence.settled.pop()


def _letter_twice(evidence: Evidence) -> None:
    evidence.letters.append(evidence.letters[0])


WRONGS: dict[str, Callable[[Evidence], None]] = {
    "a lost decision": _lose_a_decision,
    "a doubled score": _double_a_score,
    "two swapped in a division": _swap_two_in_a_division,
    "a step acted on again": _act_on_a_step_again,
    "two owners in an epoch": _give_an_epoch_to_another,
    "a delivery without outcome": _forget_a_delivery,
    "a dead letter twice": _letter_twice,
}


@pytest.mark.timeout(900)
def test_kills_lose_and_double_nothing(cluster: ClusterSettings, tmp_path: Path) -> None:
    plan = Plan(LEADS, KILLS, quiet_seconds=600)
    outcome = run(cluster, plan, tmp_path, FEW_PARTITIONS, print)
    assert [one for verdict in outcome.verdicts for one in verdict.violations] == []
    assert sum(outcome.kills.values()) >= KILLS
    assert set(outcome.exits.values()) == {0}, "SIGTERM ends every stage in order"
    assert len({name.partition(" ")[0] for name in outcome.kills}) == 7, "every stage was killed"
    _assert_the_checker_objects(outcome)


def _assert_the_checker_objects(outcome: Outcome) -> None:
    """What makes the verdict worth something: the same evidence with one thing wrong is not passed."""
    for name, spoil in WRONGS.items():
        spoilt = replace(
            copy.copy(outcome.evidence),
            decided=list(outcome.evidence.decided),
            scored=list(outcome.evidence.scored),
            settled=list(outcome.evidence.settled),
            letters=list(outcome.evidence.letters),
            record_ids={topic: list(ids) for topic, ids in outcome.evidence.record_ids.items()},
        )
        spoil(spoilt)
        assert any(one.violations for one in verdicts(spoilt, outcome.kept)), f"not noticed: {name}"
