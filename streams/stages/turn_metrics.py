"""Turns that reps received and were entitled to, counted: what fairness over a window is read from."""

from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter

from routing.seats import Seats, Turned

MOST_ROTATED = 16


@dataclass(slots=True)
class Rotated:
    """Turns among the same members by the same shares. turn: one of them."""

    turn: Turned
    turns: int = 0


class TurnMetrics:
    """Counters of one slot. Labels: division, pool, rep, tier: bounded by roster and policy."""

    def __init__(self, registry: CollectorRegistry) -> None:
        # Turns a rep received, by tier of the lead.
        self._turns = Counter(
            "leadstream_assign_turns_total", "Turns received.", ["division", "pool", "rep", "tier"], registry=registry
        )
        # Turns a rep was entitled to, by tier: at each turn of a pool the weight's share, while eligible. Received
        # minus entitled over a window is the fairness of that window and tier.
        self._entitled = Counter(
            "leadstream_assign_entitled_turns_total",
            "Turns entitled to.",
            ["division", "pool", "rep", "tier"],
            registry=registry,
        )
        self._taken: dict[tuple[str, str, str, str], int] = {}  # not counted yet; bounded as the labels are
        self._entitlements: dict[tuple[str, str, str, str], float] = {}  # not counted yet; bounded as the labels are
        self._rotated: dict[tuple[str, str, str, int], Rotated] = {}  # not added up yet: by the dict of shares

    def turned(self, seats: Seats) -> None:
        """Count the turns of one event, received and entitled, before its commit: a batch done again counts twice."""
        for turn in seats.turned:
            place = (turn.division, turn.pool, turn.tier)
            taken = (turn.division, turn.pool, turn.rep, turn.tier)
            self._taken[taken] = self._taken.get(taken, 0) + 1
            if len(self._rotated) >= MOST_ROTATED:
                self._add_up()
            self._rotated.setdefault((*place, id(turn.shares)), Rotated(turn)).turns += 1
        seats.turned.clear()

    def add_to_counter(self) -> None:
        """Move what was added up to the counter: a step of a counter for each member a turn costs more than a turn."""
        self._add_up()
        for place, taken in self._taken.items():
            self._turns.labels(*place).inc(taken)
        self._taken.clear()
        for place, turns in self._entitlements.items():
            self._entitled.labels(*place).inc(turns)
        self._entitlements.clear()

    def _add_up(self) -> None:
        for (division, pool, tier, _), rotated in self._rotated.items():
            for rep, share in rotated.turn.shares.items():
                place = (division, pool, rep, tier)
                entitled = rotated.turns * share / rotated.turn.total
                self._entitlements[place] = self._entitlements.get(place, 0.0) + entitled
        self._rotated.clear()
