"""Where a lead can go, as a value: the owner found, how, and who was passed over on the way."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from routing.candidates import Survey
from routing.lead_state import OwnerRef, Phase
from routing.picking import Pick


class Via(StrEnum):
    """How an owner was found; names the sentence that explains it."""

    POOL = "pool"
    OVER_LIMIT = "over limit"
    OVERFLOW = "overflow pool"
    AFTER_HOURS = "after-hours team"
    OWNER = "owner"
    BACKUP = "backup"
    TEAM_LEAD = "team lead"
    MANAGER = "manager"
    HOLD = "held for room"
    PREFERENCE = "held for a preferred rep"
    QUEUE = "queue"
    CATCH_ALL = "catch-all"


@dataclass(frozen=True, slots=True)
class Passed:
    """A person, pool or queue of the chain that could not take the lead. who: id or name; why: plain words."""

    step: str
    who: str
    why: str


@dataclass(slots=True)
class Placement:
    """An owner for a lead. pick: set when a pool's strategy chose, then a turn is due. note: for the new owner.

    surveys: every pool looked at. passed: the links of the chain before this one.
    """

    owner: OwnerRef
    phase: Phase
    via: Via
    pick: Pick | None = None
    note: str = ""
    surveys: list[Survey] = field(default_factory=list)
    passed: list[Passed] = field(default_factory=list)

    def chain(self) -> list[dict[str, Any]]:
        """Return the links passed over, as JSON data."""
        return [{"step": link.step, "who": link.who, "why": link.why} for link in self.passed]
