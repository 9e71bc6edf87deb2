"""Moves a lead from one owner to the next of its chain, and tells both."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from routing.arriving import bind, judge, nowhere, searching, succession
from routing.backlog import drain_rep
from routing.breach import with_breach
from routing.candidates import Wanted
from routing.docket import Docket
from routing.facts import LeadFacts
from routing.lead_state import NOBODY, LeadState, OwnerRef, Phase, changed
from routing.notices import Telling, notices_for
from routing.owners import give
from routing.placement import Placement
from routing.record import record, remember, scored_of
from routing.search import Search
from routing.sla import is_running
from routing.timing import arm
from routing.trace import placement_trace
from schemas.decision import DecisionKind
from schemas.lead import LeadScored
from schemas.policy_file import Place


class Move(StrEnum):
    """What made a lead change hands; `move` in the trace."""

    STEP = "step"  # of the ladder: nobody made contact in time
    BY_HAND = "by_hand"
    CLAIMED = "claimed"
    DECLINED = "declined"
    LEFT = "left"  # the owner is gone
    RETURNED = "returned"  # the one before had made contact in time (SLA-9)
    ENGAGED = "engaged"  # from nurture to people
    RULES = "rules"  # the rules choose anew
    HANDOFF = "handoff"  # its rep has qualified it


def next_owner(docket: Docket, lead: LeadState, excluded: frozenset[str]) -> tuple[Placement | None, Wanted]:
    """Return who of the lead's chain could take it instead; None: nobody but who has it."""
    search, placed = _passed_on(docket, lead, excluded)
    return placed, search.wanted


def _passed_on(docket: Docket, lead: LeadState, excluded: frozenset[str]) -> tuple[Search, Placement | None]:
    scored = scored_of(lead)
    facts = LeadFacts(scored, docket.now, docket.policy)
    search = searching(docket, changed(lead, excluded=tuple(sorted(excluded))), scored, facts)
    search.may_hold = False
    return search, succession(search, lead, scored, lead.pool)


def move_on(docket: Docket, lead: LeadState, why: str) -> LeadState:
    """Give the lead to the next of its chain because its owner cannot keep it: at worst the catch-all, or to wait."""
    excluded = frozenset((*lead.excluded, *((lead.owner.id,) if lead.owner.id else ())))
    search, placed = _passed_on(docket, lead, excluded)
    return moved(docket, lead, placed or nowhere(search, lead), search.wanted, why, Move.LEFT)


def moved(
    docket: Docket,
    lead: LeadState,
    placed: Placement,
    wanted: Wanted,
    why: str,
    move: Move,
    more: Mapping[str, Any] = MappingProxyType({}),
) -> LeadState:
    """Give the lead over and say so to the new owner and the one before (NOT-4). more: for the trace."""
    before: OwnerRef = lead.owner
    if before != NOBODY and is_running(lead):
        lead = with_breach(docket, lead)  # of who has it until now: the next one had no part in it
    lead = give(docket, lead, placed, wanted)
    notices = notices_for(docket, lead, Telling("reassigned", " ".join((why, placed.note)).strip(), before))
    trace = {"because": why, "move": move.value, **more, **placement_trace(placed, lead.lead_id)}
    uses_turn = placed.pick is not None and not lead.is_test
    reason = f"{why} {lead.owner.id or lead.owner.queue or 'nobody'} takes it over ({placed.via.value})."
    kind = {Phase.HELD: DecisionKind.HELD, Phase.QUEUED: DecisionKind.QUEUED}.get(lead.phase, DecisionKind.REASSIGNED)
    record(docket, lead, kind, reason, trace, notices, before, uses_turn=uses_turn)
    arm(docket, lead)
    if before.id is not None and before.id != lead.owner.id:
        drain_rep(docket, before.id)  # they have room now
    return lead


def reroute(docket: Docket, scored: LeadScored, lead: LeadState, why: str) -> LeadState:
    """Give the lead to whom the rules choose now, keeping its clocks; what they would set aside stays with people."""
    routing = judge(docket, scored)
    if routing.match.rule.to in (Place.NURTURE, Place.QUARANTINE):
        remember(docket, lead)
        return lead
    lead = bind(changed(lead, rule=routing.match.rule.name), scored, routing)
    search = searching(docket, lead, scored, routing.facts)
    placed = succession(search, lead, scored, routing.rules_pool) or nowhere(search, lead)
    if placed.owner == lead.owner:
        remember(docket, lead)
        return lead
    return moved(docket, lead, placed, search.wanted, why, Move.RULES)
