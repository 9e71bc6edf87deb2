"""What the packs are made from: the decisions of a period from the journal, and the tables as they are now."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import orjson

from routing.policy import Policy, compile_policy
from schemas.account import Account
from schemas.decision import Decision, DecisionKind
from schemas.lead import Lead
from schemas.poison import Poison
from schemas.rep import Rep
from streams.audit.pack import share
from streams.audit.period import Period
from streams.board.lead_row import LeadRow, Row, after_decision, lead_row
from streams.cli.policies import bodies, pointers
from streams.cli.records import latest, read, readable
from streams.kafka.config import ClusterSettings

BEFORE = timedelta(days=31)  # decisions before the period that the leads of its first days need


@dataclass(slots=True)
class Case:
    """One lead that arrived in the period. ended: the activity that closed it (won, lost, disqualified, ...)."""

    row: LeadRow
    lead: Lead
    first_owner: str | None
    ended: str | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """cases: lead id -> case. ratings: (source, value) of each fit rating. policies: division -> the active one."""

    period: Period
    cases: Mapping[str, Case]
    ratings: Sequence[tuple[str, float]]
    reps: Mapping[str, Rep]
    accounts: Mapping[str, Account]
    policies: Mapping[str, Policy] = field(default_factory=dict)


def evidence(cluster: ClusterSettings, period: Period) -> Evidence:
    """Read the journal and the tables. Raises what reading raises (ClusterUnreachable, TopicMissing, ReadStalled)."""
    journal = (
        entry
        for record, entries in readable(read(cluster, "decisions"), _entries)
        if entries is not None and period.start - BEFORE <= record.at < period.until + BEFORE
        for entry in entries
    )
    cases, ratings = folded(journal, period)
    published = bodies(cluster)
    active = {name: pointer.hash for name, pointer in pointers(cluster).items()}
    return Evidence(
        period,
        cases,
        ratings,
        {key: one.model for key, one in latest(cluster, "reps").items()},
        {key: one.model for key, one in latest(cluster, "accounts").items()},
        {name: compile_policy(published[body].text) for name, body in active.items() if body in published},
    )


def _entries(value: bytes) -> list[dict[str, Any]]:
    """Return a journal record's entries as plain data: their models would cost more than all that is asked of them."""
    fields = orjson.loads(value)
    if not isinstance(fields, dict) or not isinstance(fields.get("entries"), list):
        raise Poison("no journal record: it has no entries")
    return list(fields["entries"])


def folded(entries: Iterable[Mapping[str, Any]], period: Period) -> tuple[dict[str, Case], list[tuple[str, float]]]:
    """Return the cases of the leads that arrived in the period, and its fit ratings. Test leads are left out.

    entries: of the journal, in the order of each division's log, as JSON data.
    """
    cases: dict[str, _Told] = {}
    ratings: list[tuple[str, float]] = []
    for entry in entries:
        for outcome in entry["outcome"]:
            if "decision" in outcome:
                _take(cases, outcome["decision"])
        said = entry["input"]
        if entry["type"] == "activity.bound" and said.get("kind") == "fit_rated" and said.get("value") is not None:
            rated = cases.get(said.get("lead_id") or "")
            ratings.append((rated.lead.source or "unknown" if rated else "unknown", float(said["value"])))
    found = {key: Case(lead_row(one.row), one.lead, one.first_owner, one.ended) for key, one in cases.items()}
    kept = {key: case for key, case in found.items() if period.holds(case.row.received_at) and not case.row.is_test}
    return kept, ratings


@dataclass(slots=True)
class _Told:
    """What the journal told of a lead so far."""

    row: Row
    lead: Lead
    first_owner: str | None
    ended: str | None = None


def _take(cases: dict[str, _Told], said: Mapping[str, Any]) -> None:
    decision = Decision.model_validate(said)
    case = cases.get(decision.lead_id)
    if case is None:
        case = cases[decision.lead_id] = _Told(after_decision(None, said), decision.lead, decision.owner.id)
    else:
        case.row = after_decision(case.row, said)
        case.lead = decision.lead
        case.first_owner = case.first_owner or decision.owner.id
    if decision.kind is DecisionKind.CLOSED:
        case.ended = str(decision.trace.get("activity", "closed"))


def kept(cases: Iterable[Case]) -> tuple[int, str]:
    """Return how many leads changed hands, and the share contacted in time of those whose time was up."""
    rows = [case.row for case in cases]
    in_time = sum(row.contacted_at is not None and row.breach is None for row in rows)
    return sum(bool(row.moved_at) for row in rows), share(
        in_time, in_time + sum(row.breach is not None for row in rows)
    )
