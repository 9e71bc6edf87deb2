"""What people did to a lead: contact, claim, decline, override, stages, ends (SLA-2, SLA-9, GOV-8, CAPA-3)."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from routing.arriving import bind, judge, nowhere, restarted, searching
from routing.aside import set_aside
from routing.backlog import drain_rep
from routing.contacting import contacted
from routing.docket import Docket, stage_points
from routing.lead_state import NOBODY, Chain, LeadState, OwnerRef, Phase, changed, lead_key
from routing.moving import Move, moved, next_owner, reroute
from routing.nurturing import engaged
from routing.opportunity import follow
from routing.overriding import by_hand, claimed
from routing.owners import release, reload
from routing.placement import Via
from routing.pool_chain import pool_chain
from routing.record import record, remember, scored_of
from routing.timing import arm
from routing.waiting_place import to_queue
from schemas.activity import ActivityBound, ActivityKind
from schemas.decision import DecisionKind, OwnerKind
from schemas.lead import LeadScored, MailKind
from schemas.policy_file import Place
from schemas.scored import NOTHING, Scored

TOMBSTONE_KEPT = timedelta(days=30)  # late and repeated events about a closed lead find its end for so long

_ENDS = {
    ActivityKind.DISQUALIFIED,
    ActivityKind.WON,
    ActivityKind.LOST,
    ActivityKind.MERGED,
    ActivityKind.DELETED,
    ActivityKind.BLOCKED,
    ActivityKind.ERASED,
}


def act(docket: Docket, activity: ActivityBound) -> None:
    """Take in what somebody did. What concerns no lead of ours changes loads at most."""
    if activity.lead_id is None:
        if activity.opportunity_id is not None and activity.rep is not None:
            for rep in follow(docket.draft, docket.division, docket.capacity, activity):
                drain_rep(docket, rep)
        return
    lead = docket.lead(activity.lead_id)
    if lead is None or lead.phase in (Phase.CLOSED, Phase.WAITING):
        if lead is not None and lead.phase is Phase.WAITING and activity.kind in _ENDS:
            _close(docket, lead, activity)
        return
    if activity.kind in docket.file.human_action:
        contacted(docket, lead, activity)
    elif activity.kind in docket.file.stops_ladder:
        _booked(docket, lead, activity)
    elif activity.kind in _ENDS:
        _close(docket, lead, activity)
    elif activity.kind in _ACTS:
        _ACTS[activity.kind](docket, lead, activity)


def _close(docket: Docket, lead: LeadState, activity: ActivityBound) -> None:
    """End the lead: load freed, timer cancelled, a small end kept for late events."""
    owner = lead.owner
    lead = release(docket, lead)
    lead = changed(lead, phase=Phase.CLOSED, closed_at=activity.at)
    record(docket, lead, DecisionKind.CLOSED, _end_said(activity), {"activity": activity.kind.value}, previous=owner)
    had_it = owner if activity.kind is ActivityKind.DISQUALIFIED and owner.kind is OwnerKind.REP else NOBODY
    end = _tombstone(lead, had_it)
    remember(docket, end)
    docket.draft.wake(lead_key(lead.lead_id), docket.now + tombstone_kept(docket, end), docket.division)
    if owner.id is not None:
        drain_rep(docket, owner.id)


def _end_said(activity: ActivityBound) -> str:
    who = activity.rep or activity.by
    parts = [
        f"Closed: {activity.kind.value}",
        f" by {who}" if who else "",
        f", {activity.reason}" if activity.reason else "",
    ]
    return "".join(parts).rstrip(".") + "."


def tombstone_kept(docket: Docket, end: LeadState) -> timedelta:
    """Return how long the end of a lead is kept: who had a disqualified one, until it comes back as a new lead."""
    if end.owner == NOBODY:
        return TOMBSTONE_KEPT
    return max(TOMBSTONE_KEPT, timedelta(days=docket.file.recycling.days + 1))


def _tombstone(lead: LeadState, had_it: OwnerRef) -> LeadState:
    return LeadState(
        lead.lead_id,
        lead.division,
        Phase.CLOSED,
        NOTHING,
        lead.tier,
        lead.clock_at,
        epoch=lead.epoch,
        cycle=lead.cycle,
        owner=had_it,
        touches=lead.touches,
        closed_at=lead.closed_at,
    )


def _booked(docket: Docket, lead: LeadState, activity: ActivityBound) -> None:
    """A meeting booked by the lead stops the ladder; it is no human action."""
    if lead.booked_at is None:
        lead = changed(lead, booked_at=activity.at)
        reason = "The lead booked a meeting; the ladder stops, contact is still to come."
        record(docket, lead, DecisionKind.NOTED, reason, {"activity": activity.kind.value})
        arm(docket, lead)


def _qualified(docket: Docket, lead: LeadState, activity: ActivityBound) -> None:
    """The rep has qualified the lead and hands it on: a new decision in the pool that theirs hands to (SEG-3).

    The clocks run anew from the handoff; touches, score and history stay. Qualifying is contact, if none was noted.
    """
    known = docket.file.pools.get(lead.owner.pool or lead.pool or "")
    target = (activity.to or "").removeprefix("pool:") or (known.hands_to if known else None)
    if lead.contacted_at is None:
        contacted(docket, lead, activity)
        lead = docket.lead(lead.lead_id) or lead
    who = activity.rep or lead.owner.id or "somebody"
    if target not in docket.file.pools:
        reason = f"{who} qualified it; pool {lead.owner.pool or lead.pool or '(none)'} hands leads to no other."
        record(docket, lead, DecisionKind.NOTED, reason, {"activity": activity.kind.value, "to": target})
        return
    scored = scored_of(lead)
    fresh = replace(restarted(lead, activity.at, docket.now), chain=Chain.POOL, pool=target, bound_to=None)
    search = searching(docket, fresh, scored, judge(docket, scored).facts)
    placed = pool_chain(search, target) or nowhere(search, fresh)
    more = {"handoff": {"from": who, "to": target}}
    moved(docket, fresh, placed, search.wanted, f"{who} qualified it for {target}.", Move.HANDOFF, more)


def _rated(docket: Docket, lead: LeadState, activity: ActivityBound) -> None:
    """A rep says how well the lead fits, 0 to 1: kept on the record, for the monthly review (GOV-8)."""
    if activity.value is None:
        return
    who = activity.rep or activity.by or "somebody"
    reason = f"{who} rates its fit {activity.value:g}" + (f": {activity.reason}." if activity.reason else ".")
    trace = {"activity": activity.kind.value, "fit": activity.value, "by": who}
    record(docket, lead, DecisionKind.NOTED, reason, trace)


def _declined(docket: Docket, lead: LeadState, activity: ActivityBound) -> None:
    """Who declines is not offered the lead again in this cycle; the next of the chain gets it at once (NEW-13)."""
    rep_id = activity.rep or lead.owner.id
    if rep_id is None:
        return
    lead = changed(lead, excluded=tuple(sorted({*lead.excluded, rep_id})))
    if lead.owner.id != rep_id or lead.phase is not Phase.OWNED:
        remember(docket, lead)
        return
    placed, wanted = next_owner(docket, lead, frozenset(lead.excluded))
    if placed is None:
        record(docket, lead, DecisionKind.NOTED, f"{rep_id} declined it; nobody else is free.", {"declined": rep_id})
        return
    why = f"{rep_id} declined it: {activity.reason or 'no reason given'}."
    moved(docket, lead, placed, wanted, why, Move.DECLINED)


def _stage(docket: Docket, lead: LeadState, activity: ActivityBound) -> None:
    """The load follows the stage at once; an older change that comes late does nothing (CAPA-3, EDG-6)."""
    if lead.stage_at is not None and activity.at < lead.stage_at:
        return
    lead = reload(docket, lead, stage_points(docket.capacity, activity.stage))
    remember(docket, changed(lead, stage=activity.stage, stage_at=activity.at))
    if lead.owner.id is not None:
        drain_rep(docket, lead.owner.id)


def _engaged(docket: Docket, lead: LeadState, activity: ActivityBound) -> None:
    engaged(docket, lead, activity.at)


def _released(docket: Docket, lead: LeadState, activity: ActivityBound) -> None:
    """A person released a suspect: it is routed as if it had just come, its clock from its submission.

    Whoever releases it vouches for it: a throw-away address counts as a personal one from here on. What a rule would
    set aside even so goes to the queue of quarantine, or is nurtured: no lead is left where nobody looks.
    """
    if lead.phase is not Phase.QUARANTINED:
        return
    scored = _vouched_for(scored_of(lead))
    by = f"Released by {activity.by or activity.rep or 'a person'}."
    lead = changed(lead, phase=Phase.WAITING, scored=Scored.of(scored), owner=NOBODY)
    routing = judge(docket, scored)
    rule = routing.match.rule
    if rule.to is Place.NURTURE:
        set_aside(docket, changed(lead, rule=rule.name), rule.to, f"{by} {rule.say}", {"rule": rule.name})
    elif rule.to is Place.QUARANTINE:
        lead = changed(lead, chain=Chain.QUEUE)
        search = searching(docket, lead, scored, routing.facts)
        placed = to_queue(search, docket.file.quarantine.queue, Via.QUEUE)
        moved(docket, lead, placed, search.wanted, by, Move.BY_HAND)
    else:
        reroute(docket, scored, bind(lead, scored, routing), by)


def _vouched_for(scored: LeadScored) -> LeadScored:
    mail = scored.lead.mail
    if mail.kind is MailKind.DISPOSABLE:
        mail = mail.model_copy(update={"kind": MailKind.PERSONAL})
    return scored.model_copy(update={"lead": scored.lead.model_copy(update={"suspect": (), "mail": mail})})


_ACTS: dict[ActivityKind, Callable[[Docket, LeadState, ActivityBound], None]] = {
    ActivityKind.CLAIMED: claimed,
    ActivityKind.REASSIGNED: by_hand,
    ActivityKind.DECLINED: _declined,
    ActivityKind.STAGE_CHANGED: _stage,
    ActivityKind.OPPORTUNITY_CHANGED: _stage,
    ActivityKind.ENGAGED: _engaged,
    ActivityKind.RELEASED: _released,
    ActivityKind.QUALIFIED: _qualified,
    ActivityKind.FIT_RATED: _rated,
}
