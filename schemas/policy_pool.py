"""Pools and queues of a policy: who is in them, how one is picked, and what happens when there is nobody."""

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from schemas.duration import Duration
from schemas.model import Typed
from schemas.policy_sla import Step
from schemas.rep import Caps


def _listed(value: Any) -> Any:
    return (value,) if isinstance(value, str) else tuple(value) if isinstance(value, list) else value


Names = Annotated[tuple[str, ...], BeforeValidator(_listed, json_schema_input_type=str | tuple[str, ...])]
"""One word or a list of words."""

Condition = Annotated[str, Field(min_length=1, max_length=2_000)]
"""A CEL condition over the facts of a lead (routing/facts.py)."""


class Selector(Typed):
    """Chooses people by what they are, never by who they are. Every field given must fit; a list means any of it."""

    role: Names = ()
    team: Names = ()
    segment: Names = ()
    region: Names = ()
    states: Names = ()
    countries: Names = ()
    skills: Names = ()
    languages: Names = ()
    verticals: Names = ()
    seniority: Names = ()


class Strategy(StrEnum):
    ROUND_ROBIN = "round_robin"
    WEIGHTED = "weighted"
    LEAST_LOADED = "least_loaded"
    PERFORMANCE = "performance"


class StrategyChoice(Typed):
    """A hybrid: leads for which `when` holds are given out by `use`. The first that holds counts."""

    when: Condition
    use: Strategy


RepField = Literal[
    "skills", "languages", "verticals", "channels", "states", "countries", "region", "segment", "seniority"
]


class Need(Typed):
    """What a rep must or should have for a lead: `rep` names the rep's field; it must hold any of `any_of`, or the
    value of the lead's fact `fact` ("lead.language"). Without a known fact, or where `when` fails, nothing is asked."""

    rep: Literal[
        "skills", "languages", "verticals", "channels", "states", "countries", "region", "segment", "seniority"
    ]
    any_of: Names = ()
    fact: str | None = None
    when: Condition | None = None


class SeniorLane(Typed):
    """Hot leads to seniors, least loaded first, with a floor for the others (MOD-6)."""

    tiers: Names = ("T1",)
    seniority: Names = ("senior",)
    junior_floor: float = Field(default=0.2, ge=0, le=1)
    floor_days: int = Field(default=30, ge=1, le=30)
    floor_from: int = Field(default=10, ge=1)


class Performance(Typed):
    """The best `best_share` of a pool get `bonus` more of the leads for which `when` holds, while their load is at most
    `load_cap` of their limit; the last `coach_share` get `coach_bonus` more of those for which `coach_when` holds, to
    learn on (MOD-8). Who is good is told by close rate and, by `activity_weight`, activity rate of the roster."""

    best_share: float = Field(default=0.2, gt=0, le=1)
    bonus: float = Field(default=0.3, ge=0, le=5)
    load_cap: float = Field(default=0.8, gt=0, le=1)
    when: Condition = 'tier == "T1"'
    coach_share: float = Field(default=0.2, ge=0, le=1)
    coach_bonus: float = Field(default=0.3, ge=0, le=5)
    coach_when: Condition = 'tier == "T3"'
    activity_weight: float = Field(default=0.25, ge=0, le=1)


class Fallback(StrEnum):
    """What to do with a lead that nobody in the pool can take. The next one of the list follows where one fails."""

    OVERFLOW = "overflow"
    HOLD = "hold"
    OVER_LIMIT = "over_limit"
    TEAM_LEAD = "team_lead"
    CATCH_ALL = "catch_all"


Fallbacks = dict[str, tuple[Fallback, ...]]
"""Tier -> what to try in turn; "else" for tiers that are not listed."""


class Pool(Typed):
    """A group of reps. lead: who is accountable for it. hours, after_hours, overflow: names of a calendar or pool.

    hands_to: the pool that gets a lead which one of these reps has qualified. caps: most leads the pool takes by its
    own strategy in each window, in the zone of its hours.
    """

    members: Selector
    lead: Selector
    strategy: Strategy = Strategy.ROUND_ROBIN
    strategies: tuple[StrategyChoice, ...] = ()
    senior_lane: SeniorLane | None = SeniorLane()
    performance: Performance = Performance()
    require: tuple[Need, ...] = ()
    prefer: tuple[Need, ...] = ()
    prefer_for: Duration = Field(default="10s", validate_default=True)
    hours: str | None = None
    overflow: str | None = None
    after_hours: str | None = None
    hands_to: str | None = None
    when_full: Fallbacks | None = None
    when_empty: Fallbacks | None = None
    ladder: tuple[Step, ...] | None = None
    ladders: dict[str, tuple[Step, ...]] = Field(default_factory=dict)
    caps: Caps = Caps()
    say: str = ""


class Queue(Typed):
    """A work list with a named owner and a timer. Several people fit `owner`: who is there, on shift and owns fewest
    leads gets the next one, equals by a draw; where all of them have left, the manager."""

    owner: Selector
    manager: Selector
    hours: str | None = None
    ladder: tuple[Step, ...] | None = None
    channels: Names = ("slack", "email")
    first_action: str = "claim"
    say: str = ""
