"""Gives a lead to an owner and takes it away: load, indexes, turns, epochs."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from routing.candidates import Wanted
from routing.capacity import with_lead, without_lead
from routing.docket import Docket
from routing.lead_state import NOBODY, LeadState, Phase, Reply, changed, owner_index_key
from routing.picking import take_turn
from routing.placement import Placement
from routing.pool_chain import asked_of
from routing.rep_state import RepState, rep_key
from schemas.decision import OwnerKind


def give(
    docket: Docket, lead: LeadState, placed: Placement, wanted: Wanted, replies: tuple[Reply, ...] | None = None
) -> LeadState:
    """Return the lead with its new owner, after taking it from the one before. A test lead moves no load or turn.

    The epoch rises when the owner changes. replies: automatic ones to remember on it; None: as before.
    """
    released = lead if lead.owner == NOBODY and lead.held_in is None else release(docket, lead)
    owner = placed.owner
    if placed.pick is not None:
        strategy: str | None = placed.pick.lane or placed.pick.strategy
        if not lead.is_test:
            pool = docket.file.pools[placed.pick.pool]
            take_turn(docket, pool, placed.pick, asked_of(docket, pool, wanted))
    else:
        strategy = placed.via.value
    is_new = owner != lead.owner or placed.phase is not lead.phase
    given = changed(
        released,
        owner=owner,
        phase=placed.phase,
        strategy=strategy,
        epoch=lead.epoch + is_new,
        owned_at=docket.now if owner.kind is not OwnerKind.NONE and placed.phase is Phase.OWNED else None,
        notified_at=None,
        failed_at=None,
        replies=lead.replies if replies is None else replies,
        points=docket.weighs(lead),
        first_owned_at=lead.first_owned_at or (docket.now if placed.phase is Phase.OWNED else None),
        queued_at=_queued_at(docket, lead, placed),
        held_until=docket.now if lead.phase is Phase.HELD and placed.phase is not Phase.HELD else lead.held_until,
    )
    return _keep(docket, given)


def _queued_at(docket: Docket, lead: LeadState, placed: Placement) -> datetime | None:
    """From when the queue's own times count: its first lead's from the lead's clock, what others had from now."""
    if placed.phase is not Phase.QUEUED:
        return None
    if lead.phase is Phase.QUEUED and placed.owner.queue == lead.owner.queue:
        return lead.queued_at  # another person of the same queue
    return docket.now if lead.phase in (Phase.OWNED, Phase.HELD, Phase.QUEUED) else None


def release(docket: Docket, lead: LeadState) -> LeadState:
    """Return the lead without owner: load freed, out of the index and the backlog."""
    if lead.held_in is not None:
        docket.draft.delete(lead.held_in)
    owner = lead.owner.id
    if owner is not None:
        docket.draft.delete(owner_index_key(docket.division, owner, lead.lead_id))
        rep = docket.rep(owner)
        if lead.phase is Phase.OWNED and rep is not None and not lead.is_test:
            docket.draft.put(rep_key(docket.division, owner), without_lead(rep, lead.points))
    return changed(lead, owner=NOBODY, held_in=None)


def reload(docket: Docket, lead: LeadState, points: int) -> LeadState:
    """Return the lead with another load on its owner (its stage moved)."""
    owner = lead.owner.id
    if lead.phase is Phase.OWNED and owner is not None and not lead.is_test:
        rep = docket.rep(owner)
        if rep is not None:
            docket.draft.put(rep_key(docket.division, owner), replace(rep, load=rep.load + points - lead.points))
    return changed(lead, points=0 if lead.is_test else points)


def held_key(docket: Docket, lead: LeadState, pool: str) -> str:
    """Return the lead's place in the backlog of a pool: urgent tiers first, oldest first within (NEW-12)."""
    urgency = docket.urgency(lead.tier) if docket.file.options.backlog_order == "tier_first" else 0
    clock_at = lead.clock_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return f"held/{docket.division}/{pool}/{urgency:02}/{clock_at}/{lead.lead_id}"


def look_again(docket: Docket, pool: str) -> None:
    """Arm the pool's wake-up for the next full minute: caps begin anew and leave ends without an event."""
    minute = docket.now.replace(second=0, microsecond=0) + timedelta(minutes=1)
    docket.draft.wake(f"pool/{docket.division}/{pool}", minute, docket.division)


def _keep(docket: Docket, lead: LeadState) -> LeadState:
    owner = lead.owner.id
    if owner is not None:  # held and queued ones too: whoever is accountable may leave
        docket.draft.put(owner_index_key(docket.division, owner, lead.lead_id), lead.lead_id)
    if lead.phase is Phase.HELD and lead.owner.pool is not None:
        key = held_key(docket, lead, lead.owner.pool)
        docket.draft.put(key, lead.lead_id)
        look_again(docket, lead.owner.pool)
        return changed(lead, held_in=key)
    if lead.phase is Phase.OWNED and owner is not None:
        rep = docket.rep(owner) or RepState(owner)
        if not lead.is_test:
            counted = with_lead(rep, lead.points, docket.now, docket.capping(rep.row))
            docket.draft.put(rep_key(docket.division, owner), counted)
    return lead
