"""Evidence with one thing wrong: what the laws must object to, or their verdict is worth nothing."""

from collections.abc import Callable
from dataclasses import replace

from tests.chaos.evidence import Evidence


def spoilt(evidence: Evidence, spoil: Callable[[Evidence], None]) -> Evidence:
    """Return a copy of `evidence` with `spoil` done to it."""
    copied = replace(
        evidence,
        enriched=list(evidence.enriched),
        scored=list(evidence.scored),
        decided=list(evidence.decided),
        journal=list(evidence.journal),
        settled=list(evidence.settled),
        letters=list(evidence.letters),
        record_ids={topic: list(ids) for topic, ids in evidence.record_ids.items()},
    )
    spoil(copied)
    return copied


def _lose_an_enriched(evidence: Evidence) -> None:
    evidence.enriched.pop()


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


def _lose_a_journal_record(evidence: Evidence) -> None:
    evidence.journal.pop(0)


WRONGS: dict[str, Callable[[Evidence], None]] = {
    "a lost enriched lead": _lose_an_enriched,
    "a lost journal record": _lose_a_journal_record,
    "a lost decision": _lose_a_decision,
    "a doubled score": _double_a_score,
    "two swapped in a division": _swap_two_in_a_division,
    "a step acted on again": _act_on_a_step_again,
    "two owners in an epoch": _give_an_epoch_to_another,
    "a delivery without outcome": _forget_a_delivery,
    "a dead letter twice": _letter_twice,
}
