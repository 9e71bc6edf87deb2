"""The laws pass a right run and object to each wrong one."""

from collections.abc import Callable
from typing import Any

import orjson
import pytest

from schemas.ids import derived_id
from tests.chaos.evidence import Decided, Evidence, Journalled, Kept, Letter, Passed, Settled
from tests.chaos.laws import implied_load, verdicts
from tests.chaos.upstream import Sent
from tests.chaos.wrongs import WRONGS, spoilt

ENRICHED = [derived_id(f"lead-{n}", "enrich", "0") for n in (1, 2)]
SCORED = [derived_id(one, "score", "0") for one in ENRICHED]
STEP = "0.5x:remind_owner"


def _decided(cause: str, lead: str, kind: str, **more: Any) -> Decided:
    row = Decided(
        id=f"{cause}#{kind}",
        record_id=f"{cause}#{kind}",
        lead_id=lead,
        person=lead,
        partition=0,
        division="main",
        kind=kind,
        cause=cause,
        epoch=1,
        owner_kind="rep",
        owner="R1",
        pool="hot",
        uses_turn=kind == "assigned",
        cycle=1,
        steps=(),
        step="",
        deliveries=(f"{cause}/R1/email",),
    )
    return row._replace(**more)


@pytest.fixture
def right() -> Evidence:
    """Two leads, the first one's owner reminded; one unreadable record."""
    sent = Sent(leads={"lead-1": 1, "lead-2": 1}, poison={(0, 7): b"?"})
    reminded = _decided("wake", "p1", "escalated", step=STEP, steps=((STEP, "2026-03-10T14:16:30+00:00"),))
    decided = [_decided(SCORED[0], "p1", "assigned"), _decided(SCORED[1], "p2", "assigned"), reminded]
    log = [
        *(Passed(one, "lead.scored", 0, "main", f"p{n}", f"lead-{n}", f"p{n}") for n, one in enumerate(SCORED, 1)),
        Passed("wake", "wake.up", 0, "main", "", "", ""),
    ]
    now = "2026-03-10T14:14:00Z"
    return Evidence(
        sent,
        enriched=[
            Passed(one, "lead.enriched", 0, f"p{n}", f"p{n}", f"lead-{n}", "") for n, one in enumerate(ENRICHED, 1)
        ],
        scored=log,
        decided=decided,
        journal=[
            Journalled("main", 1, (SCORED[0],), (now,), (decided[0].id,)),
            Journalled("main", 2, (SCORED[1], "wake"), (now, now), (decided[1].id, reminded.id)),
        ],
        settled=[Settled(key, "email", "delivered", False) for row in decided for key in row.deliveries],
        letters=[Letter("leads.raw", 0, 7, "enrich", "Poison", "not JSON", b"?")],
        record_ids={"leads.scored": [row.id for row in log]},
    )


@pytest.fixture
def kept() -> Kept:
    """What ASSIGN keeps after that."""
    state = {
        "pool/main/hot": {"turns": 2},
        "turn/main/hot/R1": {"given": 2},
        "rep/main/R1": {"load": 100, "leads": 2},
    }
    rows = {0: {key: orjson.dumps(value) for key, value in state.items()}}
    return Kept(folded={"assign": rows}, stored={"assign": rows}, replayed=3)


def test_a_right_run_is_passed(right: Evidence, kept: Kept) -> None:
    assert [one for verdict in verdicts(right, kept) for one in verdict.violations] == []


@pytest.mark.parametrize("spoil", WRONGS.values(), ids=WRONGS.keys())
def test_a_wrong_run_is_not_passed(right: Evidence, kept: Kept, spoil: Callable[[Evidence], None]) -> None:
    assert [one for verdict in verdicts(spoilt(right, spoil), kept) for one in verdict.violations]


@pytest.mark.parametrize("key", ["pool/main/hot", "turn/main/hot/R1", "rep/main/R1"])
def test_a_counter_that_differs_from_the_decisions_is_not_passed(right: Evidence, kept: Kept, key: str) -> None:
    rows = {0: dict(kept.folded["assign"][0])}
    rows[0][key] = orjson.dumps({"turns": 3, "given": 3, "load": 150, "leads": 3})
    wrong = Kept(folded={"assign": rows}, stored={"assign": rows})
    assert [one for verdict in verdicts(right, wrong) for one in verdict.violations]


def test_a_store_that_differs_from_its_changelog_is_not_passed(right: Evidence, kept: Kept) -> None:
    kept.stored["assign"] = {0: {}}
    assert [one for verdict in verdicts(right, kept) for one in verdict.violations]


def test_a_decision_that_replay_does_not_reproduce_is_not_passed(right: Evidence, kept: Kept) -> None:
    kept.unlike.append(SCORED[0])
    assert [one for verdict in verdicts(right, kept) for one in verdict.violations]


def test_a_decision_that_nothing_else_counts_is_missed_where_the_journal_has_it(right: Evidence, kept: Kept) -> None:
    noted = _decided("late", "p2", "noted", deliveries=())
    right.journal[1] = right.journal[1]._replace(decisions=(*right.journal[1].decisions, noted.id))
    found = [one.what for verdict in verdicts(right, kept) for one in verdict.violations]
    assert found == [f"lost {noted.id}"]
    right.decided.append(noted)
    assert [one for verdict in verdicts(right, kept) for one in verdict.violations] == []


def test_a_lead_that_moved_on_weighs_on_its_new_owner_alone() -> None:
    rows = [
        _decided("a", "p1", "assigned"),
        _decided("b", "p2", "assigned"),
        _decided("c", "p1", "reassigned", owner="R2"),
        _decided("d", "p2", "closed", owner=""),
    ]
    assert implied_load(rows) == {"rep/main/R2": (50, 1)}


@pytest.mark.parametrize(
    ("first", "passes"), [("failed", True), ("delivered", False)], ids=["all before failed", "one before delivered"]
)
def test_one_more_channel_is_passed_only_where_those_before_it_failed(
    right: Evidence, kept: Kept, first: str, passes: bool
) -> None:
    row = right.decided[0]
    (own,) = row.deliveries
    right.decided[0] = row._replace(fallbacks=(("more", (own,)),))
    right.settled[0] = right.settled[0]._replace(outcome=first)
    right.settled.append(Settled("more", "in_app", "delivered", False))
    assert ([one for verdict in verdicts(right, kept) for one in verdict.violations] == []) is passes
