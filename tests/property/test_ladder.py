"""Law of the ladder: whatever happens to a lead, in the end somebody made contact, it ended, or leadership was told."""

from collections import Counter
from datetime import timedelta
from typing import Any

import yaml
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from routing.lead_state import LeadState, Phase
from routing.policy import compile_policy
from routing.sla import REPEAT
from schemas.activity import ActivityKind
from schemas.decision import Decision, DecisionKind
from tests.worked.world import ACME, DEFAULT, ROSTER, Arrival, World

REPS = ("E1", "E2", "M1", "M2", "M3", "S1", "S2", "Q1")
ACTS = (ActivityKind.DECLINED, ActivityKind.CLAIMED, ActivityKind.REASSIGNED, ActivityKind.STAGE_CHANGED)
ENDS = (ActivityKind.CALLED, ActivityKind.MEETING_BOOKED, ActivityKind.DISQUALIFIED, ActivityKind.WON)
WAKE_UPS = 60  # of one lead, until its ladder has surely run to the end
BEHIND_SECONDS = 600.0


def policy_with(windows: dict[str, str]) -> str:
    """Return the default policy with other contact windows: the steps keep their names."""
    file = yaml.safe_load(DEFAULT)
    file.pop("examples", None)
    for tier, window in windows.items():
        file["tiers"][tier]["contact_within"] = window
    return yaml.safe_dump(file, sort_keys=False)


POLICIES = {
    "shipped": compile_policy(DEFAULT),
    "hasty": compile_policy(policy_with({"T1": "2m", "T2": "20m", "T3": "4h"})),
    "patient": compile_policy(policy_with({"T1": "30m", "T2": "4h", "T3": "40h"})),
}


class Ladder(RuleBasedStateMachine):
    """One lead, its one wake-up, and everything that may meet it."""

    @initialize(
        employees=st.sampled_from([None, 20, 120, 450, 2000]),
        action=st.sampled_from(["demo", "webinar", "newsletter"]),
        is_acme=st.booleans(),
        is_tight=st.booleans(),
    )
    def a_lead_comes(self, employees: int | None, action: str, is_acme: bool, is_tight: bool) -> None:
        tight = {"M1": 40.0, "M2": 40.0, "M3": 20.0, "S1": 40.0, "S2": 40.0, "S3": 40.0}
        self.world = World(loads=tight if is_tight else {})
        turns = [key for key in self.world.state.values if key.startswith("turn/")]  # the log knows nothing of them
        for key in turns:
            del self.world.state.values[key]
        self.arrival = Arrival(
            "some.example", employees, action=action, account=ACME if is_acme else None, who="a" * 32
        )
        self.lead_id = self.world.arrives(self.arrival).lead_id
        self.now = self.world.now
        self.touches = 1

    @rule(minutes=st.sampled_from([0.5, 1, 2.5, 5, 20, 60, 400]))
    def time_passes(self, minutes: float) -> None:
        self.now += timedelta(minutes=minutes)
        self.world.until(self.now)

    @rule(minutes=st.sampled_from([1, 5, 30]))
    def activity_is_behind(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)
        self.world.until(self.now, lag=BEHIND_SECONDS)

    @rule(kind=st.sampled_from(ACTS), rep=st.sampled_from(REPS), ago=st.integers(0, 3))
    def somebody_acts(self, kind: ActivityKind, rep: str, ago: int) -> None:
        more: dict[str, Any] = {"to": rep, "by": "boss", "reason": "because"} if kind == "reassigned" else {}
        when = self.now - timedelta(minutes=ago)
        self.world.does(kind, self.lead_id, rep, when, learned=self.now, stage="late", **more)

    @precondition(lambda self: self.touches < 3)
    @rule(action=st.sampled_from(["demo", "webinar", "newsletter"]))
    def the_lead_comes_back(self, action: str) -> None:
        self.touches += 1
        self.world.arrives(self.arrival.but(touch=self.touches, action=action, when=self.now))

    @precondition(lambda self: self.now > self.world.decisions[0].at + timedelta(minutes=8))
    @rule(kind=st.sampled_from(ENDS), rep=st.sampled_from(REPS), ago=st.integers(0, 8))
    def contact_or_an_end(self, kind: ActivityKind, rep: str, ago: int) -> None:
        self.world.does(kind, self.lead_id, rep, self.now - timedelta(minutes=ago), learned=self.now)

    @rule(rep=st.sampled_from(REPS), active=st.booleans())
    def the_roster_changes(self, rep: str, active: bool) -> None:
        self.world.roster(ROSTER[rep][0].model_copy(update={"active": active}), self.now)

    @rule(name=st.sampled_from(sorted(POLICIES)))
    def a_policy_is_activated(self, name: str) -> None:
        self.world.activate(POLICIES[name], self.now)

    @rule()
    def a_fire_comes_twice(self) -> None:
        self.world.fire(f"lead/{self.lead_id}", self.now, {"epoch": 1})

    @rule()
    def a_tombstone_takes_the_arming_away_and_its_fire_comes(self) -> None:
        self.world.wakes.pop(f"lead/{self.lead_id}", None)
        self.world.fire(f"lead/{self.lead_id}", self.now, {"epoch": 1})

    @invariant()
    def no_step_is_acted_on_twice_in_a_cycle(self) -> None:
        if not hasattr(self, "world"):
            return
        acted = Counter(
            (row.sla.cycle, row.trace["step"])
            for row in self._decisions()
            if row.sla is not None and row.trace.get("step") not in (None, REPEAT)
        )
        assert max(acted.values(), default=1) == 1, acted

    @invariant()
    def a_contacted_or_ended_lead_is_never_escalated(self) -> None:
        if not hasattr(self, "world"):
            return
        for row in self._decisions():
            is_contacted = row.sla is not None and row.sla.contacted_at is not None
            assert not (is_contacted and row.kind is DecisionKind.ESCALATED), row.reason

    def teardown(self) -> None:
        """Nothing else happens: the ladder runs to its end."""
        if not hasattr(self, "world"):
            return
        key = f"lead/{self.lead_id}"
        for _ in range(WAKE_UPS):
            if self._outcome() is not None:
                break
            assert key in self.world.wakes, f"{self._lead().phase} waits unseen"
            self.world.until(max(self.world.wakes[key].due_at, self.world.now))
        self.no_step_is_acted_on_twice_in_a_cycle()
        assert self._outcome() is not None
        assert self.world.replays()

    def _outcome(self) -> str | None:
        lead = self.world.state.get(f"lead/{self.lead_id}")
        if lead is None or lead.phase is Phase.CLOSED:
            return "closed"
        if lead.phase is Phase.NURTURED:
            return "nurtured"
        if lead.contacted_at is not None or lead.booked_at is not None:
            return "contacted"
        told = any(
            notice.audience == "leadership"
            for row in self._decisions()
            if row.sla is not None and row.sla.cycle == lead.cycle
            for notice in row.notices
        )
        return "leadership told" if told else None

    def _lead(self) -> LeadState:
        lead = self.world.state.get(f"lead/{self.lead_id}")
        assert isinstance(lead, LeadState)
        return lead

    def _decisions(self) -> list[Decision]:
        return [row for row in self.world.decisions if row.lead_id == self.lead_id]


TestLadder = Ladder.TestCase
TestLadder.settings = settings(
    max_examples=30, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
)
