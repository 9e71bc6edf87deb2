"""Picks a rep of a pool: the strategy, the senior lane with its floor, and the turn that it costs."""

import hashlib
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from routing.candidates import Survey
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
from routing.strategies.candidate import Asked, Candidate, Rank, Rotation, load_share
from routing.strategies.lane import counted, junior_is_due
from routing.strategies.registry import STRATEGIES
from schemas.policy_pool import Pool

SENIOR_LANE = "senior lane"
JUNIOR_FLOOR = "junior floor"


@dataclass(slots=True)
class Pick:
    """Who gets the lead, and why. ranks: of all candidates, for the trace, best first. lane: which lane decided.

    counters: the pool's and the winner's, before and after, as JSON data; empty until the turn is taken.
    """

    pool: str
    rep: str
    strategy: str
    says: str
    lane: str | None
    ranks: list[tuple[Rank, Candidate]]
    turn: "Taking"
    refused: dict[str, str]
    counters: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Taking:
    """A rotation opened for one turn: the fit members placed on it, nothing written yet."""

    state: PoolState
    rotation: Rotation
    fit: list[Candidate]
    before: dict[str, Turn | None]
    weights: dict[str, int]


def pick(docket: Docket, pool: Pool, found: Survey, asked: Asked, strategy: str, salt: str) -> Pick:
    """Return who of `found.fit` (not empty) gets the lead.

    salt: what ties are hashed with, beside the rep; recorded, and different for each lead.
    """
    chosen = STRATEGIES[strategy]
    taking = _opened(docket, found, chosen.weights(found.fit, asked))
    lane, field_of = _lane(docket, pool, found.fit, asked, taking.state)
    by_load = lane == SENIOR_LANE
    rank = load_share if by_load else chosen.rank
    ranks = [(rank(one, taking.rotation), one) for one in field_of]
    best = min(one_rank for one_rank, _ in ranks)
    tied = [one for one_rank, one in ranks if one_rank == best]
    winner = tied[0] if len(tied) == 1 else min(tied, key=lambda one: _waited(one, salt))
    says = "available seniors first, least loaded" if by_load else chosen.says
    return Pick(found.pool, winner.rep, strategy, says, lane, ranks, taking, found.refused)


def take_turn(docket: Docket, pool: Pool, picked: Pick, asked: Asked) -> None:
    """Write the turn: the level rises, the winner's next turn moves on, seats follow who was eligible."""
    taking, rotation = picked.turn, picked.turn.rotation
    level = rotation.level + rotation.step
    shift = min((one.start for one in taking.fit), default=0) if level > LEVEL_LIMIT else 0
    winner = next(one for one in taking.fit if one.rep == picked.rep)
    after = replace(
        taking.state,
        level=level - shift,
        base=rotation.base,
        turns=taking.state.turns + 1,
        lane=_lane_counted(docket, pool, taking.state, winner, asked),
    )
    docket.draft.put(pool_key(docket.division, picked.pool), after)
    for one in taking.fit:
        _seat(docket, picked, one, one is winner, shift)
    _unseat(docket, picked)
    turn = taking.before[winner.rep]
    picked.counters = {
        "pool": {"turns": [taking.state.turns, after.turns], "level": [_ratio(taking), f"{level}/{rotation.base}"]},
        "rep": {"turns": [turn.given if turn else 0, (turn.given if turn else 0) + 1]},
    }


def tie_hash(salt: str, rep: str) -> str:
    """Return the recorded hash that settles a tie: no name, id or order of a list favours anybody for long."""
    return hashlib.sha256(f"{salt}|{rep}".encode()).hexdigest()[:16]


def _opened(docket: Docket, found: Survey, weights: Any) -> Taking:
    state = docket.draft.find(PoolState, pool_key(docket.division, found.pool)) or PoolState()
    total = sum(weights)
    base = finer(state.base, set(weights), total)
    level = state.level * base // state.base
    before: dict[str, Turn | None] = {}
    by_rep: dict[str, int] = {}
    prefix = turn_key(docket.division, found.pool, "")
    for one, weight in zip(found.fit, weights, strict=True):
        turn = docket.draft.find(Turn, prefix + one.rep)
        before[one.rep] = turn
        by_rep[one.rep] = weight
        one.weight = weight
        one.start = place(turn, weight, level, base)
        if turn is not None:
            one.last_at = turn.last_at
    return Taking(state, Rotation(level, base, base // total), found.fit, before, by_rep)


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
    if juniors and junior_is_due(state.lane, docket.today, round(lane.junior_floor * 100), lane.floor_from):
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
    is_as_before = turn is not None and turn.is_seated and turn.weight == one.weight
    if not won and not shift and is_as_before:
        return
    start = one.start - shift + (base // one.weight if won else 0)
    given = (turn.given if turn else 0) + won
    last_at = docket.now if won else one.last_at
    docket.draft.put(
        turn_key(docket.division, picked.pool, one.rep), Turn(start, base, one.weight, given, True, last_at)
    )


def _unseat(docket: Docket, picked: Pick) -> None:
    """Members who were eligible at the last turn and are not now keep what they are owed, and gain nothing."""
    for rep in picked.refused:
        key = turn_key(docket.division, picked.pool, rep)
        turn = docket.draft.find(Turn, key)
        if turn is not None and turn.is_seated:
            base = picked.turn.rotation.base
            owed = picked.turn.rotation.level - turn.start * base // turn.base
            docket.draft.put(key, replace(turn, start=owed, base=base, is_seated=False))


def _waited(one: Candidate, salt: str) -> tuple[bool, datetime | None, str]:
    return one.last_at is not None, one.last_at, tie_hash(salt, one.rep)


def _ratio(taking: Taking) -> str:
    return f"{taking.rotation.level}/{taking.rotation.base}"
