"""Picks a rep of a pool: the strategy, the senior lane with its floor, and the turn that it costs."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import takewhile
from operator import attrgetter
from typing import Any

from routing.availability import ABSENT, LEAVE_AHEAD
from routing.candidates import Survey
from routing.capacity import counted as cap_counted
from routing.docket import Docket
from routing.pool_state import (
    LEVEL_LIMIT,
    PoolState,
    Turn,
    finer,
    place,
    pool_key,
    turn_key,
)
from routing.seats import Turned
from routing.strategies.candidate import Asked, Candidate, Rank, Rotation, load_share
from routing.strategies.lane import counted, junior_is_due
from routing.strategies.registry import STRATEGIES
from schemas.policy_pool import Pool

SENIOR_LANE = "senior lane"
JUNIOR_FLOOR = "junior floor"

_LANE_SAYS = {
    SENIOR_LANE: "available seniors first, least loaded",
    JUNIOR_FLOOR: "the others are below their share of hot leads; {}",
}


@dataclass(slots=True)
class Pick:
    """Who gets the lead, and why.

    ranks: of `ranked`, in its order. order: places in `ranked`, best first. lane: which lane decided. was: the winner
    as the pick saw them. tied: how many the recorded hash drew from, 1: none. counters: the pool's and the winner's,
    before and after, as JSON data; empty until the turn is taken. named: the trace's candidates as JSON and how many
    are not among them, by reason, where a lineup knows them; then ranks, order and ranked are empty.
    """

    pool: str
    rep: str
    strategy: str
    says: str
    lane: str | None
    ranks: list[Rank]
    order: list[int]
    ranked: list[Candidate]
    turn: "Taking"
    found: Survey
    winner: Candidate
    was: Candidate
    tied: int
    counters: dict[str, Any] = field(default_factory=dict)
    named: tuple[bytes, Mapping[str, int]] | None = None


@dataclass(slots=True)
class Taking:
    """A rotation opened for one turn: the fit members placed on it, nothing written yet.

    away: seats of members on leave who go on being owed turns, where the policy lets them catch up (NEW-15).
    before: each member's turn. unseated: those of the fit whose own turn does not say where they are. leaving: who was
    eligible at the last turn and is not now. shares: of the fit, over `total`.
    """

    state: PoolState
    rotation: Rotation
    fit: list[Candidate]
    before: dict[str, Turn | None]
    away: dict[str, Turn]
    unseated: list[Candidate]
    leaving: list[str]
    shares: Mapping[str, int]
    total: int


def pick(docket: Docket, pool: Pool, found: Survey, asked: Asked, strategy: str, salt: str) -> Pick:
    """Return who of `found.fit` (not empty) gets the lead.

    salt: what ties are hashed with, beside the rep; recorded, and different for each lead.
    """
    chosen = STRATEGIES[strategy]
    taking = _opened(docket, found, chosen.weights(found.fit, asked))
    lane, field_of = _lane(docket, pool, found.fit, asked, taking.state)
    by_load = lane == SENIOR_LANE
    ranks = (load_share if by_load else chosen.ranks)(field_of, taking.rotation)
    order = sorted(range(len(ranks)), key=ranks.__getitem__)
    best = ranks[order[0]]
    tied = [field_of[place] for place in takewhile(lambda place: ranks[place] == best, order)]
    waited = tied if len(tied) == 1 else _longest_waiting(tied)
    winner = waited[0] if len(waited) == 1 else drawn(waited, salt)
    says = _LANE_SAYS.get(lane or "", "{}").format(chosen.says)
    was = replace(winner)
    return Pick(
        found.pool, winner.rep, strategy, says, lane, ranks, order, field_of, taking, found, winner, was, len(waited)
    )


def take_turn(docket: Docket, pool: Pool, picked: Pick, asked: Asked) -> None:
    """Write the turn: the level rises, the winner's next turn moves on, seats follow who was eligible."""
    taking, rotation = picked.turn, picked.turn.rotation
    level = rotation.level + rotation.step
    shift = min((one.start for one in taking.fit), default=0) if level > LEVEL_LIMIT else 0
    winner = picked.winner
    after = PoolState(
        level=level - shift,
        base=rotation.base,
        turns=taking.state.turns + 1,
        lane=_lane_counted(docket, pool, taking.state, winner, asked),
        used=cap_counted(docket.pool_capping(picked.pool), taking.state.used, docket.now),
    )
    docket.draft.put(pool_key(docket.division, picked.pool), after)
    for one in taking.fit if shift else taking.unseated:
        if one is not winner:
            _seat(docket, picked, one, False, shift)
    _seat(docket, picked, winner, True, shift)
    _unseat(docket, picked)
    if shift:
        _shift_away(docket, picked, shift)
    turned = Turned(docket.division, picked.pool, asked.tier, winner.rep, taking.shares, taking.total)
    docket.seats.turned.append(turned)
    turn = taking.before[winner.rep]
    given = turn.given if turn is not None else 0
    picked.counters = {
        "pool": {"turns": [taking.state.turns, after.turns], "level": [_ratio(taking), f"{level}/{rotation.base}"]},
        "rep": {"turns": [given, given + 1]},
    }


def tie_hash(salt: str, rep: str) -> str:
    """Return a recorded hash of a person for one lead: no name, id or order of a list favours anybody for long."""
    return hashlib.sha256(f"{salt}|{rep}".encode()).hexdigest()[:16]


def draw_hash(salt: str) -> str:
    """Return the recorded hash that settles a tie: its number, modulo how many tie, is the place by id of who wins."""
    return hashlib.sha256(salt.encode()).hexdigest()[:16]


def tie(salt: str, among: int) -> dict[str, Any]:
    """Return what the trace says of a tie: the hash that settled it, and among how many; nothing where none was."""
    return {"tie": draw_hash(salt), "among": among} if among > 1 else {}


def drawn(tied: Sequence[Candidate], salt: str) -> Candidate:
    """Return one of the tied, each as likely over many leads; one hash, however many tie (decision 0071)."""
    by_id = sorted(tied, key=attrgetter("rep"))
    return by_id[int(draw_hash(salt), 16) % len(by_id)]


def _opened(docket: Docket, found: Survey, shares: Sequence[int]) -> Taking:
    state = docket.draft.find(PoolState, pool_key(docket.division, found.pool)) or PoolState()
    turns = {seat.rep: seat.turn for seat in found.seats}
    away = _catching_up(docket, found, turns)
    total = sum(shares) + sum(turn.weight for turn in away.values())
    base = finer(state.base, {*shares, *(turn.weight for turn in away.values())}, total)
    level = state.level * base // state.base
    unseated = []
    for one, share in zip(found.fit, shares, strict=True):
        one.share = share
        turn = turns[one.rep]
        if turn is None or not turn.is_seated or turn.weight != share:
            unseated.append(one)
            one.start = place(turn, share, level, base)
        else:
            one.start = turn.start if turn.base == base else place(turn, share, level, base)
    leaving = [
        rep for rep in found.refused if (turn := turns.get(rep)) is not None and turn.is_seated and rep not in away
    ]
    shared = {one.rep: one.share for one in found.fit}
    return Taking(state, Rotation(level, base, base // total), found.fit, turns, away, unseated, leaving, shared, total)


def _catching_up(docket: Docket, found: Survey, turns: dict[str, Turn | None]) -> dict[str, Turn]:
    """The seats of members on leave, where the policy lets them catch up: their share of each turn is theirs."""
    if not docket.file.options.vacation_catch_up:
        return {}
    on_leave = (rep for rep, why in found.refused.items() if why in (ABSENT, LEAVE_AHEAD))
    return {rep: turn for rep in on_leave if (turn := turns.get(rep)) is not None and turn.is_seated}


def _lane(
    docket: Docket, pool: Pool, fit: list[Candidate], asked: Asked, state: PoolState
) -> tuple[str | None, list[Candidate]]:
    lane = pool.senior_lane
    if lane is None or asked.tier not in lane.tiers:
        return None, fit
    seniors = [one for one in fit if one.seniority in lane.seniority]
    if not seniors:
        return None, fit
    juniors = [one for one in fit if one.seniority not in lane.seniority]
    if juniors and junior_is_due(state.lane, docket.today, lane):
        return JUNIOR_FLOOR, juniors
    return SENIOR_LANE, seniors


def _lane_counted(docket: Docket, pool: Pool, state: PoolState, winner: Candidate, asked: Asked) -> Any:
    lane = pool.senior_lane
    if lane is None or asked.tier not in lane.tiers:
        return state.lane
    return counted(state.lane, docket.today, winner.seniority in lane.seniority)


def _seat(docket: Docket, picked: Pick, one: Candidate, won: bool, shift: int) -> None:
    taking, turn = picked.turn, picked.turn.before[one.rep]
    base = taking.rotation.base
    start = one.start - shift + (base // one.share if won else 0)
    given = (turn.given if turn else 0) + won
    last_at = docket.now if won else one.last_at
    key = turn_key(docket.division, picked.pool, one.rep)
    docket.draft.put(key, Turn(start, base, one.share, given, True, last_at))


def _unseat(docket: Docket, picked: Pick) -> None:
    """Members who were eligible at the last turn and are not now keep what they are owed, and gain nothing."""
    rotation = picked.turn.rotation
    for rep in picked.turn.leaving:
        turn = picked.turn.before[rep]
        assert turn is not None
        owed = rotation.level - turn.start * rotation.base // turn.base
        key = turn_key(docket.division, picked.pool, rep)
        docket.draft.put(key, replace(turn, start=owed, base=rotation.base, is_seated=False))


def _shift_away(docket: Docket, picked: Pick, shift: int) -> None:
    """The level was brought back: who is away and catches up keeps the same distance to it."""
    base = picked.turn.rotation.base
    for rep, turn in picked.turn.away.items():
        start = turn.start * base // turn.base - shift
        docket.draft.put(turn_key(docket.division, picked.pool, rep), replace(turn, start=start, base=base))


def _longest_waiting(tied: list[Candidate]) -> list[Candidate]:
    """Whoever never had a turn, else those whose turn is longest ago (NEW-16)."""
    never = [one for one in tied if one.last_at is None]
    if never:
        return never
    since = [one.last_at for one in tied if one.last_at is not None]
    first = min(since)
    return [one for one, at in zip(tied, since, strict=True) if at == first]


def _ratio(taking: Taking) -> str:
    return f"{taking.rotation.level}/{taking.rotation.base}"
