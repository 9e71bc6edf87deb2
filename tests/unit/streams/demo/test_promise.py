"""The demo's scenario and what it counts as kept."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from enrichment.providers.directory import companies
from routing.finding import Severity
from routing.lint import lint
from routing.policy import compile_policy
from schemas.decision import Decision, DecisionKind, Owner, OwnerKind
from schemas.lead import Company, Contact, Lead
from schemas.rep import Rep
from streams.demo.promise import COMPANIES_MIN, LEADS_MIN, promises
from streams.demo.scenario import DUPLICATE_ID, PERSONAL_ID, SILENT_IDS, TooFewCompanies, scenario
from streams.demo.sinks import Arrived
from streams.demo.watched import Watched

AT = datetime(2026, 3, 10, 18, 14, tzinfo=UTC)
FOLDER = Path(__file__).parents[4] / "streams/demo"


def decision(event: str, kind: DecisionKind, owner: str, previous: str | None = None, lead: str = "") -> Decision:
    return Decision(
        decision_id=f"{event}/{kind}", lead_id=lead or f"main.{event}.1", division="main", person=event, kind=kind,
        cause="scored", at=AT, epoch=1, owner=Owner(kind=OwnerKind.REP, id=owner), reason="because",
        previous_owner=Owner(kind=OwnerKind.REP, id=previous) if previous else None, tier="T1", policy_hash="x",
        contact=Contact(name="Ada"),
        lead=Lead(event_id=event, person=event, submitted_at=AT, received_at=AT, company=Company(domain=f"{event}.x")),
    )  # fmt: skip


def kept(watched: Watched) -> dict[str, bool]:
    found = promises(scenario(companies()), watched, Arrived())
    return {one.what: one.is_kept for one in found}


def test_the_scenario_has_more_leads_and_companies_than_are_promised() -> None:
    made = scenario(companies())
    leads = [*made.silent, *made.regular, made.personal, made.original, made.duplicate]
    assert len(leads) == made.count >= LEADS_MIN
    assert len({lead.fields.get("company") for lead in leads}) > COMPANIES_MIN
    assert len({lead.id for lead in leads}) == len(leads)
    emails = [lead.fields["email"] for lead in leads]
    assert len(emails) - len(set(emails)) == 1  # the duplicate
    assert made == scenario(companies())


def test_too_few_companies_are_told() -> None:
    with pytest.raises(TooFewCompanies):
        scenario(companies()[:50])


def test_the_policy_and_roster_of_the_demo_have_no_errors() -> None:
    reps = [Rep.model_validate(row) for row in yaml.safe_load((FOLDER / "roster.yaml").read_text())["reps"]]
    found = lint(compile_policy((FOLDER / "policy.yaml").read_text()), reps)
    assert [one for one in found if one.severity is Severity.ERROR] == []
    assert len(reps) >= 20


def test_nothing_seen_keeps_nothing() -> None:
    assert not any(kept(Watched({})).values())


def test_an_escalation_counts_only_when_it_ends_at_another_rep() -> None:
    what = "Two hot leads that nobody called went to a second rep"
    watched = Watched({})
    for event in SILENT_IDS:
        watched.decided(decision(event, DecisionKind.ASSIGNED, "r-1"), AT)
        watched.decided(decision(event, DecisionKind.REASSIGNED, "r-1", "r-1"), AT)
    assert kept(watched)[what] is False
    for event in SILENT_IDS:
        watched.decided(decision(event, DecisionKind.REASSIGNED, "r-2", "r-1"), AT)
    assert kept(watched)[what] is True


def test_a_duplicate_counts_only_with_the_same_lead_and_owner() -> None:
    what = "A duplicate stays with its owner"
    original = scenario(companies()).original.id
    watched = Watched({})
    watched.decided(decision(original, DecisionKind.ASSIGNED, "r-1", lead="main.p.1"), AT)
    watched.decided(decision(DUPLICATE_ID, DecisionKind.TOUCHED, "r-2", lead="main.p.1"), AT)
    assert kept(watched)[what] is False
    watched.by_event.pop(DUPLICATE_ID)
    watched.decided(decision(DUPLICATE_ID, DecisionKind.TOUCHED, "r-1", lead="main.p.1"), AT)
    assert kept(watched)[what] is True


def test_a_personal_address_must_wait_in_review() -> None:
    what = "A lead with a personal address waits for review"
    watched = Watched({})
    watched.decided(decision(PERSONAL_ID, DecisionKind.ASSIGNED, "r-1"), AT)
    assert kept(watched)[what] is False


def test_the_lead_that_opened_the_way_is_not_counted() -> None:
    watched = Watched({})
    one = decision("demo-test", DecisionKind.ASSIGNED, "r-1")
    watched.decided(one.model_copy(update={"lead": one.lead.model_copy(update={"is_test": True})}), AT)
    assert watched.by_event == {}
