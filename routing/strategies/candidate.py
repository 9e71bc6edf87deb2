"""What a strategy sees of a rep who could take the lead, and what it is asked."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from schemas.policy_pool import Performance
from schemas.value import value


@dataclass(slots=True)
class Candidate:
    """A member of the pool who is present, fits and is allowed.

    weight: hundredths, above 0. load, limit: hundredths of a point. last_at: the latest turn. merit: past performance
    in permille, None: unknown. For the decision under way: share, the weight that the strategy gives for this lead;
    start, where the next turn is released, over the rotation's base.
    """

    rep: str
    weight: int
    load: int
    limit: int
    seniority: str = "normal"
    last_at: datetime | None = None
    merit: int | None = None
    share: int = 0
    start: int = 0


@value
class Asked:
    """The lead, as far as a strategy may look at it.

    is_high_quality, is_to_learn_on: by the pool's `performance.when` and `coach_when`.
    """

    tier: str
    is_high_quality: bool = False
    is_to_learn_on: bool = False
    performance: Performance = field(default_factory=Performance)


class Rotation(NamedTuple):
    """The pool's clock of turns during one decision. step: what this turn adds to the level."""

    level: int
    base: int
    step: int


Rank = tuple[float | int, ...]


@dataclass(frozen=True, slots=True)
class Strategy:
    """How a pool picks. All numbers are exact; the smallest rank wins, ties go to who waited longest (NEW-16).

    weights: each candidate's weight for this lead, in hundredths; a share of each turn accrues by it.
    ranks: one a candidate. says: what the rank means, for the trace.
    """

    weights: Callable[[Sequence[Candidate], Asked], Sequence[int]]
    ranks: Callable[[Sequence[Candidate], Rotation], list[Rank]]
    says: str


ROUNDING_BITS = 36
NO_LIMIT_RANK = float(1 << 26)  # after every load/limit


def own_weights(candidates: Sequence[Candidate], asked: Asked) -> list[int]:
    """Return the candidates' own weights."""
    return [candidate.weight for candidate in candidates]


def due_first(candidates: Sequence[Candidate], rotation: Rotation) -> list[Rank]:
    """Rank who is owed anything of this turn before who is not, then whose turn falls due first."""
    base = rotation.base
    # Where the base is rounded, equal must stay equal: true gaps are at least base / (weight * sum of weights).
    ahead = rotation.level + rotation.step - (base >> ROUNDING_BITS)
    return [(one.start >= ahead, one.start + base // one.share) for one in candidates]


def load_share(candidates: Sequence[Candidate], rotation: Rotation) -> list[Rank]:
    """Rank by load/limit."""
    return [(load_rank(one),) for one in candidates]


def load_rank(one: Candidate) -> float:
    """Return load/limit. The quotient of two integers below 2^26 is equal as a float only when it is equal.

    A limit of 0 means no leads: where a policy goes over limits, or for a test lead, it comes after every other.
    """
    return one.load / one.limit if one.limit else NO_LIMIT_RANK
