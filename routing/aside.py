"""Leads that no person has for now: nurtured or in quarantine, with no owner, no load and no timers (RUL-7)."""

from typing import Any

from routing.docket import Docket
from routing.lead_state import NOBODY, Chain, LeadState, Phase, changed, lead_key
from routing.notices import Telling, auto_reply, notices_for
from routing.owners import release
from routing.record import record, scored_of
from schemas.decision import DecisionKind
from schemas.policy_file import Place, Rule

_SET_ASIDE: dict[Place, tuple[Phase, DecisionKind]] = {
    Place.NURTURE: (Phase.NURTURED, DecisionKind.NURTURED),
    Place.QUARANTINE: (Phase.QUARANTINED, DecisionKind.QUARANTINED),
}


def place_aside(rule: Rule) -> Place | None:
    """Return where the rule sets leads aside; None where it gives them to people."""
    return rule.to if isinstance(rule.to, Place) and rule.to in _SET_ASIDE else None


def is_aside(lead: LeadState, place: Place) -> bool:
    """Tell whether the lead is there already."""
    return lead.phase is _SET_ASIDE[place][0]


def set_aside(docket: Docket, lead: LeadState, place: Place, reason: str, trace: dict[str, Any]) -> LeadState:
    """Take the lead from whoever has it and tell them (NOT-4): load, timer and place in the backlog are freed.

    Content goes out at once to a nurtured lead, nothing to a suspect.
    """
    phase, kind = _SET_ASIDE[place]
    before = lead.owner
    lead = release(docket, lead)
    lead = changed(lead, phase=phase, chain=Chain.POOL, bound_to=None, owned_at=None, epoch=lead.epoch + 1)
    notices = [] if before == NOBODY else notices_for(docket, lead, Telling("reassigned", reason, before))
    if phase is Phase.NURTURED:
        reply, lead = auto_reply(docket, lead, scored_of(lead).lead.action)
        notices += reply
    record(docket, lead, kind, reason, trace, notices, before)
    docket.draft.cancel_wake(lead_key(lead.lead_id))
    return lead
