"""Held leads get the room that appears, at once: urgent tiers first, oldest first within (NEW-12)."""

from collections.abc import Iterable

from routing.arriving import pool_now, searching, succession
from routing.candidates import Wanted
from routing.docket import Docket
from routing.facts import LeadFacts
from routing.groups import pools_of
from routing.lead_state import LeadState, Phase
from routing.notices import Telling, auto_reply, notices_for
from routing.owners import give
from routing.placement import Placement
from routing.pool_chain import has_room
from routing.record import record, scored_of
from routing.timing import arm
from routing.trace import placement_trace
from routing.waiting_place import QUEUE_CLOCK, held
from schemas.decision import DecisionKind

MOST_LOOKED_AT = 200  # leads of one pool that an event looks at; the rest have their own wake-ups


def drain_rep(docket: Docket, rep: str) -> None:
    """Offer the room of a rep to the leads held for the pools that the rep is in."""
    drain(docket, pools_of(docket.draft, docket.division, docket.file, rep))


def drain(docket: Docket, pools: Iterable[str]) -> None:
    """Give held leads of `pools` to whoever has room. A look at the first entry is all it costs when none is held."""
    for pool in pools:
        is_gone = pool not in docket.file.pools  # an activation took it away: its leads wait elsewhere
        looked_at = 0
        for key, lead_id in docket.draft.scan(f"held/{docket.division}/{pool}/"):
            if looked_at >= MOST_LOOKED_AT or not (is_gone or has_room(docket, pool)):
                break
            looked_at += 1
            lead = docket.lead(lead_id)
            if lead is None or lead.phase is not Phase.HELD or lead.held_in != key:
                docket.draft.delete(key)
                continue
            if place_held(docket, lead) is None and is_gone:
                _rehoused(docket, lead)


def place_held(docket: Docket, lead: LeadState) -> LeadState | None:
    """Give a held lead to whoever its chain finds now; None while nobody has room and the route deadline is ahead."""
    scored = scored_of(lead)
    facts = LeadFacts(scored, docket.now, docket.policy)
    search = searching(docket, lead, scored, facts)
    placed = succession(search, lead, scored, lead.owner.pool)
    if placed is None or placed.phase is Phase.HELD:
        return None
    return handed(docket, lead, placed, search.wanted, scored.lead.action)


def _rehoused(docket: Docket, lead: LeadState) -> None:
    """Let a held lead wait in the pool that the rules choose now: its place and its team lead change, nothing else."""
    scored = scored_of(lead)
    facts = LeadFacts(scored, docket.now, docket.policy)
    gone, before = lead.owner.pool, lead.owner
    search = searching(docket, lead, scored, facts)
    placed = held(search, pool_now(docket, gone, facts) or next(iter(docket.file.pools)))
    lead = give(docket, lead, placed, search.wanted)
    notices = notices_for(docket, lead, Telling("held", f"Pool {gone} is gone.", before))
    reason = (
        f"Pool {gone} is gone. It waits for room in pool {lead.owner.pool}; {lead.owner.id or 'nobody'} is accountable."
    )
    record(docket, lead, DecisionKind.HELD, reason, placement_trace(placed, lead.lead_id), notices, before)
    arm(docket, lead)


def handed(docket: Docket, lead: LeadState, placed: Placement, wanted: Wanted, action: str | None) -> LeadState:
    """Give a held lead to its first owner: dues stand, everybody is told."""
    before = lead.owner
    lead = give(docket, lead, placed, wanted)
    telling = "queued" if placed.phase is Phase.QUEUED else "assignment"
    notices = notices_for(docket, lead, Telling(telling, placed.note, before))
    reply, lead = auto_reply(docket, lead, action)
    kind = DecisionKind.QUEUED if placed.phase is Phase.QUEUED else DecisionKind.ASSIGNED
    reason = f"It had waited; {placed.owner.id or 'nobody'} takes it ({placed.via.value})."
    uses_turn = placed.pick is not None and not lead.is_test
    trace = placement_trace(placed, lead.lead_id)
    if lead.queued_at is not None:
        reason += QUEUE_CLOCK
        trace["queue_clock_at"] = lead.queued_at
    record(docket, lead, kind, reason, trace, [*notices, *reply], before, uses_turn=uses_turn)
    arm(docket, lead)
    return lead
