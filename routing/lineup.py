"""A pool as one kind of lead finds it, kept between decisions: who can take it, in which order, why others cannot.

A decision changes one member, so the next one of the same kind needs no pass over the pool: whoever a write concerned
is looked at again, and where that, or the hour, changes who can take a lead, the pool is surveyed anew. Derived, as
seats are (decision 0140): a decision comes out the same, byte for byte, with it and without.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import orjson

from routing.availability import OpenAt
from routing.calendar.business_time import changes_at
from routing.candidates import Question, Survey, Wanted
from routing.capacity import CAPPED
from routing.docket import Docket
from routing.picking import Pick, Taking, draw_hash, tie
from routing.pool_state import LEVEL_LIMIT, PoolState, Turn, pool_key
from routing.rep_state import calendar_from
from routing.seats import Seat
from routing.strategies.candidate import ROUNDING_BITS, Rotation, load_rank, load_share
from routing.strategies.registry import STRATEGIES
from routing.turn_order import NEVER, Spot, TurnOrder
from schemas.policy_pool import Pool

NAMED = 50
NOT_THEIR_TURN = "not their turn"
CHOSEN = "chosen"

KEPT = ("round_robin", "weighted", "least_loaded")  # strategies that look at members alone, not at the lead

_ALWAYS = datetime.max.replace(tzinfo=UTC)


class Kind(NamedTuple):
    """Leads that a pool looks the same to. needs: what they ask of a rep."""

    tier: str
    adds: int
    strategy: str
    needs: tuple[tuple[str, tuple[str, ...]], ...] = ()


@dataclass(slots=True)
class Window:
    """When what was found still holds: instants [begins, ends) and contact deadlines (needed_after, needed_by]."""

    begins: datetime
    ends: datetime = _ALWAYS
    needed_after: datetime = NEVER
    needed_by: datetime = _ALWAYS

    def holds(self, now: datetime, needed_until: datetime) -> bool:
        """Tell whether it holds at `now` for a lead that needs somebody until `needed_until`."""
        return self.begins <= now < self.ends and self.needed_after < needed_until <= self.needed_by

    def until(self, at: datetime | None) -> None:
        """End it at `at`, if that is earlier."""
        if at is not None and self.begins < at < self.ends:
            self.ends = at

    def leave(self, start: datetime, until: datetime, needed_until: datetime) -> None:
        """Mind a rep's leave: it counts from its start to its end, and ahead of it for leads that need longer."""
        self.until(start)
        self.until(until)
        if self.begins < start:
            if start < needed_until:
                self.needed_after = max(self.needed_after, start)
            else:
                self.needed_by = min(self.needed_by, start)


@dataclass(slots=True)
class Lineup:
    """What is kept. verdicts: rep -> why not, of all; shares: of those who can, over `total`, on the rotation's `base`.

    moved: whoever a write concerned since. tail: those who cannot, as JSON rows; others: how many go unnamed, by
    reason.
    """

    pool: str
    kind: Kind
    window: Window
    open_at: OpenAt
    seats: Sequence[Seat]
    places: Mapping[str, int]
    verdicts: dict[str, str | None]
    shares: dict[str, int]
    total: int
    base: int
    order: TurnOrder
    by_load: bool
    tail: bytes
    others: dict[str, int]
    moved: set[str] = field(default_factory=set)

    def rotation(self, docket: Docket, wanted: Wanted) -> tuple[PoolState, Rotation] | None:
        """Bring it up to date; return the pool's counters and clock of turns, None where it holds no longer."""
        if not self.window.holds(docket.now, wanted.needed_until):
            return None
        state = docket.draft.find(PoolState, pool_key(docket.division, self.pool))
        if state is None or state.base != self.base:
            return None
        rotation = Rotation(state.level, self.base, self.base // self.total)
        if rotation.level + rotation.step > LEVEL_LIMIT or not self._followed(docket, wanted):
            return None
        if not self.by_load:
            ahead = rotation.level + rotation.step - (self.base >> ROUNDING_BITS)
            self.order.advance(ahead)
        return state, rotation

    def first(self, salt: str) -> tuple[int, int]:
        """Return the place of whoever's turn it is, and how many the draw was among."""
        tied = self.order.tied()
        return self.order.first(int(draw_hash(salt), 16) % tied if tied > 1 else 0), tied

    def named(self, winner: int, tied: dict[str, Any]) -> bytes:
        """Return the trace's candidates as JSON: who is chosen, the nearest others in order, then who cannot."""
        near = self.order.nearest(NAMED - 1, winner, self.written)
        chosen = orjson.dumps({**self.row(winner), "why": CHOSEN, **tied}, option=orjson.OPT_UTC_Z)
        return b"".join((b"[", b",".join([chosen, *near]), self.tail, b"]"))

    def written(self, place: int) -> bytes:
        """Return `row` as JSON."""
        return orjson.dumps(self.row(place), option=orjson.OPT_UTC_Z)

    def row(self, place: int) -> dict[str, Any]:
        """Return what the trace says of a member who could take the lead."""
        one, spot = self.seats[place].candidate, self.order.spot(place)
        rank = (spot.due,) if self.by_load else (not self.order.is_ready(spot), spot.due)
        return {
            "rep": one.rep,
            "why": NOT_THEIR_TURN,
            "load": one.load,
            "limit": one.limit,
            "waited_since": one.last_at,
            "rank": rank,
        }

    def _followed(self, docket: Docket, wanted: Wanted) -> bool:
        """Look again at whoever moved; tell whether all can and cannot as before."""
        if not self.moved:
            return True
        question = Question(docket, self.open_at, None, wanted, self.kind.needs)
        for rep in self.moved:
            place = self.places[rep]
            seat = self.seats[place]
            if question.why_not(seat) != self.verdicts[rep]:
                return False
            share = self.shares.get(rep)
            if share is None:
                if seat.turn is not None and seat.turn.is_seated:
                    return False
                continue
            spot = spot_of(seat, share, self.base, self.by_load)
            if spot is None:
                return False
            self.order.put(place, spot)
        self.moved.clear()
        return True


def lined_up(docket: Docket, name: str, pool: Pool, wanted: Wanted, kind: Kind, picked: Pick) -> Lineup | None:
    """Return the pool as a pick has just found it, before its turn is written; None where that is not simple enough.

    A turn that seats or unseats members, a pool with caps of its own or a preference, a lane and a strategy that looks
    at the lead are picked by a pass each time.
    """
    taking, found = picked.turn, picked.found
    base = taking.rotation.base
    is_settled = taking.state.base == base and not (taking.unseated or taking.leaving or taking.away)
    if not is_settled or picked.lane is not None or kind.strategy not in KEPT or docket.pool_capping(name).caps:
        return None
    by_load = STRATEGIES[kind.strategy].ranks is load_share
    places = {seat.rep: place for place, seat in enumerate(found.seats)}
    shares = {one.rep: one.share for one in found.fit}
    question = Question(docket, docket.shifts(pool), None, wanted, kind.needs)
    verdicts = {seat.rep: question.why_not(seat) for seat in found.seats}
    order = TurnOrder()
    for rep, share in shares.items():
        spot = spot_of(found.seats[places[rep]], share, base, by_load)
        if spot is None:
            return None
        order.put(places[rep], spot)
    named = min(len(shares), NAMED)
    refused = list(found.refused.items())
    rows = [orjson.dumps({"rep": rep, "why": why}) for rep, why in refused[: NAMED - named]]
    return Lineup(
        pool=name,
        kind=kind,
        window=_window(docket, pool, wanted, found.seats, verdicts),
        open_at=docket.shifts(pool),
        seats=found.seats,
        places=places,
        verdicts=verdicts,
        shares=shares,
        total=sum(shares.values()),
        base=base,
        order=order,
        by_load=by_load,
        tail=b"".join(b"," + row for row in rows),
        others=unnamed(len(shares) - named, [why for _, why in refused[NAMED - named :]]),
    )


def pick_from(lineup: Lineup, docket: Docket, wanted: Wanted, salt: str) -> Pick | None:
    """Return who gets the lead, without a pass over the pool; None where that needs one."""
    known = lineup.rotation(docket, wanted)
    if known is None:
        return None
    state, rotation = known
    place, tied = lineup.first(salt)
    seat = lineup.seats[place]
    winner, turn = seat.candidate, seat.turn
    assert turn is not None
    winner.share, winner.start = lineup.shares[seat.rep], start_of(turn, lineup.base)
    taking = Taking(state, rotation, [], {seat.rep: turn}, {}, [], [], lineup.shares, lineup.total)
    return Pick(
        lineup.pool,
        seat.rep,
        lineup.kind.strategy,
        STRATEGIES[lineup.kind.strategy].says,
        None,
        [],
        [],
        [],
        taking,
        Survey(lineup.pool, [winner]),
        winner,
        winner,
        tied,
        named=(lineup.named(place, tie(salt, tied)), lineup.others),
    )


def spot_of(seat: Seat, share: int, base: int, by_load: bool) -> Spot | None:
    """Return where a member stands; None where their turn is of another share, or they were not eligible."""
    turn = seat.turn
    if turn is None or not turn.is_seated or turn.weight != share:
        return None
    last_at = turn.last_at or NEVER
    if by_load:
        return Spot(load_rank(seat.candidate), last_at, None)
    start = start_of(turn, base)
    return Spot(start + base // share, last_at, start)


def start_of(turn: Turn, base: int) -> int:
    """Return the level at which a seated member's next turn is released, over `base`."""
    return turn.start if turn.base == base else turn.start * base // turn.base


def unnamed(fit: int, refused: Sequence[str]) -> dict[str, int]:
    """How many members the trace only counts, by reason."""
    counts: dict[str, int] = {NOT_THEIR_TURN: fit} if fit else {}
    for why in refused:
        counts[why] = counts.get(why, 0) + 1
    return counts


def _window(
    docket: Docket, pool: Pool, wanted: Wanted, seats: Sequence[Seat], verdicts: Mapping[str, str | None]
) -> Window:
    """When the verdicts still hold: until a shift begins or ends, a leave counts, or a cap's window may end."""
    window = Window(docket.now)
    usual = docket.hours(pool.hours)
    for hours in {seat.hours for seat in seats}:
        calendar = usual if hours is None else calendar_from(hours)
        if calendar is not None:
            window.until(changes_at(calendar, docket.now))
    for seat in seats:
        for away in seat.row.leaves if seat.row is not None else ():
            window.leave(away.start, away.until, wanted.needed_until)
    if any(why is not None and why.startswith(CAPPED) for why in verdicts.values()):
        window.until(docket.now.replace(second=0, microsecond=0) + timedelta(minutes=1))
    return window
