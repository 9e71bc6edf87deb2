"""The events that a receiver of webhooks may ask for."""

from schemas.decision import DecisionKind

ALL = "*"
EVENT_TYPES: tuple[str, ...] = (
    "lead.accepted",
    "lead.enriched",
    "lead.scored",
    *(f"lead.{kind.value}" for kind in DecisionKind if kind is not DecisionKind.NOTED),
    "notice.settled",
)
