"""A human made contact: the clock stops at the true time, and a lead taken too soon goes back (SLA-2, SLA-9)."""

from routing.arriving import searching
from routing.availability import has_left
from routing.breach import meaning, with_breach
from routing.docket import Docket
from routing.facts import LeadFacts
from routing.groups import queue_owner_group
from routing.lead_state import LeadState, OwnerRef, Phase, changed
from routing.moving import Move, moved
from routing.placement import Placement, Via
from routing.record import record, remember, scored_of
from routing.sla import clock_start
from routing.timing import arm
from schemas.activity import ActivityBound
from schemas.decision import DecisionKind, OwnerKind


def contacted(docket: Docket, lead: LeadState, activity: ActivityBound) -> None:
    """Stop the clock; only the first contact of an SLA cycle counts, by its own time."""
    if activity.at < lead.clock_at:
        return  # before this cycle began: it belongs to the one before
    who = activity.rep
    acted = dict(lead.acted or {})
    if who is not None:
        acted[who] = min(activity.at, acted.get(who, activity.at))
    is_first = lead.contacted_at is None or activity.at < lead.contacted_at
    at = activity.at if lead.contacted_at is None else min(activity.at, lead.contacted_at)
    lead = changed(with_breach(docket, lead, at), contacted_at=at, acted=acted)
    taken = _taken_too_soon(docket, lead, activity)
    if taken is not None:
        _give_back(docket, lead, taken)
    elif is_first:
        seconds = max((at - clock_start(docket, lead)).total_seconds(), 0.0)
        own = f", {spelled((at - lead.owned_at).total_seconds())} after its owner got it" if lead.owned_at else ""
        reason = f"First contact by {who or 'someone'} after {spelled(seconds)}{own}."
        if lead.breach is not None:
            reason += f" Too late: {meaning(lead.breach)}, {lead.charged_to or 'nobody'} charged."
        trace = {"activity": activity.kind.value, "contact_seconds": seconds, **({"by": who} if who else {})}
        record(docket, lead, DecisionKind.CONTACTED, reason, trace)
    else:
        remember(docket, lead)
    arm(docket, lead)


def _taken_too_soon(docket: Docket, lead: LeadState, activity: ActivityBound) -> str | None:
    """Who lost the lead by a step, to a person or a queue, although they had acted before it, unless who has it now
    has acted too."""
    if lead.owner.id in (lead.acted or {}):
        return None
    for row in lead.done:
        if row.took_from == activity.rep and activity.at < row.done_at:
            rep = docket.rep(activity.rep)
            return None if has_left(rep) else activity.rep
    return None


def _give_back(docket: Docket, lead: LeadState, rep_id: str) -> None:
    scored = scored_of(lead)
    search = searching(docket, lead, scored, LeadFacts(scored, docket.now, docket.policy))
    lead = changed(lead, excluded=tuple(one for one in lead.excluded if one != rep_id))
    queue = lead.owner.queue
    if queue is not None and rep_id in docket.group(queue_owner_group(queue)):
        placed = Placement(OwnerRef(OwnerKind.QUEUE, rep_id, queue), Phase.QUEUED, Via.QUEUE)
    else:
        pool = lead.owner.pool or lead.pool
        placed = Placement(OwnerRef(OwnerKind.REP, rep_id, pool=pool), Phase.OWNED, Via.OWNER)
    moved(docket, lead, placed, search.wanted, f"{rep_id} had made contact before it was moved.", Move.RETURNED)


def spelled(seconds: float) -> str:
    """Return "1 h 4 min 6 s", to the second; below zero as 0 s."""
    whole = max(round(seconds), 0)
    hours, rest = divmod(whole, 3600)
    minutes, left = divmod(rest, 60)
    parts = [f"{hours} h" if hours else "", f"{minutes} min" if minutes else "", f"{left} s" if left else ""]
    return " ".join(part for part in parts if part) or "0 s"
