"""What ASSIGN knows exactly of a division's pools, as gauges: members, load, fairness, and who waits for room."""

from collections.abc import Sequence
from datetime import datetime
from itertools import islice

from prometheus_client import CollectorRegistry, Gauge

from routing.availability import absence
from routing.docket import Docket
from routing.groups import pool_group
from routing.pool_state import PoolState, Turn, pool_key, turn_key
from routing.rep_state import RepState
from schemas.policy_pool import Pool, Strategy
from streams.stages.shown import Shown

MOST_COUNTED = 1_000
_ROTATIONS = (Strategy.ROUND_ROBIN, Strategy.WEIGHTED)


class PoolMetrics:
    """Gauges of one slot's pools. Labels: division, pool, rep, tier: bounded by roster and policy."""

    def __init__(self, registry: CollectorRegistry, shown: Shown) -> None:
        self._shown = shown
        # Leads waiting for room, the team lead accountable; 1,000 means 1,000 or more. Rising: the pool is too small.
        self._held = Gauge(
            "leadstream_assign_held_leads", "Leads waiting for room.", ["division", "pool", "tier"], registry=registry
        )
        # Age of the oldest of these. T2 at 15 min or T3 at 1 h: it should have gone to the team lead; see TIMERS.
        self._held_age = Gauge(
            "leadstream_assign_held_age_seconds",
            "Age of the oldest lead waiting for room.",
            ["division", "pool", "tier"],
            registry=registry,
        )
        # Members of a pool: all, present (neither marked as away nor on leave now), free (present, with room). present
        # 0: its leads overflow or wait, look at the roster. free 0: raise limits or add people.
        self._members = Gauge(
            "leadstream_assign_pool_members", "Members of a pool.", ["division", "pool", "state"], registry=registry
        )
        # Highest minus lowest load/limit of a pool's present members, 0 to 1. Above 0.3: leads go to the few, look at
        # strategy, skills and caps.
        self._spread = Gauge(
            "leadstream_assign_utilisation_spread_ratio",
            "Highest minus lowest load/limit in a pool.",
            ["division", "pool"],
            registry=registry,
        )
        # Turns received minus turns entitled (NEW-10). mode `rotation`: always below one turn, 2 is a fault; `lane`
        # (the senior lane takes turns too): 5 for a day; `load` (least loaded, performance): only informs.
        self._deviation = Gauge(
            "leadstream_assign_fairness_deviation_turns",
            "Turns received minus turns entitled.",
            ["division", "pool", "rep", "mode"],
            registry=registry,
        )

    def measure(self, docket: Docket) -> None:
        """Show every pool of a division's policy."""
        for name, pool in docket.file.pools.items():
            self._members_of(docket, name, pool)
            self._held_in(docket, name)

    def _members_of(self, docket: Docket, name: str, pool: Pool) -> None:
        members = docket.group(pool_group(name))
        reps = [rep for rep in map(docket.rep, members) if rep is not None and rep.row is not None]
        present = [rep for rep in reps if absence(rep, docket.now, docket.now) is None]
        limits = {rep.id: docket.limit(rep.row) for rep in present if rep.row is not None}
        free = [rep for rep in present if rep.load + docket.assigned_points <= limits[rep.id]]
        for state, count in (("all", len(members)), ("present", len(present)), ("free", len(free))):
            self._shown.show(self._members, count, docket.division, name, state)
        used = [rep.load / limits[rep.id] for rep in present if limits[rep.id] > 0]
        self._shown.show(self._spread, max(used) - min(used) if used else 0.0, docket.division, name)
        counters = docket.draft.find(PoolState, pool_key(docket.division, name)) or PoolState()
        mode = _mode(pool, reps)
        for rep in reps:
            turn = docket.draft.find(Turn, turn_key(docket.division, name, rep.id))
            if turn is not None:
                self._shown.show(self._deviation, deviation(turn, counters), docket.division, name, rep.id, mode)

    def _held_in(self, docket: Docket, pool: str) -> None:
        tiers = list(docket.file.tiers)
        by_tier: dict[str, list[datetime]] = {tier: [] for tier in tiers}
        for key, _ in islice(docket.draft.scan(f"held/{docket.division}/{pool}/"), MOST_COUNTED):
            _, _, _, urgency, clock_at, _ = key.split("/", 5)
            place = int(urgency)
            by_tier[tiers[place] if place < len(tiers) else tiers[-1]].append(datetime.fromisoformat(clock_at))
        for tier, since in by_tier.items():
            self._shown.show(self._held, len(since), docket.division, pool, tier)
            age = (docket.now - min(since)).total_seconds() if since else 0.0
            self._shown.show(self._held_age, max(0.0, age), docket.division, pool, tier)


def deviation(turn: Turn, pool: PoolState) -> float:
    """Return turns received minus turns entitled: of a member at the pool's level 0, ahead above it.

    A member gains `weight` turns a level and gives one back with each turn, so the distance of the next release from
    the level, times the weight, is what they are ahead (routing/pool_state.py). An unseated one keeps what was owed.
    """
    if turn.is_seated:
        return turn.weight * (turn.start / turn.base - pool.level / pool.base)
    return -turn.weight * turn.start / turn.base


def _mode(pool: Pool, reps: Sequence[RepState]) -> str:
    if pool.strategies or pool.strategy not in _ROTATIONS:
        return "load"
    lane = pool.senior_lane
    seniors = lane is not None and any(rep.row is not None and rep.row.seniority in lane.seniority for rep in reps)
    return "lane" if seniors else "rotation"
