"""Why nobody made contact in time, and whom it is charged to (MET-1): worked out when the deadline passes."""

from dataclasses import replace
from datetime import datetime

from routing.docket import Docket
from routing.lead_state import LeadState, Phase
from routing.sla import contact_due, route_due
from schemas.decision import OwnerKind

NO_CAPACITY = "no_capacity"
NOTIFICATION = "notification_failed"
UNCLAIMED = "unclaimed"
LATE = "leadstream_late"
NOT_CONTACTED = "not_contacted"


def with_breach(docket: Docket, lead: LeadState, contacted_at: datetime | None = None) -> LeadState:
    """Return the lead with the cause of its breach, if the contact deadline has passed without contact.

    contacted_at: the contact that has just become known; one in time clears a breach that was noted too early.
    """
    due = contact_due(docket, lead)
    missed = docket.now >= due if contacted_at is None else contacted_at > due
    if not missed:
        return replace(lead, breach=None, charged_to=None) if contacted_at is not None else lead
    if lead.breach is not None:
        return lead
    cause = _cause(docket, lead)
    return replace(lead, breach=cause, charged_to=lead.owner.id if cause == NOT_CONTACTED else None)


def _cause(docket: Docket, lead: LeadState) -> str:
    if lead.phase is Phase.HELD:
        return NO_CAPACITY
    if lead.owner.kind is OwnerKind.QUEUE:
        return UNCLAIMED
    if lead.failed_at is not None and lead.notified_at is None:
        return NOTIFICATION
    if lead.owned_at is not None and lead.owned_at > route_due(docket, lead.tier, lead.clock_at):
        return NO_CAPACITY if lead.moves == 0 and lead.cycle == 1 else LATE
    return NOT_CONTACTED
