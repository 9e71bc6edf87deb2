"""The rotation of a pool, kept exactly: a virtual clock of turns, and each member's place on it.

Per turn the pool's level rises by 1/W, W being the weights of the members who were eligible for that lead; a member
of weight w is so entitled to w/W of it. A member's next turn is released at `start` and falls due at
`start + 1/w`. Levels and starts are integers over a common `base`, a multiple of all the weights in play, so nothing
is rounded until the base would pass `BASE_LIMIT` (after that: by less than 2^-58 of a turn each time).
"""

from dataclasses import field
from datetime import datetime
from math import lcm

from routing.rep_state import Used
from schemas.value import value

BASE_LIMIT = 1 << 59
LEVEL_LIMIT = 1 << 61  # the store's integers have 64 bits
LANE_DAYS = 30


@value
class Turn:
    """A member's place in a rotation.

    start: the level at which the next turn is released, over base; while unseated (not eligible when a lead was last
    placed), the level owed instead, so that entitlement rests. weight: hundredths. last_at: the latest turn.
    """

    start: int
    base: int
    weight: int
    given: int = 0
    is_seated: bool = True
    last_at: datetime | None = None


@value
class LaneDay:
    """T1 leads of a pool on one UTC day: all, and those that went to members who are not senior."""

    all: int = 0
    junior: int = 0


@value
class PoolState:
    """A pool's counters. lane: UTC day "2026-03-10" -> T1 leads, the last 30 days only. used: cap -> its window."""

    level: int = 0
    base: int = 1
    turns: int = 0
    lane: dict[str, LaneDay] = field(default_factory=dict)
    used: dict[str, Used] = field(default_factory=dict)


def pool_key(division: str, pool: str) -> str:
    """Return the store key of a pool's counters."""
    return f"pool/{division}/{pool}"


def turn_key(division: str, pool: str, rep: str) -> str:
    """Return the store key of a member's place in a rotation."""
    return f"turn/{division}/{pool}/{rep}"


def finer(base: int, weights: set[int], total: int) -> int:
    """Return a multiple of `base` that `weights` and their sum `total` divide; of a base near the limit, `base`."""
    wanted = lcm(base, total, *weights)
    if wanted <= BASE_LIMIT:
        return wanted
    return base if base >= BASE_LIMIT >> 8 else base * (BASE_LIMIT // base)


def place(turn: Turn | None, weight: int, level: int, base: int) -> int:
    """Return where a member's next turn is released, over `base`, given the pool's `level` over the same base.

    A newcomer starts at the pool's present level, a returner with what was owed (NEW-10, NEW-15); after a change of
    weight the same share of a lead is owed as before.
    """
    if turn is None:
        return level
    start = turn.start * base // turn.base
    owed = level - start if turn.is_seated else start
    if turn.weight != weight:
        owed = owed * turn.weight // weight
    return level - owed
