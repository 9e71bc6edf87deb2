"""The members of each pool side by side, remembered between events, so that picking a rep is one short pass.

Derived from the state and never a truth of its own: the division's revision tells whether it still fits; if not, it is
read anew. A decision comes out the same with remembered seats and without.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from routing.availability import standing_absence
from routing.groups import Group, pool_group
from routing.pool_state import Turn, turn_key
from routing.rep_state import RepState, RosterRow, rep_key
from routing.strategies.candidate import Candidate
from routing.strategies.performance import merit

if TYPE_CHECKING:
    from routing.docket import Docket


@dataclass(slots=True)
class Seat:
    """A member of a pool. away: why they are not there, whatever the hour. turn: their place in the rotation.

    is_special: leave, caps or a weight of 0 need a closer look.
    """

    rep: str
    state: RepState | None
    row: RosterRow | None
    away: str | None
    is_special: bool
    hours: str | None
    candidate: Candidate
    turn: Turn | None


class Seats:
    """What is remembered of one partition's divisions. Bound: a seat per member and pool."""

    def __init__(self) -> None:
        self._fits: dict[str, tuple[int, str, str]] = {}
        self._pools: dict[str, dict[str, list[Seat]]] = {}

    def begin(self, division: str, revision: int, policy: str, day: str) -> None:
        """Forget the division where its revision, policy or day is not what was remembered; expect the next one."""
        if self._fits.get(division) != (revision, policy, day):
            self._pools[division] = {}
        self._fits[division] = (revision + 1, policy, day)

    def of(self, docket: "Docket", pool: str) -> list[Seat]:
        """Return the pool's seats, in the order of ids."""
        pools = self._pools.setdefault(docket.division, {})
        known = pools.get(pool)
        if known is None:
            known = pools[pool] = [_seat(docket, pool, rep) for rep in docket.group(pool_group(pool))]
        return known

    def shares(self, division: str, pool: str) -> dict[str, int]:
        """Return each member's share of a turn, as the latest decision in which they were eligible had it."""
        return {seat.rep: seat.candidate.share for seat in self._pools.get(division, {}).get(pool, ())}

    def put(self, docket: "Docket", key: str, value: Any) -> None:
        """Follow one write to the state."""
        pools = self._pools.get(docket.division)
        if not pools:
            return
        if isinstance(value, Turn):
            _, _, pool, rep = key.split("/", 3)
            seat = next((seat for seat in pools.get(pool, ()) if seat.rep == rep), None)
            if seat is not None:
                seat.turn = value
                seat.candidate.last_at = value.last_at
        elif isinstance(value, RepState):
            for pool, seats in pools.items():
                for place, seat in enumerate(seats):
                    if seat.rep == value.id:
                        _follow(docket, seats, place, pool, value)
                        break
        elif isinstance(value, Group):
            pools.clear()


def _follow(docket: "Docket", seats: list[Seat], place: int, pool: str, state: RepState) -> None:
    seat = seats[place]
    if state.row is not seat.row:
        seats[place] = _seat(docket, pool, seat.rep)
        return
    seat.state = state
    seat.candidate.load = state.load


def _seat(docket: "Docket", pool: str, rep: str) -> Seat:
    state = docket.draft.find(RepState, rep_key(docket.division, rep))
    row = state.row if state is not None else None
    turn = docket.draft.find(Turn, turn_key(docket.division, pool, rep))
    candidate = Candidate(
        rep,
        docket.weight(row) if row is not None else 0,
        state.load if state is not None else 0,
        docket.limit(row) if row is not None else 0,
        row.seniority if row is not None else "normal",
        _last_at(turn),
        merit(row, docket.file.pools[pool].performance) if row is not None else None,
    )
    is_special = row is not None and bool(row.leaves or docket.capping(row).caps or candidate.weight <= 0)
    return Seat(
        rep, state, row, standing_absence(state), is_special, row.hours if row is not None else None, candidate, turn
    )


def _last_at(turn: Turn | None) -> datetime | None:
    return None if turn is None else turn.last_at
