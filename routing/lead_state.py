"""An open lead as its division keeps it: owner, clocks, steps done, who may not have it again."""

from dataclasses import fields
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import PlainValidator

from schemas.decision import OwnerKind
from schemas.scored import NOTHING, Scored
from schemas.value import value


class Phase(StrEnum):
    """Where a lead stands in its division."""

    WAITING = "waiting"  # no policy yet: decided when one is activated
    OWNED = "owned"
    HELD = "held"  # for room in a full pool; the team lead is accountable
    QUEUED = "queued"
    NURTURED = "nurtured"
    QUARANTINED = "quarantined"
    CLOSED = "closed"  # kept for a while, so that late and repeated events find an end


class Chain(StrEnum):
    """Which succession the lead follows when its owner is absent or late."""

    OWNER = "owner"
    POOL = "pool"
    QUEUE = "queue"


@value
class OwnerRef:
    """Who is accountable, as `schemas.decision.Owner` has it."""

    kind: OwnerKind = OwnerKind.NONE
    id: str | None = None
    queue: str | None = None
    pool: str | None = None


NOBODY = OwnerRef()


@value
class StepDone:
    """A step of the ladder acted on in this SLA cycle, when it was due and when it was done."""

    name: str
    do: str
    due_at: datetime
    done_at: datetime
    took_from: str | None = None  # a reassign step: who lost the lead


@value
class Reply:
    """An automatic reply to the lead for an action (AUT-2)."""

    action: str
    at: datetime


@value
class LeadState:
    """One lead. scored: `LeadScored` without contact.

    bound_to: the rep that an owner-bound chain starts at. pool: the pool that the rule chose. excluded: who timed
    out or declined in this cycle. points: load on the owner, in hundredths. booked_at: a meeting booked by the lead
    (stops the ladder only). notified_at, failed_at, crm_at: of the current epoch's notices. charged_to, breach: set
    when the contact deadline passes. touches: submissions so far. moves: automatic reassignments in this cycle.
    told_at: the cycle's first delivery, where the policy counts from there. first_owned_at: the lead's first owner.
    queued_at: when it came into its queue from people who had it in this cycle; None: the queue had it first.
    held_until: when it left the backlog of a pool in this cycle. renewed_at: when the division learned of what began
    this cycle; None in the first.
    """

    lead_id: str
    division: str
    phase: Phase
    scored: Annotated[Scored, PlainValidator(Scored.read)]
    tier: str
    clock_at: datetime
    epoch: int = 0
    cycle: int = 1
    owner: OwnerRef = NOBODY
    chain: Chain = Chain.POOL
    bound_to: str | None = None
    rule: str | None = None
    pool: str | None = None
    strategy: str | None = None
    touches: int = 1
    owned_at: datetime | None = None
    contacted_at: datetime | None = None
    booked_at: datetime | None = None
    acted: dict[str, datetime] | None = None
    done: tuple[StepDone, ...] = ()
    excluded: tuple[str, ...] = ()
    moves: int = 0
    replies: tuple[Reply, ...] = ()
    points: int = 0
    stage: str | None = None
    stage_at: datetime | None = None
    breach: str | None = None
    charged_to: str | None = None
    notified_at: datetime | None = None
    failed_at: datetime | None = None
    crm_at: datetime | None = None
    engagements: tuple[datetime, ...] = ()
    is_test: bool = False
    is_unverified: bool = False
    held_in: str | None = None  # the key of its place in the backlog
    closed_at: datetime | None = None
    told_at: datetime | None = None
    first_owned_at: datetime | None = None
    queued_at: datetime | None = None
    held_until: datetime | None = None
    renewed_at: datetime | None = None


_FIELDS = frozenset(each.name for each in fields(LeadState))


def changed(lead: LeadState, **changes: Any) -> LeadState:
    """Return the lead with some fields changed, as `dataclasses.replace` does, which takes ten times as long.

    Raises TypeError for what is no field.
    """
    if not changes.keys() <= _FIELDS:
        raise TypeError(f"a lead has no {', '.join(sorted(changes.keys() - _FIELDS))}")
    copy = LeadState.__new__(LeadState)
    copy.__dict__ = {**lead.__dict__, **changes}
    return copy


UNKNOWN_LEAD = LeadState("", "", Phase.WAITING, NOTHING, "", datetime.min.replace(tzinfo=UTC))
"""What `changed` makes a lead of that the division sees for the first time."""


def had_since(lead: LeadState) -> datetime | None:
    """Return from when whoever has the lead could act on this cycle: they got it then, or heard that it began anew."""
    if lead.owned_at is None or lead.renewed_at is None:
        return lead.owned_at
    return max(lead.owned_at, lead.renewed_at)


def lead_key(lead: str) -> str:
    """Return the store key of a lead, which is also the key of its one wake-up."""
    return f"lead/{lead}"


def owner_index_key(division: str, rep: str, lead: str) -> str:
    """Return the key of the index from whoever is accountable to their open leads (departed reps)."""
    return f"lead-by-owner/{division}/{rep}/{lead}"
