"""One event of a division being decided: the draft, the policy, the clock, and what all steps look up."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from routing.availability import Shifts, has_left
from routing.calendar.business_time import Calendar, calendar_of
from routing.capacity import Capping, limit_of, weight_of
from routing.conditions import context_of, evaluate
from routing.draft import Draft
from routing.groups import members
from routing.lead_state import LeadState, lead_key
from routing.policy import Policy, once_a_policy
from routing.rep_state import POINT, RepState, RosterRow, calendar_from, rep_key
from routing.seats import Seats
from schemas.policy_file import Capacity, Count, PolicyFile, Tier
from schemas.policy_pool import Pool, Queue
from schemas.rep import Caps


class Docket:
    """What decides one event. event_id: of the input; ids of decisions derive from it."""

    def __init__(self, draft: Draft, policy: Policy, division: str, event_id: str, now: datetime, seats: Seats) -> None:
        self.draft = draft
        self.policy = policy
        self.file: PolicyFile = policy.file
        self.division = division
        self.event_id = event_id
        self.now = now
        self.seats = seats
        draft.watch = partial(seats.put, self)
        self.today: date = now.astimezone(ZoneInfo(policy.file.timezone)).date()  # ramps step up, lanes count, by it
        self.capacity: Capacity = policy.file.capacity
        self._terms = _terms(policy)
        self.assigned_points = self._terms.assigned_points
        self.clocks: tuple[LeadState, Any] | None = None  # the last answer of sla.clocks_of, and of which lead
        self._shifts: dict[str | None, Shifts] = {}
        self._context: tuple[Mapping[str, Any], Any] | None = None

    def holds(self, condition: str, facts: Mapping[str, Any]) -> bool:
        """Tell whether one of the policy's conditions holds for a lead's facts."""
        if self._context is None or self._context[0] is not facts:
            self._context = (facts, context_of(facts, self.policy.routing))
        compiled = self.policy.conditions.get(condition)
        return compiled is not None and evaluate(compiled, self._context[1]).matched

    def rep(self, rep: str | None) -> RepState | None:
        """Return the rep, None when the division does not know them."""
        return None if rep is None else self.draft.find(RepState, rep_key(self.division, rep))

    def lead(self, lead: str) -> LeadState | None:
        return self.draft.find(LeadState, lead_key(lead))

    def group(self, group: str) -> tuple[str, ...]:
        return members(self.draft, self.division, group)

    def people(self, group: str) -> tuple[str, ...]:
        """Return the members of a group who have not left: those who can be accountable, and told."""
        return tuple(one for one in self.group(group) if not has_left(self.rep(one)))

    def tier(self, name: str) -> Tier:
        """Return the policy's tier; the last one where this policy has no such tier any more."""
        return self.policy.tier(name)

    def urgency(self, tier: str) -> int:
        """Return the tier's place in the policy, 0 for the most urgent."""
        names = list(self.file.tiers)
        return names.index(tier) if tier in names else len(names)

    def weighs(self, lead: LeadState) -> int:
        """Return what the lead adds to a load, in hundredths of a point: by its stage, once one is known."""
        if lead.is_test:
            return 0
        return lead.points if lead.stage is not None else lead.points or self.assigned_points

    def limit(self, row: RosterRow) -> int:
        """Return the rep's limit in hundredths of a point."""
        if row.limit is not None and not row.ramp:
            return row.limit
        share = self.capacity.ramping_share if row.seniority in self.capacity.ramping_seniority else 1.0
        return limit_of(row, self._terms.limit, round(share * 100), self.today)

    def weight(self, row: RosterRow) -> int:
        """Return the rep's weight in hundredths."""
        if row.weight is not None and not row.ramp:
            return row.weight
        return weight_of(row, self._terms.weights, self.today)

    def capping(self, row: RosterRow | None) -> Capping:
        """Return the rep's caps, window by window the roster's, else the policy's; in the rep's zone, else its own."""
        if row is None:
            return Capping({}, self.file.timezone)
        caps = self._terms.caps
        return Capping({**caps, **row.caps} if caps else row.caps, row.timezone or self.file.timezone)

    def pool_capping(self, pool: str) -> Capping:
        """Return the pool's caps, in the zone of its hours; none for a pool that the policy does not have."""
        return self._terms.pool_cappings.get(pool) or Capping({}, self.file.timezone)

    def hours(self, name: str | None) -> Calendar | None:
        """Return the named calendar of the policy, else its default one; None: always open."""
        named = name or self.file.hours
        return self._terms.calendars.get(named) if named else None

    def pool_hours(self, pool: str | None) -> Calendar | None:
        known = self.file.pools.get(pool) if pool else None
        return self.hours(known.hours if known else None)

    def rep_hours(self, rep: str | None, pool: str | None) -> Calendar | None:
        """Return the rep's own calendar, else the pool's, else the policy's."""
        state = self.rep(rep)
        if state is not None and state.row is not None and state.row.hours is not None:
            return calendar_from(state.row.hours)
        return self.pool_hours(pool)

    def shifts(self, pool: Pool | Queue | None) -> Shifts:
        """Return who is on shift now, by their hours; the pool's or queue's for those without hours of their own."""
        name = pool.hours if pool else None
        known = self._shifts.get(name)
        if known is None:
            known = self._shifts[name] = Shifts(self.now, calendar_from, self.hours(name))
        return known


@dataclass(frozen=True, slots=True)
class _Terms:
    """What of a policy each decision asks, in hundredths. caps: window -> most leads; weights: by seniority."""

    assigned_points: int
    limit: int
    caps: dict[str, int]
    weights: dict[str, int]
    pool_cappings: dict[str, Capping]
    calendars: dict[str, Calendar]


@once_a_policy
def _terms(policy: Policy) -> _Terms:
    file, capacity = policy.file, policy.file.capacity
    return _Terms(
        assigned_points=points(capacity, capacity.assigned),
        limit=round(capacity.limit * POINT),
        caps=_caps(capacity.caps),
        weights={seniority: round(weight * 100) for seniority, weight in file.weights.items()},
        pool_cappings={name: Capping(_caps(pool.caps), _zone_of(file, pool)) for name, pool in file.pools.items()},
        calendars={name: calendar_of(hours) for name, hours in file.calendars.items()},
    )


def _zone_of(file: PolicyFile, pool: Pool) -> str:
    named = file.calendars.get(pool.hours or file.hours or "")
    return named.timezone if named else file.timezone


def _caps(caps: Caps) -> dict[str, int]:
    return {name: most for name, most in caps.model_dump().items() if most is not None}


def points(capacity: Capacity, weighted: float) -> int:
    """Return hundredths of a point for a lead or opportunity; one point each where the policy counts plainly."""
    return POINT if capacity.count is Count.PLAIN else round(weighted * POINT)


def stage_points(capacity: Capacity, stage: str | None) -> int:
    """Return what an opportunity at `stage` adds to its rep's load; nothing once closed."""
    if stage == "closed":
        return 0
    return points(capacity, capacity.stages.get(stage or "", capacity.unknown_stage))
