"""A pool on its own, without leads: who gets each turn, and what each member was entitled to."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction

from routing.candidates import Survey
from routing.docket import Docket
from routing.draft import Draft
from routing.picking import pick, take_turn
from routing.policy import compile_policy
from routing.pool_state import turn_key
from routing.replay import Memory
from routing.seats import Seat, Seats
from routing.strategies.candidate import Asked, Candidate
from tests.worked.world import DEFAULT

POLICY = compile_policy(DEFAULT)
POOL = POLICY.file.pools["mm-southwest"]
START = datetime(2026, 3, 10, 14, tzinfo=UTC)


class Rotating:
    """Gives out turns of one pool. given, entitled: rep -> turns so far (NEW-10)."""

    def __init__(self, strategy: str = "weighted") -> None:
        self.state = Memory()
        self.strategy = strategy
        self.turns = 0
        self.given: dict[str, int] = {}
        self.entitled: dict[str, Fraction] = {}
        self.weights: dict[str, int] = {}

    def turn(self, weights: Mapping[str, int], away: Sequence[str] = (), loads: Mapping[str, int] | None = None) -> str:
        """Give the next lead to one of `weights` (rep -> hundredths) who is not away; return who got it."""
        now = START + timedelta(seconds=self.turns)
        self.turns += 1
        docket = Docket(Draft(self.state, now), POLICY, "main", f"e{self.turns}", now, Seats())
        here = {rep: weight for rep, weight in weights.items() if rep not in away}
        fit = [Candidate(rep, weight, (loads or {}).get(rep, 0), 4000) for rep, weight in here.items()]
        found = Survey("pool", fit, dict.fromkeys(away, "absent"), [self._seat(rep) for rep in (*here, *away)])
        for one in fit:
            turn = self.state.get(turn_key("main", "pool", one.rep))
            one.last_at = turn.last_at if turn else None
        picked = pick(docket, POOL, found, Asked("T2"), self.strategy, f"lead-{self.turns}")
        take_turn(docket, POOL, picked, Asked("T2"))
        self.state.fold(docket.draft.effects())
        shares = dict.fromkeys(here, 100) if self.strategy == "round_robin" else here
        total = sum(shares.values())
        for rep, weight in shares.items():
            self.entitled[rep] = self.entitled.get(rep, Fraction(0)) + Fraction(weight, total)
        self.given[picked.rep] = self.given.get(picked.rep, 0) + 1
        return picked.rep

    def _seat(self, rep: str) -> Seat:
        turn = self.state.get(turn_key("main", "pool", rep))
        return Seat(rep, None, None, None, False, None, Candidate(rep, 0, 0, 0), turn)

    def furthest(self) -> Fraction:
        """Return the largest distance between turns received and turns entitled."""
        return max(abs(self.given.get(rep, 0) - share) for rep, share in self.entitled.items())
