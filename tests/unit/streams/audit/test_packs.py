"""The audit packs, from journal entries alone."""

import csv
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from routing.policy import compile_policy
from schemas.account import Account
from schemas.decision import Decision, DecisionKind
from schemas.lead import Company, Fact
from schemas.rep import Rep
from schemas.wire import encode
from streams.audit.evidence import Evidence, folded
from streams.audit.monthly import monthly
from streams.audit.pack import Pack, Table, comma_separated, markdown, write
from streams.audit.period import first_monday, last_month, last_quarter, month, quarter
from streams.audit.quarterly import SPOT_CHECKED, quarterly
from tests.unit.streams.board.decisions import AT, decided, standing

MARCH = month("2026-03")
POLICY = compile_policy(Path("streams/demo/policy.yaml").read_text())


def entry(decision: Decision) -> dict[str, Any]:
    body = encode(decision.model_copy(update={"contact": None}))
    return {"type": "lead.scored", "input": {}, "outcome": [{"decision": orjson.loads(body or b"")}]}


def rated(number: int, value: float) -> dict[str, Any]:
    said = {"kind": "fit_rated", "lead_id": decided(number=number).lead_id, "value": value}
    return {"type": "activity.bound", "input": said, "outcome": []}


def evidence(*entries: dict[str, Any], **more: Any) -> Evidence:
    cases, ratings = folded(entries, MARCH)
    given: dict[str, Any] = {"reps": {}, "accounts": {}, "policies": {"main": POLICY}}
    return Evidence(MARCH, cases, ratings, **(given | more))


def rows(pack: Pack, name: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for table in pack.tables if table.name == name for row in table.rows]


def test_periods_are_whole_and_due_on_the_first_monday_after() -> None:
    assert (MARCH.start, MARCH.until) == (datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC))
    assert (MARCH.due, first_monday(2026, 6)) == (date(2026, 4, 6), date(2026, 6, 1))
    assert (last_month(date(2026, 1, 15)).name, last_quarter(date(2026, 1, 15)).name) == ("2025-12", "2025-Q4")
    assert (quarter("2026-Q4").until, last_quarter(date(2026, 7, 1)).name) == (
        datetime(2027, 1, 1, tzinfo=UTC),
        "2026-Q2",
    )


@pytest.mark.parametrize("said", ["2026-Q5", "2026", "Q1", "x-Q1"])
def test_what_is_no_quarter_is_refused(said: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        quarter(said)


def test_only_leads_of_the_period_that_are_no_test_are_counted() -> None:
    found = evidence(
        entry(decided(number=1)),
        entry(decided(number=2, arrived=AT + timedelta(days=40))),
        entry(decided(number=3, is_test=True)),
    )
    assert list(found.cases) == [decided(number=1).lead_id]


def test_the_monthly_pack_tells_what_went_wrong_and_by_whom() -> None:
    late = standing(breach="not_contacted", breach_charged_to="r-1")
    found = evidence(
        entry(decided(number=1)),
        entry(decided(DecisionKind.ESCALATED, 1, 301, sla=late)),
        entry(decided(DecisionKind.REASSIGNED, 1, 600, "r-2", sla=late, reason="Moved by ada: workload.")),
        entry(decided(number=2)),
        entry(decided(DecisionKind.CONTACTED, 2, 60, sla=standing(contacted_at=AT + timedelta(seconds=60)))),
        entry(decided(DecisionKind.CLOSED, 2, 90, None, sla=None, trace={"activity": "won"})),
        rated(2, 4),
        rated(1, 1),
        reps={"r-1": Rep(id="r-1", name="Ada", manager="gone"), "r-2": Rep(id="r-2", name="Ben", active=False)},
        accounts={"a.example": Account(domain="a.example", is_named=True, owner="r-2")},
    )
    pack = monthly(found)
    assert "2 leads arrived in 2026-03; 1 of them not contacted in time (50%)" in pack.opening
    assert "Monday 06 April 2026" in pack.opening
    assert [(row[0], row[-1]) for row in rows(pack, "roster")] == [
        ("r-1", "manager gone is not there; in no pool"),
        ("r-2", "deactivated, and still owns leads"),
    ]
    assert [row[-1] for row in rows(pack, "accounts")] == ["the owner is not there"]
    assert [row[-1] for row in rows(pack, "unexpected")] == ["moved by a person"]
    assert rows(pack, "reps") == [
        ("r-1", "Ada", 1, 0, "100%", 1, 1.0, 1, 0),
        ("r-2", "Ben", 1, 1, "0%", 0, None, 0, 0),
    ]
    assert rows(pack, "territories") == [("US", "", "pool-1", 2, 1, "50%")]
    assert rows(pack, "fit") == [("web", 2, 2.5)]


def test_the_quarterly_pack_checks_fifty_leads_and_the_same_each_time() -> None:
    fact = Fact(provider="apollo", at=AT)
    rows_of = []
    for number in range(80):
        decision = decided(number=number, company=Company(name="A", domain="a.example", employees=300))
        lead = decision.lead.model_copy(update={"facts": {"company.domain": fact}})
        rows_of.append(entry(decision.model_copy(update={"lead": lead})))
    pack = quarterly(evidence(*rows_of))
    chosen = [row[0] for row in rows(pack, "spot-check")]
    assert len(set(chosen)) == SPOT_CHECKED
    assert chosen == [row[0] for row in rows(quarterly(evidence(*reversed(rows_of))), "spot-check")]
    assert ("apollo", "company.domain", 80, "100%") in rows(pack, "coverage")
    assert ("nobody", "company.industry", 80, "100%") in rows(pack, "coverage")
    assert {row[1] for row in rows(pack, "rules") if row[3]} == {"mid-market"}
    assert [row[3] for row in rows(pack, "paths")] == [80]
    assert any(row[1] in ("error", "warning") for row in rows(pack, "conflicts"))


def test_a_pack_without_leads_is_still_a_pack(tmp_path: Path) -> None:
    for pack in (monthly(evidence()), quarterly(evidence())):
        files = write(pack, tmp_path)
        assert files[0].name == "README.md"
        assert "Nothing." in files[0].read_text()


def test_a_cell_is_never_a_formula_nor_breaks_the_page() -> None:
    table = Table("t", "T", "s", ("a", "b"), [("=1+1", "x|y"), ("-", "@cmd")])
    assert list(csv.reader(comma_separated(table).splitlines()))[1:] == [["'=1+1", "x|y"], ["-", "'@cmd"]]
    assert "| =1+1 | x\\|y |" in markdown(Pack("p", "P", "o", (table,)))
