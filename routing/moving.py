"""Moves a lead from one owner to the next of its chain, and tells both."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from routing.arriving import bind, judge, nowhere, search_for, searching, succession
from routing.aside import is_aside, place_aside, set_aside
from routing.backlog import drain_rep
from routing.breach import with_breach
from routing.candidates import Wanted
from routing.docket import Docket
from routing.facts import LeadFacts
from routing.lead_state import NOBODY, Chain, LeadState, OwnerRef, Phase, changed
from routing.notices import Telling, notices_for
from routing.owners import give
from routing.placement import Placement, Via
from routing.record import record, remember, scored_of
from routing.search import Search
from routing.sla import is_running
from routing.timing import arm
from routing.trace import placement_trace
from routing.waiting_place import QUEUE_CLOCK, held, to_queue
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
    ABSENT = "absent"  # its person came back, its owner is not there
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
    search, placed = _passed_on(docket, lead, frozenset(lead.excluded))
    return moved(docket, lead, placed or nowhere(search, lead), search.wanted, why, Move.LEFT)


def answer_anew(docket: Docket, lead: LeadState, why: str) -> LeadState:
    """Leave a queued or held lead where it waits; whoever is next in line answers for it."""
    search = search_for(docket, lead)
    if lead.phase is Phase.QUEUED and lead.owner.queue is not None:
        placed = to_queue(search, lead.owner.queue, Via.QUEUE)
    else:
        placed = held(search, lead.owner.pool or "")
    return moved(docket, lead, placed, search.wanted, why, Move.LEFT)


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
    reason = f"{why} {_taken(lead, placed)}"
    if lead.queued_at == docket.now:
        reason += QUEUE_CLOCK
        trace["queue_clock_at"] = lead.queued_at
    kind = {Phase.HELD: DecisionKind.HELD, Phase.QUEUED: DecisionKind.QUEUED}.get(lead.phase, DecisionKind.REASSIGNED)
    record(docket, lead, kind, reason, trace, notices, before, uses_turn=uses_turn)
    arm(docket, lead)
    if before.id is not None:
        drain_rep(docket, before.id)  # they have room now
    return lead


def _taken(lead: LeadState, placed: Placement) -> str:
    who = lead.owner.id or lead.owner.queue or "nobody"
    if lead.phase is Phase.HELD:
        return f"It waits for room in pool {lead.owner.pool}; {who} is accountable."
    how = "" if placed.via is Via.OWNER else f" ({placed.via.value})"  # chosen by name
    return f"{who} takes it over{how}."


def reroute(docket: Docket, scored: LeadScored, lead: LeadState, why: str) -> bool:
    """Give the lead to whom the rules choose now, keeping its clocks. Tells whether it went elsewhere.

    An owner that the same rule gave it to keeps it, whoever's turn it is by now.
    """
    routing = judge(docket, scored)
    rule = routing.match.rule
    place = place_aside(rule)
    if place is not None:
        if is_aside(lead, place):
            remember(docket, lead)
            return False
        _aside(docket, changed(lead, rule=rule.name), place, f"{why} {rule.say}", {"rule": rule.name})
        return True
    ruled = bind(changed(lead, rule=rule.name), scored, routing)
    if lead.owner != NOBODY and _route(ruled) == _route(lead):
        remember(docket, ruled)
        return False
    search = searching(docket, ruled, scored, routing.facts)
    placed = succession(search, ruled, scored, routing.rules_pool) or nowhere(search, ruled)
    if placed.owner == lead.owner:
        remember(docket, ruled)
        return False
    moved(docket, ruled, placed, search.wanted, why, Move.RULES)
    return True


def by_hand_aside(docket: Docket, lead: LeadState, place: Place, why: str, more: dict[str, Any]) -> None:
    """Set a lead aside because a person says so."""
    if not is_aside(lead, place):
        _aside(docket, lead, place, why, {"because": why, "move": Move.BY_HAND.value, **more})


def _aside(docket: Docket, lead: LeadState, place: Place, why: str, trace: dict[str, Any]) -> None:
    before = lead.owner
    if before != NOBODY and is_running(lead):
        lead = with_breach(docket, lead)
    set_aside(docket, lead, place, why, trace)
    if before.id is not None:
        drain_rep(docket, before.id)  # they have room now


def _route(lead: LeadState) -> tuple[str | None, Chain, str | None, str | None]:
    return (lead.rule, lead.chain, lead.bound_to, lead.pool)
