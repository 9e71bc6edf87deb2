"""Who is told what, over which channels; the automatic reply; and the limits that alarms watch."""

from typing import Literal

from pydantic import Field

from schemas.duration import Duration
from schemas.model import Typed


class NoticePlan(Typed):
    """How one event is told. channels: tier -> channels ("else" for the others); absent: the tier's own channels.

    digest: tier -> collect for so long and send one notice. note: one sentence put before the reason.
    """

    to: tuple[Literal["owner", "previous_owner", "manager", "leadership", "queue", "lead", "crm", "webhook"], ...]
    channels: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    digest: dict[str, Duration] = Field(default_factory=dict)
    note: str = ""


_ALL = ("slack", "email", "push", "sms")
_DESK = ("slack", "email")

NOTICES: dict[str, NoticePlan] = {
    "assignment": NoticePlan(to=("owner", "crm")),
    "repeat": NoticePlan(to=("owner",), note="The same person has come back."),
    "reassigned": NoticePlan(to=("owner", "previous_owner", "crm")),
    "reminder": NoticePlan(to=("owner",)),
    "alert": NoticePlan(to=("manager",), channels={"T1": _ALL, "else": _DESK}),
    "leadership": NoticePlan(to=("leadership",), channels={"else": _DESK}),
    "held": NoticePlan(to=("manager",), channels={"else": _DESK}),
    "queued": NoticePlan(to=("queue",), channels={"else": _DESK}),
    "undelivered": NoticePlan(to=("manager",), channels={"else": _DESK}),
    "inactive_owner": NoticePlan(to=("manager",), channels={"else": ("email",)}),
    "late_data": NoticePlan(to=("owner",), channels={"else": ("in_app",)}),
}


class AutoReply(Typed):
    """The one automatic answer to the lead. templates: action -> template, "else" for the others.

    off_for: pools whose leads are answered by people alone. repeat_after: not sent again for the same action before.
    """

    enabled: bool = True
    templates: dict[str, str] = Field(
        default_factory=lambda: {
            "demo": "demo",
            "pricing": "demo",
            "content": "content",
            "webinar": "content",
            "whitepaper": "content",
            "trial": "trial",
            "else": "receipt",
        }
    )
    queue_template: str = "team"
    off_for: tuple[str, ...] = ()
    repeat_after: Duration = Field(default="24h", validate_default=True)


def _shares(**shares: float) -> dict[str, float]:
    return dict(shares)


class Alarms(Typed):
    """The limits of MET-2 and FLG-2. Shares are 0 to 1; *_points are percentage points."""

    speed_to_assign: Duration = Field(default="60s", validate_default=True)
    speed_to_assign_api: Duration = Field(default="10s", validate_default=True)
    speed_window: Duration = Field(default="15m", validate_default=True)
    compliance: dict[str, float] = Field(default_factory=lambda: _shares(T1=0.85, T2=0.80, T3=0.75))
    compliance_overall: float = 0.80
    first_try: float = 0.90
    manual_reassigned_warns: float = 0.03
    manual_reassigned_pages: float = 0.10
    sla_reassigned: float = 0.05
    account_match: float = 0.85
    fallback: float = 0.10
    coverage: float = 0.99
    unassigned_for: Duration = Field(default="15m", validate_default=True)
    enrichment_coverage: float = 0.80
    enrichment_drop_points: float = 10
    primary_empty: float = 0.20
    delivered_within: Duration = Field(default="30s", validate_default=True)
    timer_lateness: Duration = Field(default="5s", validate_default=True)
    fairness: float = 2
    fairness_with_lane: float = 5
    utilisation_spread_points: float = 30
    conversion_against_best: float = 0.33
    drop_off: float = 0.01
    rule_unmatched_for: Duration = Field(default="30d", validate_default=True)
    rule_reassigned: float = 0.5
    reassignments_in_a_day: int = 2
