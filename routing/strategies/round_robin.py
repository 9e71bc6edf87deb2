"""Equal turns (MOD-1)."""

from collections.abc import Sequence

from routing.strategies.candidate import Asked, Candidate, Strategy, due_first


def _equal(candidates: Sequence[Candidate], asked: Asked) -> list[int]:
    return [100] * len(candidates)


ROUND_ROBIN = Strategy(_equal, due_first, "equal turns; whoever's turn falls due first")
