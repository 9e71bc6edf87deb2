"""The best of a pool receive a larger share of high-quality leads (MOD-8).

Past close rates come with the roster. Who is close to their limit gets no larger share: the bonus is capped by load.
"""

from collections.abc import Sequence

from routing.strategies.candidate import Asked, Candidate, Strategy, due_first


def _boosted(candidates: Sequence[Candidate], asked: Asked) -> list[int]:
    plain = [candidate.weight for candidate in candidates]
    rates = sorted((c.close_permille for c in candidates if c.close_permille is not None), reverse=True)
    if not asked.is_high_quality or not rates:
        return plain
    best = max(round(len(candidates) * asked.performance.best_share), 1)
    least = rates[min(best, len(rates)) - 1]
    percent = round((1 + asked.performance.bonus) * 100)
    cap = round(asked.performance.load_cap * 100)
    return [
        weight * percent // 100 if _earns(candidate, least, cap) else weight
        for weight, candidate in zip(plain, candidates, strict=True)
    ]


def _earns(candidate: Candidate, least: int, cap_percent: int) -> bool:
    if candidate.close_permille is None or candidate.close_permille < least:
        return False
    return candidate.load * 100 <= candidate.limit * cap_percent


PERFORMANCE = Strategy(_boosted, due_first, "turns by weight, the best more of the high-quality leads")
