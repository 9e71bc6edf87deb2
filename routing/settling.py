"""What became of a decision's notices, as far as the division must know (NOT-5, causes of breaches)."""

from datetime import UTC, datetime

from routing.breach import CRM_LATE, NOT_CONTACTED
from routing.docket import Docket
from routing.lead_state import LeadState, Phase, changed
from routing.notices import Telling, notices_for
from routing.record import record, remember
from routing.sla import contact_due
from routing.timing import arm
from schemas.decision import DecisionKind
from schemas.delivery import DeliverySettled, Settlement


def settled(docket: Docket, delivery: DeliverySettled) -> None:
    """Note it on the lead; where no channel reached the owner, tell the team lead. Old epochs are past."""
    lead = docket.lead(delivery.lead_id)
    if lead is None or lead.phase is Phase.CLOSED:
        return
    if delivery.settlement is Settlement.CRM_ACKNOWLEDGED:
        _in_crm(docket, lead, delivery.at)
        return
    if delivery.epoch != lead.epoch:
        return
    if delivery.settlement is Settlement.FIRST_DELIVERED:
        _told(docket, changed(lead, notified_at=lead.notified_at or delivery.at), delivery.at)
        return
    is_first = lead.failed_at is None
    lead = changed(lead, failed_at=lead.failed_at or delivery.at)
    if not is_first or lead.notified_at is not None:
        remember(docket, lead)
        return
    reason = f"No channel reached {lead.owner.id or 'the owner'}; the team lead is told."
    notices = notices_for(docket, lead, Telling("undelivered"))
    record(docket, lead, DecisionKind.ESCALATED, reason, {"delivery": delivery.settlement.value}, notices)


def _told(docket: Docket, lead: LeadState, at: datetime) -> None:
    """The owner knows. Where clocks run from there, this is the start of the cycle's (OPT-6)."""
    if docket.file.sla.clock_from == "submission" or lead.told_at is not None or lead.contacted_at is not None:
        remember(docket, lead)
        return
    lead = changed(lead, told_at=max(at, lead.clock_at))
    remember(docket, lead)
    arm(docket, lead)


def _in_crm(docket: Docket, lead: LeadState, at: datetime) -> None:
    """The CRM has the owner. First after the deadline, the breach is the CRM's and no rep's (EDG-4)."""
    if lead.crm_at is not None:
        return
    lead = changed(lead, crm_at=at)
    if lead.breach != NOT_CONTACTED or at <= contact_due(docket, lead):
        remember(docket, lead)
        return
    late = f"The CRM took the record at {at.astimezone(UTC):%H:%M:%S} UTC, after the deadline"
    reason = f"{late}: the breach is not charged to {lead.charged_to or 'anybody'}."
    lead = changed(lead, breach=CRM_LATE, charged_to=None)
    record(docket, lead, DecisionKind.NOTED, reason, {"crm_at": at})
