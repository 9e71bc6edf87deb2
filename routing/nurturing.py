"""A nurtured lead that engages often enough goes to people; its clocks run from then (TIER-2)."""

from dataclasses import replace
from datetime import datetime

from routing.arriving import restarted, search_for
from routing.docket import Docket
from routing.lead_state import Chain, LeadState, Phase, changed
from routing.moving import Move, moved
from routing.placement import Via
from routing.record import remember
from routing.waiting_place import to_queue


def engaged(docket: Docket, lead: LeadState, at: datetime) -> None:
    """Count one more engagement: something reported of the person, or a further submission; the first is none.

    at: when it was. One may be learned after a later one. A lead that is not nurtured is left alone.
    """
    if lead.phase is not Phase.NURTURED:
        return
    plan = docket.file.nurture
    known = sorted((*lead.engagements, at))
    runs = zip(known, known[plan.threshold - 1 :], strict=False)
    enough = next((last for first, last in runs if last - first < plan.within), None)
    if enough is None:
        remember(docket, changed(lead, engagements=tuple(known[-2 * plan.threshold :])))
        return
    lead = replace(restarted(lead, enough, docket.now), chain=Chain.QUEUE, engagements=())
    search = search_for(docket, lead)
    placed = to_queue(search, plan.queue, Via.QUEUE)
    engagements = "engagement" if plan.threshold == 1 else "engagements"
    moved(docket, lead, placed, search.wanted, f"{plan.threshold} {engagements} while nurtured.", Move.ENGAGED)
