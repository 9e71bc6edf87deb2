"""Leads of a division that has no policy yet: they wait, with the reason, and are decided at the activation."""

from datetime import datetime
from typing import TYPE_CHECKING

from routing.arriving import arrive
from routing.docket import Docket
from routing.draft import Draft
from routing.lead_state import LeadState, Phase, lead_key
from routing.record import scored_of, without_policy

if TYPE_CHECKING:
    from routing.decide import DecisionInput

DECIDED_AT_ONCE = 200


def hold_for_policy(draft: Draft, lead: LeadState, event: "DecisionInput", now: datetime) -> None:
    """Keep the lead and say that, and why, it waits."""
    if draft.get(lead_key(lead.lead_id)) is not None:
        return
    draft.put(lead_key(lead.lead_id), lead)
    draft.put(waiting_key(lead), lead.lead_id)
    without_policy(draft, lead, event.id)


def waiting_leads(docket: Docket) -> None:
    """Decide the leads that wait for a policy, oldest first; the rest at the division's next wake-up."""
    decided = 0
    for key, lead_id in list(docket.draft.scan(f"waiting/{docket.division}/")):
        if decided >= DECIDED_AT_ONCE:
            docket.draft.wake(f"division/{docket.division}", docket.now, docket.division)
            return
        docket.draft.delete(key)
        lead = docket.lead(lead_id)
        if lead is not None and lead.phase is Phase.WAITING:
            arrive(docket, scored_of(lead), lead)
            decided += 1


def waiting_key(lead: LeadState) -> str:
    """Return the lead's place among those that wait for a policy."""
    return f"waiting/{lead.division}/{lead.clock_at.isoformat()}/{lead.lead_id}"
