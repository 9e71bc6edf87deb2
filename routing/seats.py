"""The members of each pool side by side, remembered between events, so that picking a rep is one short pass.

Derived from the state and never a truth of its own: the division's revision tells whether it still fits; if not, it is
read anew. A decision comes out the same with remembered seats and without.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from routing.availability import standing_absence
from routing.groups import Group, pool_group
from routing.pool_state import Turn, turn_key
from routing.rep_state import RepState, RosterRow, rep_key
from routing.strategies.candidate import Candidate
from routing.strategies.performance import merit

if TYPE_CHECKING:
    from routing.docket import Docket
    from routing.lineup import Kind, Lineup

_FOLLOWED = (Turn, RepState, Group)
MOST_LINEUPS = 16  # of a pool: tiers, times what leads may need of a rep; then they are made anew


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


@dataclass(slots=True)
class Seating:
    """The members of a pool, in the order of ids. places: of each rep. lineups: the pool as kinds of leads find it."""

    seats: list[Seat]
    places: dict[str, int]
    lineups: dict["Kind", "Lineup"] = field(default_factory=dict)


class Turned(NamedTuple):
    """A turn that was taken. shares: of all who were eligible, over `total`."""

    division: str
    pool: str
    tier: str
    rep: str
    shares: Mapping[str, int]
    total: int


class Seats:
    """What is remembered of one partition's divisions. Bound: a seat per member and pool, and 16 lineups a pool.

    turned: the turns of the latest event.
    """

    def __init__(self) -> None:
        self._fits: dict[str, tuple[int, str, str]] = {}
        self._pools: dict[str, dict[str, Seating]] = {}
        self.turned: list[Turned] = []

    def begin(self, division: str, revision: int, policy: str, day: str) -> None:
        """Forget the division where its revision, policy or day is not what was remembered; expect the next one."""
        if self._fits.get(division) != (revision, policy, day):
            self._pools[division] = {}
        self._fits[division] = (revision + 1, policy, day)
        self.turned.clear()

    def of(self, docket: "Docket", pool: str) -> list[Seat]:
        """Return the pool's seats, in the order of ids."""
        pools = self._pools.setdefault(docket.division, {})
        known = pools.get(pool)
        if known is None:
            seats = [_seat(docket, pool, rep) for rep in docket.group(pool_group(pool))]
            known = pools[pool] = Seating(seats, {seat.rep: place for place, seat in enumerate(seats)})
        return known.seats

    def lineup(self, division: str, pool: str, kind: "Kind") -> "Lineup | None":
        """Return the pool as such leads found it, None where it is not known."""
        known = self._pools.get(division, {}).get(pool)
        return None if known is None else known.lineups.get(kind)

    def keep(self, division: str, pool: str, kind: "Kind", lineup: "Lineup | None") -> None:
        """Remember a lineup, or forget it."""
        lineups = self._pools[division][pool].lineups
        if lineup is None:
            lineups.pop(kind, None)
            return
        if len(lineups) >= MOST_LINEUPS:
            lineups.clear()
        lineups[kind] = lineup

    def put(self, docket: "Docket", key: str, value: Any) -> None:
        """Follow one write to the state."""
        if not isinstance(value, _FOLLOWED):
            return
        pools = self._pools.get(docket.division)
        if not pools:
            return
        if isinstance(value, Turn):
            pool, _, rep = key.split("/", 2)[2].rpartition("/")  # a pool's name may have a slash, an id has none
            known = pools.get(pool)
            if known is not None and (place := known.places.get(rep)) is not None:
                seat = known.seats[place]
                seat.turn = value
                seat.candidate.last_at = value.last_at
                _moved(known, rep)
        elif isinstance(value, RepState):
            for pool, known in pools.items():
                if (place := known.places.get(value.id)) is not None:
                    _follow(docket, known, place, pool, value)
        else:
            pools.clear()


def _follow(docket: "Docket", known: Seating, place: int, pool: str, state: RepState) -> None:
    seat = known.seats[place]
    if state.row is not seat.row:
        known.seats[place] = _seat(docket, pool, seat.rep)
        known.lineups.clear()
        return
    seat.state = state
    seat.candidate.load = state.load
    _moved(known, seat.rep)


def _moved(known: Seating, rep: str) -> None:
    for lineup in known.lineups.values():
        lineup.moved.add(rep)


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
