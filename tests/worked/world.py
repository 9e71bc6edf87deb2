"""The world of the worked examples: the Setup roster, the shipped default policy, leads that come and time that passes.

Leads go through the real grading and the real ASSIGN stage; wake-ups fire at their due instants, in order.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo

from routing.lead_state import LeadState
from routing.policy import Policy, compile_policy
from routing.pool_state import Turn, turn_key
from routing.replay import Memory, replay
from routing.scoring import judged
from schemas.activity import ActivityBound, ActivityKind
from schemas.decision import Decision, DecisionKind, DecisionsJournalled
from schemas.delivery import DeliverySettled, Settlement
from schemas.effects import CancelWake, Emit, Wake
from schemas.ids import division_of, person_of
from schemas.lead import (
    AccountRef,
    Company,
    Contact,
    Disqualified,
    Lead,
    LeadScored,
    MailFacts,
    MailKind,
    OpenDuplicate,
)
from schemas.policy import PolicyActivated
from schemas.rep import Absence, Backup, Hours, Rep, RepChanged
from schemas.timer import WakeUp
from schemas.wire import decode, encode
from streams.stage import Event, Handled
from streams.stages.assign import AssignStage

CHICAGO = ZoneInfo("America/Chicago")
NEW_YORK = ZoneInfo("America/New_York")
SUBMITTED = datetime(2026, 3, 10, 14, 14, tzinfo=CHICAGO)
WEEK = dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), (("09:00", "18:00"),))
DEFAULT = (files("routing.policies") / "default.yaml").read_text()
TERRITORY_FIRST = (files("routing.policies") / "territory-first.yaml").read_text()


def at(wall: str, day: int = 10) -> datetime:
    """Return "14:19" or "14:19:30" of March 2026 in the pools' zone, as UTC."""
    parts = [int(part) for part in wall.split(":")]
    hour, minute, second = (*parts, 0)[:3]
    return datetime(2026, 3, day, hour, minute, second, tzinfo=CHICAGO).astimezone(UTC)


def person(rep_id: str, team: str, role: str = "ae", **more: Any) -> Rep:
    """Return a roster entry; hours Mon-Fri 09:00-18:00 in the pools' zone."""
    hours = more.pop("hours", Hours(timezone="America/Chicago", week=WEEK))
    return Rep(id=rep_id, name=rep_id, role=role, team=team, hours=hours, **more)


NIGHTS = Hours(
    timezone="America/Chicago",
    week={
        **dict.fromkeys(WEEK, (("00:00", "09:00"), ("18:00", "24:00"))),
        "sat": (("00:00", "24:00"),),
        "sun": (("00:00", "24:00"),),
    },
)
EVERY_DAY = (*WEEK, "sat", "sun")
ALWAYS = Hours(timezone="America/Chicago", week=dict.fromkeys(EVERY_DAY, (("00:00", "24:00"),)))

ROSTER: dict[str, tuple[Rep, float]] = {
    rep.id: (rep, load)
    for rep, load in (
        (person("E1", "ent-amer", seniority="senior", limit=40, backups=(Backup(rep="E2"),)), 20),
        (person("E2", "ent-amer", seniority="senior", limit=40), 12),
        (person("EM", "ent-amer", "manager"), 0),
        (person("M1", "mm-southwest", seniority="senior", limit=40), 20),
        (person("M2", "mm-southwest", seniority="normal", limit=40), 20),
        (person("M3", "mm-southwest", seniority="new", limit=20), 10),
        (person("MM", "mm-southwest", "manager"), 0),
        (person("S1", "smb-sdr", "sdr", limit=40), 10),
        (person("S2", "smb-sdr", "sdr", limit=40), 10),
        (person("S3", "smb-sdr", "sdr", limit=40), 10),
        (person("SM", "smb-sdr", "manager"), 0),
        (person("V1", "vert-healthcare", limit=40), 0),
        (person("VM", "vert-healthcare", "manager"), 0),
        (person("Q1", "general-qual", limit=40), 0),
        (person("Q2", "general-qual", limit=40), 0),
        (person("QM", "general-qual", "manager"), 0),
        (person("H1", "after-hours", hours=NIGHTS, limit=40), 0),
        (person("H2", "after-hours", hours=NIGHTS, limit=40), 0),
        (person("HM", "after-hours", "manager", hours=ALWAYS), 0),
        (person("RV", "manual-review", "reviewer"), 0),
        (person("RM", "manual-review", "manager"), 0),
        (person("CA", "catch-all", "reviewer"), 0),
        (person("CM", "catch-all", "manager"), 0),
        (person("SL", "board", "leadership", hours=ALWAYS), 0),
        (
            person("X9", "ent-amer", active=False, deactivated_at=datetime(2026, 3, 1, tzinfo=UTC), manager="EM"),
            0,
        ),
    )
}
# Who has the next turn in a fresh rotation, then the one after: the longer ago the last turn, the sooner the next.
NEXT = {"smb-sdr": "S1 S2 S3", "general-qual": "Q1 Q2", "after-hours": "H1 H2", "mm-southwest": "", "ent-amer": ""}
ACME = AccountRef(domain="acme.example", name="Acme", owner="E1", backup="E2", is_named=True)
BETA = AccountRef(domain="beta.example", name="Beta", owner="X9", is_named=True)


@dataclass
class World:
    """One division, from its activation to wherever the test leads it."""

    policy_text: str = DEFAULT
    without: tuple[str, ...] = ()
    changed: dict[str, Rep] = field(default_factory=dict)
    loads: dict[str, float] = field(default_factory=dict)
    begins: datetime = datetime(2026, 3, 9, 12, tzinfo=UTC)

    def __post_init__(self) -> None:
        self.policies: dict[str, Policy] = {}
        self.policy = self._published(self.policy_text)
        self.stage = AssignStage(self.policies.get)
        self.state = Memory()
        self.decisions: list[Decision] = []
        self.wakes: dict[str, Wake] = {}
        self.now = self.begins
        self.offset = 0
        self.handled: list[Handled] = []
        self.journal: list[DecisionsJournalled] = []
        self.leads: dict[str, str] = {}
        self.persons = 0
        self.activate(self.policy)
        for rep, load in ROSTER.values():
            if rep.id not in self.without:
                self.roster(self.changed.get(rep.id, rep))
                self._loaded(rep.id, self.loads.get(rep.id, load))
        self._fresh_rotations()
        self.decisions.clear()

    def _published(self, text: str) -> Policy:
        policy = compile_policy(text)
        self.policies[policy.hash] = policy
        return policy

    def _loaded(self, rep: str, points: float) -> None:
        """Bring a rep to a load by opportunities of late, mid and early stage."""
        for stage, size in (("late", 1.5), ("mid", 1.0), ("early", 0.5)):
            while points >= size:
                points -= size
                self.opportunity(rep, f"{rep}-{self.offset}", stage)

    def _fresh_rotations(self) -> None:
        for pool, order in NEXT.items():
            for place, rep in enumerate(order.split()):
                last_at = self.now - timedelta(days=30 - place)
                self.state.values[turn_key("main", pool, rep)] = Turn(0, 1, 100, 0, True, last_at)

    # What happens

    def send(self, kind: str, value: Any, now: datetime) -> list[Decision]:
        """Handle one event, as it would come off the wire; return its decisions."""
        self.now = max(self.now, now)
        self.offset += 1
        carried = decode(kind, 1, encode(value))
        event = Event(f"event-{self.offset}", kind, "leads.scored", 0, self.offset, "main", carried, self.now, {})
        effects = self.stage.handle(self.state, event, {}, self.now)
        self.state.fold(effects)
        self.handled.append(Handled(event, self.now, tuple(effects)))
        made = []
        for effect in effects:
            if isinstance(effect, Wake):
                self.wakes[effect.key] = effect
            elif isinstance(effect, CancelWake):
                self.wakes.pop(effect.key, None)
            elif isinstance(effect, Emit):
                made.append(Decision.model_validate_json(effect.encoded or encode(effect.value) or b""))
        self.decisions += made
        return made

    def seal(self) -> None:
        """End a batch: write its journal."""
        effects = self.stage.seal(self.handled)
        self.state.fold(effects)
        self.journal += [
            DecisionsJournalled.model_validate_json(encode(one.value) or b"")
            for one in effects
            if isinstance(one, Emit)
        ]
        self.handled = []

    def activate(self, policy: Policy, now: datetime | None = None) -> None:
        self.policies[policy.hash] = policy
        activated = PolicyActivated(division="main", hash=policy.hash, by="ops", reason="test", at=now or self.now)
        self.send("policy.activated", activated, now or self.now)

    def roster(self, rep: Rep, now: datetime | None = None) -> list[Decision]:
        change = RepChanged(rep_id=rep.id, division="main", rep=rep, at=now or self.now)
        return self.send("rep.changed", change, now or self.now)

    def opportunity(self, rep: str, name: str, stage: str, now: datetime | None = None) -> list[Decision]:
        when = now or self.now
        bound = ActivityBound(
            kind=ActivityKind.OPPORTUNITY_CHANGED,
            at=when,
            learned_at=when,
            division="main",
            opportunity_id=name,
            rep=rep,
            stage=stage,
        )
        return self.send("activity.bound", bound, when)

    def arrives(self, lead: "Arrival", policy: Policy | None = None) -> Decision:
        """A submission reaches its division at once; return the first decision on it."""
        return self.send("lead.scored", lead.scored(self, policy or self.policy), lead.seen_at)[0]

    def does(self, kind: ActivityKind, lead: str, rep: str | None, when: datetime, **more: Any) -> list[Decision]:
        """Somebody does something; `learned` says when it is known, else at once."""
        learned = more.pop("learned", when)
        bound = ActivityBound(
            kind=kind,
            at=when,
            learned_at=learned,
            lead_id=lead,
            person=person_of(lead),
            division=division_of(lead),
            rep=rep,
            **more,
        )
        self.until(learned)
        return self.send("activity.bound", bound, learned)

    def settles(self, decision: Decision, settlement: Settlement, when: datetime) -> list[Decision]:
        row = DeliverySettled(
            lead_id=decision.lead_id,
            division="main",
            decision_id=decision.decision_id,
            epoch=decision.epoch,
            settlement=settlement,
            at=when,
        )
        self.until(when)
        return self.send("delivery.settled", row, when)

    def until(self, when: datetime, lag: float | None = None) -> list[Decision]:
        """Let time pass: wake-ups fire at their due instants. Returns what was decided on the way."""
        before = len(self.decisions)
        while True:
            due = sorted((wake.due_at, key) for key, wake in self.wakes.items() if wake.due_at <= when)
            if not due:
                break
            due_at, key = due[0]
            wake = self.wakes.pop(key)
            self.fire(key, max(due_at, self.now), dict(wake.data), lag, due_at)
        self.now = max(self.now, when)
        return self.decisions[before:]

    def fire(
        self, key: str, now: datetime, data: dict[str, Any], lag: float | None = None, due_at: datetime | None = None
    ) -> list[Decision]:
        """Deliver a wake-up, stale or not."""
        woken = WakeUp(waker=key, due_at=due_at or now, fired_at=now, activity_lag_seconds=lag, data=data)
        return self.send("wake.up", woken, now)

    # What one can see

    def lead(self, lead_id: str) -> LeadState:
        found: LeadState = self.state.values[f"lead/{lead_id}"]
        return found

    def load(self, rep: str) -> float:
        return float(self.state.get(f"rep/main/{rep}").load / 100)

    def turns(self, pool: str) -> dict[str, int]:
        found = self.state.scan(f"turn/main/{pool}/")
        return {key.rsplit("/", 1)[1]: turn.given for key, turn in found if turn.given}

    def replays(self) -> bool:
        """Tell whether the journal so far replays byte for byte."""
        self.seal()
        entries = [row for record in self.journal for row in record.entries]
        return replay(entries, self.policies.get) == []


@dataclass
class Arrival:
    """One submission, given as what ENRICH would know of it."""

    domain: str = "lone.example"
    employees: int | None = 450
    industry: str | None = "saas"
    country: str | None = "US"
    state: str | None = "TX"
    action: str = "demo"
    when: datetime = SUBMITTED
    delay_seconds: float = 0.0
    account: AccountRef | None = None
    mail: MailKind = MailKind.BUSINESS
    who: str | None = None
    touch: int = 1
    disqualified: Disqualified | None = None
    is_test: bool = False
    language: str | None = None

    @property
    def seen_at(self) -> datetime:
        return (self.when + timedelta(seconds=self.delay_seconds)).astimezone(UTC)

    def but(self, **changes: Any) -> "Arrival":
        return replace(self, **changes)

    def scored(self, world: World, policy: Policy) -> LeadScored:
        """Grade and score it as SCORE would."""
        if self.who is None:
            world.persons += 1
        who = self.who or f"{world.persons:032x}"
        lead = self.lead(who)
        graded, scored = judged(policy, lead)
        lead_id = f"main.{who}.1"
        duplicate = OpenDuplicate(lead_id=lead_id, tier=graded.tier, opened_at=self.when) if self.touch > 1 else None
        return LeadScored(
            lead_id=lead_id,
            division="main",
            lead=lead,
            contact=Contact(email=f"somebody@{self.domain}", phone="+15125550100", linkedin="in/somebody"),
            touch=self.touch,
            intent=graded.intent,
            icp=graded.icp,
            segment=graded.segment,
            tier=graded.tier,
            score=scored.total,
            score_parts=dict(scored.parts),
            score_model=scored.model,
            policy_hash=policy.hash,
            scored_at=self.seen_at,
            duplicate=duplicate,
            disqualified=self.disqualified,
        )

    def lead(self, who: str) -> Lead:
        region = {"US": "amer", "CA": "amer", "BR": "amer"}.get(self.country or "")
        return Lead(
            event_id=f"submission-{who}-{self.touch}",
            person=who,
            action=self.action,
            submitted_at=self.when.astimezone(UTC),
            received_at=self.when.astimezone(UTC),
            mail=MailFacts(domain=self.domain, kind=self.mail),
            company=Company(
                domain=self.domain,
                employees=self.employees,
                industry=self.industry,
                country=self.country,
                state=self.state,
                region=region,
            ),
            account=self.account,
            language=self.language,
            is_test=self.is_test,
        )


def told(decision: Decision, audience: str) -> set[str]:
    """Return who is told by a decision, of one audience."""
    return {who for notice in decision.notices if notice.audience == audience for who in notice.recipients}


def channels(decision: Decision, audience: str) -> set[str]:
    """Return the channels of one audience."""
    return {name for notice in decision.notices if notice.audience == audience for name in notice.channels}


def of_kind(decisions: Iterable[Decision], *kinds: DecisionKind) -> list[Decision]:
    return [decision for decision in decisions if decision.kind in kinds]


def on_leave(rep: str, first: int, until: int) -> Rep:
    """Return the rep away on these days of March 2026, `until` exclusive."""
    away = Absence(start=at("00:00", first), until=at("00:00", until))
    return ROSTER[rep][0].model_copy(update={"absences": (away,)})
