"""What ASSIGN knows exactly of its divisions, as gauges, measured every few seconds from what it holds in memory.

Reps, pools and turns are resident; of the backlog only its index is read, and at most MOST_COUNTED places of it: no
lead is ever scanned.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import islice

from prometheus_client import CollectorRegistry, Gauge

from routing.availability import absence
from routing.division import Division
from routing.docket import Docket
from routing.draft import Draft
from routing.policy import Policy
from routing.rep_state import POINT, RepState
from routing.seats import Seats
from schemas.state import StateView
from streams.stages.pool_metrics import MOST_COUNTED, PoolMetrics
from streams.stages.shown import Shown
from streams.stages.turn_metrics import TurnMetrics


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
        # Load of a rep in points (CAPA-1).
        self._load = Gauge("leadstream_assign_rep_load_points", "Load.", ["division", "rep"], registry=registry)
        # Limit of a rep in points. Load at the limit: the rep gets no more leads but owner-bound ones.
        self._limit = Gauge("leadstream_assign_rep_limit_points", "Limit.", ["division", "rep"], registry=registry)
        # 1 while a rep is on the roster, active and not sick or away; shifts and leave are not looked at.
        self._available = Gauge(
            "leadstream_assign_rep_available", "1 when not absent.", ["division", "rep"], registry=registry
        )
        self._shown = Shown()
        self._pools = PoolMetrics(registry, self._shown)
        self.turns = TurnMetrics(registry)

    def measure(self, states: Sequence[StateView], policies: Callable[[str], Policy | None], now: datetime) -> None:
        """Set all gauges anew from the states of the partitions at hand, and count what was turned since."""
        self.turns.add_to_counter()
        self._shown.begin()
        for state in states:
            for _, division in state.scan("division/"):
                self._division(state, division, policies, now)
        self._shown.end()

    def _division(
        self, state: StateView, division: Division, policies: Callable[[str], Policy | None], now: datetime
    ) -> None:
        name = division.name
        self._waiting(state, name, now)
        policy = policies(division.policy_hash) if division.policy_hash else None
        if policy is None:
            return
        self._shown.show(self._policy, 1, name, policy.hash[:12])
        for compiled in policy.rules:
            self._shown.show(self._rules, 1, name, compiled.rule.name)
        docket = Docket(Draft(state, now), policy, name, "", now, Seats())
        for _, rep in state.scan(f"rep/{name}/"):
            if rep.row is not None:
                self._rep(docket, rep)
        self._pools.measure(docket)

    def _waiting(self, state: StateView, division: str, now: datetime) -> None:
        places = list(islice(state.scan(f"waiting/{division}/"), MOST_COUNTED))
        self._shown.show(self._unassigned, len(places), division)
        oldest = datetime.fromisoformat(places[0][0].split("/")[2]) if places else now
        self._shown.show(self._unassigned_age, max(0.0, (now - oldest).total_seconds()), division)

    def _rep(self, docket: Docket, rep: RepState) -> None:
        assert rep.row is not None
        self._shown.show(self._load, rep.load / POINT, docket.division, rep.id)
        self._shown.show(self._limit, docket.limit(rep.row) / POINT, docket.division, rep.id)
        self._shown.show(self._available, absence(rep, docket.now, docket.now) is None, docket.division, rep.id)
