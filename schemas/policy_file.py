"""The policy file: one YAML file a division, the only home of thresholds, tiers, rules, pools, clocks and channels."""

from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, Field, StringConstraints

from schemas.activity import ActivityKind
from schemas.duration import Duration
from schemas.hours import Zone
from schemas.model import Typed
from schemas.policy_notices import NOTICES, Alarms, AutoReply, NoticePlan
from schemas.policy_pool import Condition, Fallback, Fallbacks, Names, Pool, Queue, Selector
from schemas.policy_sla import DEFAULT_LADDER, QUEUE_LADDER, Sla, SlaClock, Step
from schemas.rep import Caps, Hours

Intent = Literal["high", "medium", "low"]
ScorePart = Literal["fit", "intent", "behaviour"]
Seniority = Literal["senior", "normal", "new"]
Name = str
DIVISION = r"^[a-z0-9][a-z0-9-]{0,30}$"


T = TypeVar("T")


def beside(defaults: Callable[[], dict[str, T]]) -> Callable[[dict[str, T]], dict[str, T]]:
    """Return what keeps the defaults of a table for the names that a file does not write."""
    return lambda written: {**defaults(), **written}


Trimmed = StringConstraints(strip_whitespace=True)
"""Spaces around do not count: a text of nothing else is none."""


class Segment(Typed):
    """A band of headcount: from `from` up to the next band. Unknown headcount has no segment."""

    name: Name
    start: int = Field(alias="from", ge=0)
    say: str = ""


class Treatment(StrEnum):
    ASSIGN = "assign"
    NURTURE = "nurture"


class Tier(Typed):
    """How urgent a lead is. when: absent on the last tier, which takes the rest. treatment: segment -> assign or
    nurture, the fact `treatment` (assign where absent). channels: how the owner is told."""

    when: Condition | None = None
    route_within: Duration
    contact_within: Duration
    clock: SlaClock = SlaClock.OWNER_HOURS
    channels: Names = ("email",)
    release: dict[str, Literal["now", "opening"]] = Field(default_factory=dict)
    first_action: str = ""
    treatment: dict[str, Treatment] = Field(default_factory=dict)
    ladder: tuple[Step, ...] | None = None
    ignores_quiet_hours: bool = False
    when_off_shift: Literal["after_hours", "assign"] = "assign"
    label: str = ""


class Place(StrEnum):
    """Where a rule may send a lead besides a pool or a queue."""

    OWNER = "owner"  # of the open lead of the same person
    ACCOUNT_OWNER = "account_owner"
    OPPORTUNITY_OWNER = "opportunity_owner"
    RECYCLED_REP = "recycled_rep"
    NURTURE = "nurture"
    QUARANTINE = "quarantine"


class ToPool(Typed):
    """To a pool of reps, whose strategy picks one."""

    pool: Name


class ToQueue(Typed):
    """To a work list with a named owner."""

    queue: Name


Target = Place | ToPool | ToQueue


class Rule(Typed):
    """One rule. Order is precedence, the first whose `when` holds decides; the last has none and takes the rest.

    because: why the rule exists. say: what it does, one plain sentence for the rep. owner: who answers for the rule.
    """

    name: Annotated[Name, Trimmed] = Field(min_length=1, max_length=80)
    when: Condition | None = None
    to: Target
    because: Annotated[str, Trimmed] = Field(min_length=3)
    say: Annotated[str, Trimmed] = Field(min_length=3)
    owner: Annotated[str, Trimmed] = Field(min_length=2)


class Count(StrEnum):
    WEIGHTED = "weighted"  # by stage
    PLAIN = "plain"  # every open opportunity is one point


def _default_stages() -> dict[str, float]:
    return {"early": 0.5, "mid": 1.0, "late": 1.5}


class Capacity(Typed):
    """Load and limits, in points (CAPA-1). The load of a lead with no known stage is `unknown_stage`."""

    count: Count = Count.WEIGHTED
    stages: Annotated[dict[str, float], AfterValidator(beside(_default_stages))] = Field(
        default_factory=_default_stages
    )
    unknown_stage: float = Field(default=1.0, ge=0)
    assigned: float = Field(default=0.5, ge=0)
    limit: float = Field(default=40, ge=0)
    ramping_share: float = Field(default=0.5, gt=0, le=1)
    ramping_seniority: Names = ("new",)
    owner_bound_over_limit: bool = True
    manual_over_limit: bool = True
    caps: Caps = Caps()


class Recycling(Typed):
    """A lead disqualified less than `days` days before its submission goes back to the rep who disqualified it."""

    days: int = Field(default=90, ge=0)


class Nurture(Typed):
    """Automated treatment. `threshold` engagements in `within` wake the lead, which then goes to `queue`."""

    threshold: int = Field(default=3, ge=1, le=50)
    within: Duration = Field(default="7d", validate_default=True)
    queue: Name = "manual-review"


class Quarantine(Typed):
    """Suspects wait here for a person of `queue` to release or block them; nothing is assigned or deleted."""

    queue: Name = "manual-review"


class Dedupe(Typed):
    """An open lead of the same person is updated, not doubled. after_enrichment: also on addresses learnt later."""

    after_enrichment: bool = True
    restart_on_higher_tier: bool = True
    restart_after_contact: bool = True


def _default_ceilings() -> dict[ScorePart, int]:
    return {"fit": 40, "intent": 40, "behaviour": 20}


def _default_intent_points() -> dict[Intent, int]:
    return {"high": 40, "medium": 25, "low": 5}


class ScorePoints(Typed):
    """Points towards one part of the score where `when` holds. Below zero takes points away."""

    name: Name
    part: ScorePart = "behaviour"
    when: Condition
    points: int = Field(ge=-100, le=100)


class Predicted(Typed):
    """A score of 0 to 100 that a predictive model of yours gives each lead before it comes, as the answer `answer`.

    model: its name and version, kept with each score. Where the answer is missing or no such number, points count.
    """

    answer: str = Field(min_length=1)
    model: str = Field(min_length=1)


class Scoring(Typed):
    """The score, 0 to 100: three parts, each at most its ceiling. The tier sets urgency, the score ranks inside it.

    predicted: a model's score in place of the points; off by default.
    """

    model: str = "points-1"
    predicted: Predicted | None = None
    ceilings: dict[ScorePart, int] = Field(default_factory=_default_ceilings)
    icp: int = Field(default=40, ge=0, le=100)
    intent: dict[Intent, int] = Field(default_factory=_default_intent_points)
    points: tuple[ScorePoints, ...] = ()


OVERRIDE_REASONS = (
    "wrong_segment",
    "wrong_territory",
    "wrong_account",
    "knows_the_buyer",
    "language",
    "conflict_of_interest",
    "workload",
    "absence",
)
"""Why a person moved a lead; any other word is kept as written and counted as "other"."""


class Options(Typed):
    """Where practice disagrees and no other part of the file decides (OPT-*)."""

    owner_at_limit: Literal["keep", "pass_on"] = "keep"  # OPT-13
    backlog_order: Literal["tier_first", "oldest_first"] = "tier_first"  # NEW-12
    late_enrichment: Literal["record", "reroute_untouched"] = "record"  # ENR-7
    vacation_catch_up: bool = False  # NEW-15
    backup_chain: int = Field(default=3, ge=1, le=10)  # AVL-2
    manual_reassign_window: Duration = Field(default="48h", validate_default=True)  # MET-2
    override_reasons: tuple[str, ...] = OVERRIDE_REASONS  # GOV-8
    shadow_first_launch: Duration = Field(default="28d", validate_default=True)  # OPT-20
    shadow_change: Duration = Field(default="14d", validate_default=True)


class Example(Typed):
    """A lead and where it must go, for `policy test`. lead: facts by dotted name, such as company.employees: 600."""

    name: Name
    facts: dict[str, str | int | float | bool | tuple[str, ...]]
    rule: Name | None = None
    to: Target | None = None
    tier: Name | None = None
    segment: Name | None = None


class LintLimits(Typed):
    """From how many conditions in a rule, and rules in the file, `policy lint` warns."""

    conditions: int = Field(default=5, ge=1)
    rules: int = Field(default=50, ge=1)


def _default_intent() -> dict[Intent, tuple[str, ...]]:
    return {"high": ("demo", "pricing", "trial"), "medium": ("content", "webinar")}


def _default_when_full() -> Fallbacks:
    return {"T1": (Fallback.OVERFLOW, Fallback.TEAM_LEAD), "else": (Fallback.HOLD, Fallback.TEAM_LEAD)}


def _default_when_empty() -> Fallbacks:
    return {"else": (Fallback.OVERFLOW, Fallback.TEAM_LEAD, Fallback.CATCH_ALL)}


def _default_weights() -> dict[Seniority, float]:
    return {"senior": 1.5, "normal": 1.0, "new": 0.5}


class PolicyFile(Typed):
    """The whole file. Only division, timezone, tiers, pools and rules must be written; the rest has defaults.

    hours: the calendar of pools and queues that name none. intent: intent -> the actions of a form that show it;
    others are `intent_default`. when_full, when_empty, ladder, senior lanes: for pools that say nothing of their own.
    weights: seniority -> share of turns for reps without a weight of their own. human_action: what stops the clock.
    """

    division: str = Field(default="main", pattern=DIVISION)
    name: str = ""
    owner: str = "sales operations"
    timezone: Zone
    calendars: dict[Name, Hours] = Field(default_factory=dict)
    hours: Name | None = None
    icp: Condition | None = None
    intent: dict[Intent, Names] = Field(default_factory=_default_intent)
    intent_default: Intent = "low"
    segments: tuple[Segment, ...] = ()
    tiers: dict[Name, Tier] = Field(min_length=1)
    scoring: Scoring = Scoring()
    pools: dict[Name, Pool] = Field(default_factory=dict)
    queues: dict[Name, Queue] = Field(default_factory=dict)
    rules: tuple[Rule, ...] = Field(min_length=1)
    ladder: tuple[Step, ...] = Field(default=DEFAULT_LADDER, validate_default=True)
    queue_ladder: tuple[Step, ...] = Field(default=QUEUE_LADDER, validate_default=True)
    sla: Sla = Sla()
    leadership: Selector = Selector(role=("leadership",))
    when_full: Fallbacks = Field(default_factory=_default_when_full)
    when_empty: Fallbacks = Field(default_factory=_default_when_empty)
    weights: Annotated[dict[Seniority, float], AfterValidator(beside(_default_weights))] = Field(
        default_factory=_default_weights
    )
    capacity: Capacity = Capacity()
    recycling: Recycling = Recycling()
    nurture: Nurture = Nurture()
    quarantine: Quarantine = Quarantine()
    dedupe: Dedupe = Dedupe()
    human_action: tuple[ActivityKind, ...] = (
        ActivityKind.CALLED,
        ActivityKind.MESSAGED,
        ActivityKind.MEETING_HELD,
        ActivityKind.MEETING_SET,
        ActivityKind.CHAT_REPLIED,
    )
    stops_ladder: tuple[ActivityKind, ...] = (ActivityKind.MEETING_BOOKED,)
    auto_reply: AutoReply = AutoReply()
    notices: Annotated[dict[Name, NoticePlan], AfterValidator(beside(NOTICES.copy))] = Field(default=NOTICES)
    alarms: Alarms = Alarms()
    options: Options = Options()
    lint: LintLimits = LintLimits()
    examples: tuple[Example, ...] = ()
