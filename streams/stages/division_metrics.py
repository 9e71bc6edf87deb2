"""What ASSIGN knows exactly of its divisions, as gauges, measured every few seconds from what it holds in memory.

Reps, pools and turns are resident; of the backlog only its index is read, and at most MOST_COUNTED places of it: no
lead is ever scanned.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from prometheus_client import CollectorRegistry, Counter, Gauge

from routing.availability import standing_absence
from routing.division import Division
from routing.docket import Docket
from routing.draft import Draft
from routing.groups import pool_group
from routing.policy import Policy
from routing.pool_state import PoolState, Turn, pool_key, turn_key
from routing.rep_state import POINT, RepState
from routing.seats import Seats, Turned
from schemas.policy_pool import Pool, Strategy
from schemas.state import StateView

MOST_COUNTED = 1_000
MOST_ROTATED = 16
_ROTATIONS = (Strategy.ROUND_ROBIN, Strategy.WEIGHTED)


@dataclass(slots=True)
class Rotated:
    """Turns among the same members by the same shares. turn: one of them."""

    turn: Turned
    turns: int = 0


class DivisionMetrics:
    """Gauges of one slot's divisions. Labels: division, pool, rep, tier, rule: bounded by roster and policy."""

    def __init__(self, registry: CollectorRegistry) -> None:
        # Which policy a division decides by; 1. None for a division: publish and activate one, its leads wait.
        self._policy = Gauge(
            "leadstream_assign_policy_info", "1: the active policy.", ["division", "policy"], registry=registry
        )
        # The rules of the active policy; 1. With outcomes by rule it tells which never matched (30 days: remove it).
        self._rules = Gauge(
            "leadstream_assign_rule_info", "1: a rule of the active policy.", ["division", "rule"], registry=registry
        )
        # Leads with no owner, owned queue or accountable team lead: they wait for a policy. Any for 15 min: page.
        self._unassigned = Gauge(
            "leadstream_assign_unassigned_leads", "Leads nobody is accountable for.", ["division"], registry=registry
        )
        # Age of the oldest of these, from its clock's start.
        self._unassigned_age = Gauge(
            "leadstream_assign_unassigned_age_seconds", "Age of the oldest such lead.", ["division"], registry=registry
        )
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
        # Load of a rep in points (CAPA-1).
        self._load = Gauge("leadstream_assign_rep_load_points", "Load.", ["division", "rep"], registry=registry)
        # Limit of a rep in points. Load at the limit: the rep gets no more leads but owner-bound ones.
        self._limit = Gauge("leadstream_assign_rep_limit_points", "Limit.", ["division", "rep"], registry=registry)
        # 1 while a rep is on the roster, active and not sick or away; shifts and leave are not looked at.
        self._available = Gauge(
            "leadstream_assign_rep_available", "1 when not absent.", ["division", "rep"], registry=registry
        )
        # Members of a pool: all, present (not absent), free (present and with room). present 0: its leads overflow or
        # wait, look at the roster. free 0: raise limits or add people.
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
        self._entitlements: dict[tuple[str, str, str, str], float] = {}  # not counted yet; bounded as the labels are
        self._rotated: dict[tuple[str, str, str, int], Rotated] = {}  # not added up yet: by the dict of shares
        self._shown: set[tuple[Gauge, tuple[str, ...]]] = set()

    def measure(self, states: Sequence[StateView], policies: Callable[[str], Policy | None], now: datetime) -> None:
        """Set all gauges anew from the states of the partitions at hand, and count what was turned since."""
        self._count()
        before, self._shown = self._shown, set()
        for state in states:
            for _, division in state.scan("division/"):
                self._division(state, division, policies, now)
        for gauge, labels in before - self._shown:  # not cleared first: a scrape in between would see nothing
            gauge.remove(*labels)

    def turned(self, seats: Seats) -> None:
        """Count the turns of one event, received and entitled, before its commit: a batch done again counts twice."""
        for turn in seats.turned:
            place = (turn.division, turn.pool, turn.tier)
            self._turns.labels(turn.division, turn.pool, turn.rep, turn.tier).inc()
            if len(self._rotated) >= MOST_ROTATED:
                self._add_up()
            self._rotated.setdefault((*place, id(turn.shares)), Rotated(turn)).turns += 1
        seats.turned.clear()

    def _add_up(self) -> None:
        for (division, pool, tier, _), rotated in self._rotated.items():
            for rep, share in rotated.turn.shares.items():
                place = (division, pool, rep, tier)
                entitled = rotated.turns * share / rotated.turn.total
                self._entitlements[place] = self._entitlements.get(place, 0.0) + entitled
        self._rotated.clear()

    def _count(self) -> None:
        """Move what was added up to the counter: a step of a counter for each member a turn costs more than a turn."""
        self._add_up()
        for place, turns in self._entitlements.items():
            self._entitled.labels(*place).inc(turns)
        self._entitlements.clear()

    def _division(
        self, state: StateView, division: Division, policies: Callable[[str], Policy | None], now: datetime
    ) -> None:
        name = division.name
        self._waiting(state, name, now)
        policy = policies(division.policy_hash) if division.policy_hash else None
        if policy is None:
            return
        self._show(self._policy, 1, name, policy.hash[:12])
        for compiled in policy.rules:
            self._show(self._rules, 1, name, compiled.rule.name)
        docket = Docket(Draft(state, now), policy, name, "", now, Seats())
        for _, rep in state.scan(f"rep/{name}/"):
            if rep.row is not None:
                self._rep(docket, rep)
        for pool_name, pool in policy.file.pools.items():
            self._pool(docket, pool_name, pool)
            self._backlog(docket, pool_name)

    def _waiting(self, state: StateView, division: str, now: datetime) -> None:
        places = list(islice(state.scan(f"waiting/{division}/"), MOST_COUNTED))
        self._show(self._unassigned, len(places), division)
        oldest = _instant(places[0][0].split("/")[2]) if places else now
        self._show(self._unassigned_age, max(0.0, (now - oldest).total_seconds()), division)

    def _rep(self, docket: Docket, rep: RepState) -> None:
        assert rep.row is not None
        self._show(self._load, rep.load / POINT, docket.division, rep.id)
        self._show(self._limit, docket.limit(rep.row) / POINT, docket.division, rep.id)
        self._show(self._available, standing_absence(rep) is None, docket.division, rep.id)

    def _pool(self, docket: Docket, name: str, pool: Pool) -> None:
        members = docket.group(pool_group(name))
        reps = [rep for rep in map(docket.rep, members) if rep is not None and rep.row is not None]
        present = [rep for rep in reps if standing_absence(rep) is None]
        limits = {rep.id: docket.limit(rep.row) for rep in present if rep.row is not None}
        free = [rep for rep in present if rep.load + docket.assigned_points <= limits[rep.id]]
        for state, count in (("all", len(members)), ("present", len(present)), ("free", len(free))):
            self._show(self._members, count, docket.division, name, state)
        used = [rep.load / limits[rep.id] for rep in present if limits[rep.id] > 0]
        self._show(self._spread, max(used) - min(used) if used else 0.0, docket.division, name)
        counters = docket.draft.find(PoolState, pool_key(docket.division, name)) or PoolState()
        mode = _mode(pool, reps)
        for rep in reps:
            turn = docket.draft.find(Turn, turn_key(docket.division, name, rep.id))
            if turn is not None:
                self._show(self._deviation, deviation(turn, counters), docket.division, name, rep.id, mode)

    def _backlog(self, docket: Docket, pool: str) -> None:
        tiers = list(docket.file.tiers)
        by_tier: dict[str, list[datetime]] = {tier: [] for tier in tiers}
        for key, _ in islice(docket.draft.scan(f"held/{docket.division}/{pool}/"), MOST_COUNTED):
            _, _, _, urgency, clock_at, _ = key.split("/", 5)
            place = int(urgency)
            by_tier[tiers[place] if place < len(tiers) else tiers[-1]].append(_instant(clock_at))
        for tier, since in by_tier.items():
            self._show(self._held, len(since), docket.division, pool, tier)
            age = (docket.now - min(since)).total_seconds() if since else 0.0
            self._show(self._held_age, max(0.0, age), docket.division, pool, tier)

    def _show(self, gauge: Gauge, value: float, *labels: str) -> None:
        gauge.labels(*labels).set(value)
        self._shown.add((gauge, labels))


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


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)
