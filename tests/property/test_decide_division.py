"""Laws of a division, whatever happens in it: each lead has an outcome, loads add up, steps act once, replays agree."""

from collections import Counter
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from routing.lead_state import LeadState, Phase
from routing.policy import Policy, compile_policy
from schemas.activity import ActivityKind
from schemas.decision import DecisionKind
from tests.worked.world import ACME, DEFAULT, ROSTER, Arrival, World

REPS = ("E1", "E2", "M1", "M2", "M3", "S1", "Q1")
RENAMED = DEFAULT.replace("\n  mm-southwest:\n", "\n  texas:\n").replace("{pool: mm-southwest}", "{pool: texas}")
OTHER_TIER = DEFAULT.replace("  T2:", "  warm:").replace("tier: T2", "tier: warm")
POLICIES = tuple(compile_policy(text.partition("\nexamples:")[0]) for text in (DEFAULT, RENAMED, OTHER_TIER))


class Division(RuleBasedStateMachine):
    """A division at work."""

    @initialize(tight=st.booleans())
    def open(self, tight: bool) -> None:
        tight_loads = {"M1": 39.5, "M2": 40.0, "M3": 19.5, "S1": 39.5, "S2": 40.0, "S3": 40.0}
        self.world = World(loads=tight_loads if tight else {})
        self.world.state.values = {k: v for k, v in self.world.state.values.items() if not k.startswith("turn/")}
        self.leads: list[str] = []
        self.now = self.world.now

    @rule(
        employees=st.sampled_from([None, 20, 120, 450, 2000]),
        action=st.sampled_from(["demo", "webinar", "newsletter"]),
        is_acme=st.booleans(),
        minutes=st.integers(0, 600),
        is_test=st.booleans(),
    )
    def a_lead_comes(self, employees: int | None, action: str, is_acme: bool, minutes: int, is_test: bool) -> None:
        self.passes(minutes)
        arrival = Arrival(
            "some.example", employees, action=action, when=self.now, account=ACME if is_acme else None, is_test=is_test
        )
        self.leads.append(self.world.arrives(arrival).lead_id)

    @rule(
        pick=st.integers(0, 50), kind=st.sampled_from(ActivityKind), rep=st.sampled_from(REPS), ago=st.integers(0, 20)
    )
    def somebody_acts(self, pick: int, kind: ActivityKind, rep: str, ago: int) -> None:
        if not self.leads:
            return
        lead = self.leads[pick % len(self.leads)]
        more: dict[str, Any] = {"to": rep, "by": "boss", "reason": "because"} if kind == "reassigned" else {}
        when = self.now - timedelta(minutes=ago)
        self.world.does(kind, lead, rep, when, learned=self.now, stage="late", **more)

    @rule(minutes=st.integers(1, 3000))
    def passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)
        self.world.until(self.now)

    @rule(minutes=st.integers(1, 60))
    def an_outage_ends(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)
        self.world.until(self.now, lag=600.0)

    @rule(rep=st.sampled_from(REPS), active=st.booleans())
    def the_roster_changes(self, rep: str, active: bool) -> None:
        self.world.roster(ROSTER[rep][0].model_copy(update={"active": active}), self.now)

    @rule(policy=st.sampled_from(POLICIES))
    def a_policy_is_activated(self, policy: Policy) -> None:
        """One that calls a pool or a tier otherwise, while leads of the old name are open."""
        self.world.policy = policy
        self.world.activate(policy, self.now)

    @rule()
    def a_batch_ends(self) -> None:
        self.world.seal()

    @rule(pick=st.integers(0, 50))
    def a_stale_wake_up_comes(self, pick: int) -> None:
        if self.leads:
            self.world.fire(f"lead/{self.leads[pick % len(self.leads)]}", self.now, {"epoch": 1})

    @invariant()
    def every_lead_has_an_outcome(self) -> None:
        for lead_id in getattr(self, "leads", []):
            lead = self.world.state.get(f"lead/{lead_id}")
            if lead is None:  # its tombstone has gone
                continue
            waits = lead.phase in (Phase.OWNED, Phase.HELD, Phase.QUEUED)
            assert lead.owner.id is not None or not waits
            is_running = waits and lead.contacted_at is None and lead.booked_at is None
            assert (f"lead/{lead_id}" in self.world.wakes) or not is_running

    @invariant()
    def open_leads_are_found_by_who_has_them_and_where_they_wait(self) -> None:
        if not hasattr(self, "world"):
            return
        leads = [lead for _, lead in self.world.state.scan("lead/") if lead.owner.id is not None]
        is_open = (Phase.OWNED, Phase.QUEUED, Phase.HELD)
        owned = {f"lead-by-owner/main/{lead.owner.id}/{lead.lead_id}" for lead in leads if lead.phase in is_open}
        assert {key for key, _ in self.world.state.scan("lead-by-owner/")} == owned
        waiting = {lead.held_in: lead.lead_id for lead in leads if lead.phase is Phase.HELD}
        assert dict(self.world.state.scan("held/")) == waiting

    @invariant()
    def loads_are_what_leads_and_opportunities_add_up_to(self) -> None:
        if not hasattr(self, "world"):
            return
        owed: Counter[str] = Counter()
        for _, lead in self.world.state.scan("lead/"):
            if isinstance(lead, LeadState) and lead.phase is Phase.OWNED and lead.owner.id:
                owed[lead.owner.id] += lead.points
                assert not (lead.is_test and lead.points)
        for _, row in self.world.state.scan("opportunity/"):
            owed[row.rep] += row.points
        for key, rep in self.world.state.scan("rep/"):
            assert rep.load == owed[rep.id], key

    @invariant()
    def no_step_is_acted_on_twice_in_a_cycle(self) -> None:
        if not hasattr(self, "world"):
            return
        for _, lead in self.world.state.scan("lead/"):
            names = [row.name for row in lead.done]
            assert len(names) == len(set(names))

    @invariant()
    def a_pool_never_takes_a_rep_over_the_limit(self) -> None:
        if not hasattr(self, "world"):
            return
        for decision in self.world.decisions:
            if decision.uses_turn and decision.kind in (DecisionKind.ASSIGNED, DecisionKind.REASSIGNED):
                for pool in decision.trace["pools"]:
                    chosen = [row for row in pool["candidates"] if row["why"] == "chosen"]
                    assert all(row["load"] + 50 <= row["limit"] for row in chosen)
        self.world.decisions.clear()

    def teardown(self) -> None:
        if hasattr(self, "world"):
            assert self.world.replays()


TestDivision = Division.TestCase
TestDivision.settings = settings(
    max_examples=15, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
)
