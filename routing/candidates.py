"""One pass over a pool: who could take the lead, and why each of the others cannot."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from routing.availability import OFF_SHIFT, absence
from routing.capacity import shortage
from routing.docket import Docket
from routing.groups import pool_group
from routing.rep_state import RepState, RosterRow
from routing.strategies.candidate import Candidate
from schemas.policy_pool import Need, Pool

EXCLUDED = "excluded"
SKILL = "skill"
NO_WEIGHT = "no share of the turns"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the lead asks of a rep. needed_until: contact deadline. on_shift_only: hot leads wait for nobody's shift.

    facts: as rules see them. excluded: who may not have it. adds: hundredths of a point, 0 for a test lead.
    over_limit: the policy lets the pool go over limits (CAPA-5).
    """

    tier: str
    needed_until: datetime
    on_shift_only: bool
    facts: Mapping[str, Any]
    excluded: frozenset[str] = frozenset()
    adds: int = 50
    over_limit: bool = False
    preferred: bool = True


@dataclass(slots=True)
class Survey:
    """What one pass found. refused: rep -> why not."""

    pool: str
    fit: list[Candidate] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)

    def all_refused_for(self, *reasons: str) -> bool:
        """Tell whether there are members, all refused, and each for a reason that starts with one of `reasons`."""
        return not self.fit and bool(self.refused) and all(r.startswith(reasons) for r in self.refused.values())


def survey(docket: Docket, name: str, pool: Pool, wanted: Wanted) -> Survey:
    """Return who of the pool could take the lead now."""
    found = Survey(name)
    asked = needs(docket, pool.require, wanted.facts)
    open_at = docket.shifts(pool)
    for rep_id in docket.group(pool_group(name)):
        rep = docket.rep(rep_id)
        why = absence(rep, docket.now, wanted.needed_until)
        if why is not None or rep is None or rep.row is None:
            found.refused[rep_id] = why or "unknown"
            continue
        row = rep.row
        if wanted.on_shift_only and not open_at(row.hours):
            found.refused[rep_id] = OFF_SHIFT
        elif rep_id in wanted.excluded:
            found.refused[rep_id] = EXCLUDED
        elif asked and (missing := missing_need(row, asked)):
            found.refused[rep_id] = missing
        else:
            _weigh(docket, rep, row, wanted, found)
    return found


def needs(docket: Docket, listed: tuple[Need, ...], facts: Mapping[str, Any]) -> list[tuple[str, tuple[str, ...]]]:
    """Return what is asked of a rep for this lead: (field, any of these)."""
    asked: list[tuple[str, tuple[str, ...]]] = []
    for need in listed:
        if need.when is not None and not docket.holds(need.when, facts):
            continue
        value = _fact(facts, need.fact) if need.fact else None
        any_of = need.any_of if need.fact is None else ((str(value),) if value is not None else ())
        if any_of:
            asked.append((need.rep, any_of))
    return asked


def missing_need(row: RosterRow, asked: list[tuple[str, tuple[str, ...]]]) -> str | None:
    """Return the first need that the rep does not meet, None when all are met."""
    for field_name, any_of in asked:
        has = getattr(row, field_name, None) or ()
        has = (has,) if isinstance(has, str) else has
        if not any(one in any_of for one in has):
            return f"{SKILL}: {field_name} {' or '.join(any_of)}"
    return None


def _weigh(docket: Docket, rep: RepState, row: RosterRow, wanted: Wanted, found: Survey) -> None:
    limit = docket.limit(row)
    short = None if wanted.over_limit or not wanted.adds else shortage(rep, limit, wanted.adds, docket.now)
    weight = docket.weight(row)
    if short is not None:
        found.refused[rep.id] = short
    elif weight <= 0:
        found.refused[rep.id] = NO_WEIGHT
    else:
        found.fit.append(Candidate(rep.id, weight, rep.load, limit, row.seniority, None, row.close_permille))


def _fact(facts: Mapping[str, Any], path: str) -> Any | None:
    value: Any = facts
    for part in path.split("."):
        if not isinstance(value, Mapping) or part not in value:
            return None
        value = value[part]
    return value
