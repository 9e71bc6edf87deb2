"""Why nobody made contact in time, and whom it is charged to (MET-1): worked out when the deadline passes."""

from datetime import datetime

from routing.calendar.business_time import open_seconds
from routing.docket import Docket
from routing.lead_state import LeadState, Phase, changed, had_since
from routing.sla import contact_due, route_due
from schemas.decision import OwnerKind

NO_CAPACITY = "no_capacity"
NO_HOURS = "no_hours"  # nobody who had it was on duty for a moment of the window
NOTIFICATION = "notification_failed"
UNCLAIMED = "unclaimed"
LATE = "leadstream_late"
CRM_LATE = "crm_late"  # routing/settling.py: known only once the CRM has acknowledged
NOT_CONTACTED = "not_contacted"
_MEANS = {
    NO_CAPACITY: "nobody had room in time",
    NO_HOURS: "nobody who had it was on duty",
    NOTIFICATION: "no channel had reached the owner",
    UNCLAIMED: "nobody of the queue claimed it",
    LATE: "leadstream brought it too late",
    CRM_LATE: "the CRM took the record too late",
    NOT_CONTACTED: "the owner did not act",
}


def meaning(cause: str) -> str:
    """Return the cause of a breach in words, with its code behind them."""
    words = _MEANS.get(cause)
    return f"{words} ({cause})" if words else cause


def with_breach(docket: Docket, lead: LeadState, contacted_at: datetime | None = None) -> LeadState:
    """Return the lead with the cause of its breach, if the contact deadline has passed without contact.

    contacted_at: the contact that has just become known; one in time clears a breach that was noted too early.
    """
    due = contact_due(docket, lead)
    missed = docket.now >= due if contacted_at is None else contacted_at > due
    if not missed:
        return changed(lead, breach=None, charged_to=None) if contacted_at is not None else lead
    if lead.breach is not None:
        return lead
    cause = _cause(docket, lead, due)
    return changed(lead, breach=cause, charged_to=lead.owner.id if cause == NOT_CONTACTED else None)


def _cause(docket: Docket, lead: LeadState, due: datetime) -> str:
    if lead.phase is Phase.HELD:
        return NO_CAPACITY
    route_by = route_due(docket, lead.tier, lead.clock_at)
    if lead.held_until is not None and lead.held_until > route_by:
        return NO_CAPACITY
    if lead.epoch == 1 and lead.owned_at is not None and lead.owned_at > route_by:
        return LATE  # it came to its first owner too late, and nobody had it before
    if lead.renewed_at is not None and lead.renewed_at > route_by:
        return LATE  # what began the clock anew was learned of too late
    if not _was_on_duty(docket, lead, due):
        return NO_HOURS
    if lead.owner.kind is OwnerKind.QUEUE:
        return UNCLAIMED
    if lead.failed_at is not None and lead.notified_at is None:
        return NOTIFICATION
    return NOT_CONTACTED


def _was_on_duty(docket: Docket, lead: LeadState, due: datetime) -> bool:
    """Tell whether who had the lead was in their hours for a moment between getting it and the deadline."""
    owner = lead.owner
    if owner.kind is OwnerKind.QUEUE:
        queue = docket.file.queues.get(owner.queue or "")
        hours = docket.hours(queue.hours if queue else None)
    else:
        hours = docket.rep_hours(owner.id, owner.pool or lead.pool)
    start = max(had_since(lead) or lead.clock_at, lead.clock_at)
    return start < due and (hours is None or open_seconds(hours, start, due) > 0)
