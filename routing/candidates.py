"""One pass over a pool: who could take the lead, and why each of the others cannot."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from routing.availability import OFF_SHIFT, UNKNOWN, OpenAt, leave
from routing.capacity import CAPPED, FULL, cap_reached, shortage
from routing.docket import Docket
from routing.pool_state import PoolState, pool_key
from routing.rep_state import RosterRow
from routing.seats import Seat
from routing.strategies.candidate import Candidate
from schemas.policy_pool import Need, Pool

EXCLUDED = "excluded"
SKILL = "skill"
NO_WEIGHT = "no share of the turns"
OTHERS_ON_SHIFT = "off shift, others are on shift"

Asking = tuple[tuple[str, tuple[str, ...]], ...]
"""Fields of the roster, each with the values of which a rep must have one."""


class Wanted(NamedTuple):
    """What the lead asks of a rep. needed_until: contact deadline. on_shift_only: hot leads wait for nobody's shift.

    facts: as rules see them. excluded: who may not have it. adds: hundredths of a point, 0 for a test lead.
    over_limit: the policy lets the pool go over limits (CAPA-5).
    """

    tier: str
    needed_until: datetime
    on_shift_only: bool
    facts: Mapping[str, Any]
    excluded: frozenset[str]
    adds: int
    over_limit: bool = False


@dataclass(slots=True)
class Survey:
    """What one pass found. refused: rep -> why not."""

    pool: str
    fit: list[Candidate] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    seats: list[Seat] = field(default_factory=list)

    def is_full(self) -> bool:
        """Tell whether somebody could not take the lead for want of room."""
        return any(why.startswith((FULL, CAPPED)) for why in self.refused.values())

    def all_refused_for(self, *reasons: str) -> bool:
        """Tell whether there are members, all refused, and each for a reason that starts with one of `reasons`."""
        return not self.fit and bool(self.refused) and all(r.startswith(reasons) for r in self.refused.values())


class Question:
    """What is asked of each member of a pool for one lead.

    open_at: whose shift it is. capped: the pool's cap that is used up. asked: needs of a rep, as `needs` gives them.
    """

    def __init__(self, docket: Docket, open_at: OpenAt, capped: str | None, wanted: Wanted, asked: Asking) -> None:
        self._docket = docket
        self._wanted = wanted
        self._asked = asked
        self._open_at = open_at
        self._adds = 0 if wanted.over_limit else wanted.adds
        self._capped = capped

    def why_not(self, seat: Seat) -> str | None:
        """Return why the member cannot have the lead, None when they can; `OTHERS_ON_SHIFT`: if nobody on shift can."""
        if seat.away is not None:
            return seat.away
        wanted = self._wanted
        is_off = not self._open_at(seat.hours)
        if is_off and wanted.on_shift_only:
            return OFF_SHIFT  # before "full": it is for the team of the night, whatever room there would be by day
        if self._capped is not None:
            return self._capped
        adds, one = self._adds, seat.candidate
        if adds and one.load + adds > one.limit:
            return FULL
        if seat.rep in wanted.excluded:
            return EXCLUDED
        if self._asked or seat.is_special:
            why = _unfit(self._docket, seat, wanted, self._asked, adds)
            if why is not None:
                return why
        return OTHERS_ON_SHIFT if is_off else None


def survey(docket: Docket, name: str, pool: Pool, wanted: Wanted) -> Survey:
    """Return who of the pool could take the lead now; while somebody on shift could, nobody else (AVL-3)."""
    fit: list[Candidate] = []
    off_shift: list[Candidate] = []
    refused: dict[str, str] = {}
    seats = docket.seats.of(docket, name)
    capped = used_up(docket, name, pool) if wanted.adds and not wanted.over_limit else None
    asked = needs(docket, pool.require, wanted.facts)
    why_not = Question(docket, docket.shifts(pool), capped, wanted, asked).why_not
    for seat in seats:
        why = why_not(seat)
        if why is None:
            fit.append(seat.candidate)
        elif why is OTHERS_ON_SHIFT:
            off_shift.append(seat.candidate)
        else:
            refused[seat.rep] = why
    if not fit:
        return Survey(name, off_shift, refused, seats)
    refused.update((one.rep, OTHERS_ON_SHIFT) for one in off_shift)
    return Survey(name, fit, refused, seats)


def used_up(docket: Docket, name: str, pool: Pool) -> str | None:
    """Return which of the pool's own caps is used up, None when none is (CAPA-3)."""
    capping = docket.pool_capping(name)
    if not capping.caps:
        return None
    state = docket.draft.find(PoolState, pool_key(docket.division, name))
    why = cap_reached(capping, state.used if state else {}, docket.now)
    return f"{why} for the pool" if why else None


def needs(docket: Docket, listed: tuple[Need, ...], facts: Mapping[str, Any]) -> Asking:
    """Return what is asked of a rep for this lead: (field, any of these)."""
    asked: list[tuple[str, tuple[str, ...]]] = []
    for need in listed:
        if need.when is not None and not docket.holds(need.when, facts):
            continue
        value = _fact(facts, need.fact) if need.fact else None
        any_of = need.any_of if need.fact is None else ((str(value),) if value is not None else ())
        if any_of:
            asked.append((need.rep, any_of))
    return tuple(asked)


def missing_need(row: RosterRow, asked: Asking) -> str | None:
    """Return the first need that the rep does not meet, None when all are met."""
    for field_name, any_of in asked:
        has = getattr(row, field_name, None) or ()
        has = (has,) if isinstance(has, str) else has
        if not any(one in any_of for one in has):
            return f"{SKILL}: {field_name} {' or '.join(any_of)}"
    return None


def _unfit(docket: Docket, seat: Seat, wanted: Wanted, asked: Asking, adds: int) -> str | None:
    """Why this rep cannot have this lead, of the reasons that few reps have: leave, caps, skills, no weight."""
    row = seat.row
    if row is None or seat.state is None:
        return UNKNOWN
    why = leave(row, docket.now, wanted.needed_until) or missing_need(row, asked)
    if why is None and adds:
        why = shortage(seat.state, seat.candidate.limit, adds, docket.now, docket.capping(row))
    return NO_WEIGHT if why is None and seat.candidate.weight <= 0 else why


def _fact(facts: Mapping[str, Any], path: str) -> Any | None:
    value: Any = facts
    for part in path.split("."):
        if not isinstance(value, Mapping) or part not in value:
            return None
        value = value[part]
    return value
