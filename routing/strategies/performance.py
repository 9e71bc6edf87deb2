"""The best of a pool receive more of the high-quality leads, the last more of those to learn on (MOD-8).

Past rates come with the roster. Who is close to their limit gets no larger share: both bonuses are capped by load.
"""

from collections.abc import Sequence

from routing.rep_state import RosterRow
from routing.strategies.candidate import Asked, Candidate, Strategy, due_first
from schemas.policy_pool import Performance


def merit(row: RosterRow, plan: Performance) -> int | None:
    """Return a rep's past performance in permille: close rate and, by `activity_weight`, activity rate; what is known
    of the two, None where nothing is."""
    close, activity = row.close_permille, row.activity_permille
    if close is None or activity is None:
        return activity if close is None else close
    percent = round(plan.activity_weight * 100)
    return (close * (100 - percent) + activity * percent) // 100


def _boosted(candidates: Sequence[Candidate], asked: Asked) -> list[int]:
    """The candidates' weights, with a bonus for those whom this lead is meant for. Who has no known rate has none."""
    plan = asked.performance
    plain = [candidate.weight for candidate in candidates]
    if asked.is_high_quality:
        chosen, bonus = _first(candidates, plan.best_share, -1), plan.bonus
    elif asked.is_to_learn_on:
        chosen, bonus = _first(candidates, plan.coach_share, 1), plan.coach_bonus
    else:
        return plain
    percent, cap = round((1 + bonus) * 100), round(plan.load_cap * 100)
    return [
        weight * percent // 100 if one.rep in chosen and one.load * 100 <= one.limit * cap else weight
        for weight, one in zip(plain, candidates, strict=True)
    ]


def _first(candidates: Sequence[Candidate], share: float, direction: int) -> set[str]:
    """The reps of the `share` that comes first by merit, ties included. direction: -1 the best, 1 the last."""
    rated = sorted(one.merit * direction for one in candidates if one.merit is not None)
    if not rated or share == 0:
        return set()
    many = max(round(len(candidates) * share), 1)
    least = rated[min(many, len(rated)) - 1]
    return {one.rep for one in candidates if one.merit is not None and one.merit * direction <= least}


PERFORMANCE = Strategy(
    _boosted, due_first, "turns by weight, the best more of the high-quality leads, the last more to learn on"
)
