"""People override: who claims a lead, and whom or where a person moves one to, with a reason code (GOV-8)."""

from typing import Any

from routing.arriving import search_for
from routing.availability import INACTIVE, MOVED, UNKNOWN, standing_absence
from routing.capacity import shortage
from routing.docket import Docket
from routing.lead_state import Chain, LeadState, OwnerRef, Phase, changed
from routing.moving import Move, by_hand_aside, moved
from routing.placement import Placement, Via
from routing.pool_chain import pool_chain
from routing.record import record
from routing.waiting_place import to_queue
from schemas.activity import ActivityBound
from schemas.decision import DecisionKind, OwnerKind
from schemas.policy_file import Place


def claimed(docket: Docket, lead: LeadState, activity: ActivityBound) -> None:
    """Give the lead to who takes it of their own accord."""
    if activity.rep is None or _is_owned_by(lead, activity.rep):
        return
    _given(docket, lead, activity.rep, f"{activity.rep} claimed it.", Move.CLAIMED, {})


def _is_owned_by(lead: LeadState, rep_id: str) -> bool:
    return lead.owner.kind is OwnerKind.REP and lead.owner.id == rep_id


def by_hand(docket: Docket, lead: LeadState, activity: ActivityBound) -> None:
    """A person moves the lead, with a reason code: to a rep, a pool or a queue. No turn is used for a rep (MOD-10).

    The trace says whether it counts as a wrong first owner: moved within `manual_reassign_window` (MET-2).
    """
    to = activity.to or activity.rep
    if to is None:
        return
    by = activity.by or "someone"
    why = f"Moved by {by}: {activity.reason or 'no reason given'}."
    file = docket.file
    pool, queue = to.removeprefix("pool:"), to.removeprefix("queue:")
    if _is_owned_by(lead, to):
        return  # a CRM reports back what it was told
    if docket.rep(to) is not None:
        _given(docket, lead, to, why, Move.BY_HAND, _override(docket, lead, activity))
    elif pool in file.pools:
        _to_pool(docket, lead, pool, why, _override(docket, lead, activity))
    elif queue in file.queues and lead.phase is Phase.QUEUED and lead.owner.queue == queue:
        record(docket, lead, DecisionKind.NOTED, f"{why} It is in queue {queue} already.", {"to": to})
    elif queue in file.queues:
        search = search_for(docket, lead)
        lead = changed(lead, chain=Chain.QUEUE, bound_to=None)
        placed = to_queue(search, queue, Via.QUEUE)
        moved(docket, lead, placed, search.wanted, why, Move.BY_HAND, _override(docket, lead, activity))
    elif to in (Place.NURTURE, Place.QUARANTINE):
        by_hand_aside(docket, lead, Place(to), why, _override(docket, lead, activity))
    else:
        reason = f"It could not be moved to {to}: no rep, pool or queue of that name, nor nurture or quarantine."
        record(docket, lead, DecisionKind.NOTED, reason, {"activity": activity.kind.value, "to": to})


def _to_pool(docket: Docket, lead: LeadState, pool: str, why: str, more: dict[str, Any]) -> None:
    """Give the lead to somebody of the pool, by its turn, other than who has it: a person wants it moved."""
    has_it = {lead.owner.id} if lead.phase is Phase.OWNED and lead.owner.id is not None else set()
    others = changed(lead, excluded=tuple(sorted({*lead.excluded, *has_it})))
    search = search_for(docket, others)
    placed = pool_chain(search, pool)
    if placed is None or placed.owner == lead.owner:
        reason = f"{why} Nobody else can take it in pool {pool}; it stays with {lead.owner.id or 'nobody'}."
        record(docket, lead, DecisionKind.NOTED, reason, more)
        return
    lead = changed(lead, chain=Chain.POOL, pool=pool, bound_to=None)
    moved(docket, lead, placed, search.wanted, why, Move.BY_HAND, more)


def _override(docket: Docket, lead: LeadState, activity: ActivityBound) -> dict[str, Any]:
    """What the monthly review asks of a move by hand (GOV-8). code: one of the policy's, "other" where it is none."""
    options = docket.file.options
    first = lead.first_owned_at
    code = activity.reason if activity.reason in options.override_reasons else "other"
    is_early = first is not None and activity.at - first < options.manual_reassign_window
    return {"override": {"by": activity.by, "code": code, "is_wrong_first_owner": is_early}}


def _given(docket: Docket, lead: LeadState, rep_id: str, why: str, move: Move, more: dict[str, Any]) -> None:
    """Give the lead to whom a person chose. Who has left gets nothing; who is full, if the policy lets people."""
    refused = _refused(docket, lead, rep_id)
    if refused is not None:
        reason = f"{why} It stays with {lead.owner.id or 'nobody'}: {rep_id} cannot have it ({refused})."
        record(docket, lead, DecisionKind.NOTED, reason, {**more, "refused": refused})
        return
    search = search_for(docket, lead)
    placed = Placement(OwnerRef(OwnerKind.REP, rep_id), Phase.OWNED, Via.OWNER)
    moved(docket, lead, placed, search.wanted, why, move, more)


def _refused(docket: Docket, lead: LeadState, rep_id: str) -> str | None:
    rep = docket.rep(rep_id)
    why = standing_absence(rep)
    if why in (INACTIVE, UNKNOWN, MOVED) or rep is None or rep.row is None:
        return why
    if docket.capacity.manual_over_limit or lead.is_test:
        return None
    adds = docket.weighs(lead)
    return shortage(rep, docket.limit(rep.row), adds, docket.now, docket.capping(rep.row))
