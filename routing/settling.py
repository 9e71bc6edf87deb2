"""What became of a decision's notices, as far as the division must know (NOT-5, causes of breaches)."""

from dataclasses import replace

from routing.docket import Docket
from routing.lead_state import Phase
from routing.notices import Telling, notices_for
from routing.record import record, remember
from schemas.decision import DecisionKind
from schemas.delivery import DeliverySettled, Settlement


def settled(docket: Docket, delivery: DeliverySettled) -> None:
    """Note it on the lead; where no channel reached the owner, tell the team lead. Old epochs are past."""
    lead = docket.lead(delivery.lead_id)
    if lead is None or lead.phase is Phase.CLOSED:
        return
    if delivery.settlement is Settlement.CRM_ACKNOWLEDGED:
        remember(docket, replace(lead, crm_at=lead.crm_at or delivery.at))
        return
    if delivery.epoch != lead.epoch:
        return
    if delivery.settlement is Settlement.FIRST_DELIVERED:
        remember(docket, replace(lead, notified_at=lead.notified_at or delivery.at))
        return
    is_first = lead.failed_at is None
    lead = replace(lead, failed_at=lead.failed_at or delivery.at)
    if not is_first or lead.notified_at is not None:
        remember(docket, lead)
        return
    reason = f"No channel reached {lead.owner.id or 'the owner'}; the team lead is told."
    notices = notices_for(docket, lead, Telling("undelivered"))
    record(docket, lead, DecisionKind.ESCALATED, reason, {"delivery": delivery.settlement.value}, notices)
