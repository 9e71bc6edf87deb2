"""A scored lead reaches its division: a new one is routed, a repeat finds its owner, late data is noted (ACC-2)."""

from dataclasses import dataclass

from routing.arriving import account_backups, arrive, judge, opened, pool_now, restarted, searching
from routing.backlog import place_held
from routing.candidates import Wanted
from routing.docket import Docket
from routing.facts import LeadFacts
from routing.lead_state import LeadState, Phase, changed
from routing.moving import Move, moved, reroute
from routing.notices import Telling, auto_reply, notices_for
from routing.nurturing import engaged
from routing.owner_chain import owner_chain
from routing.owners import held_key
from routing.placement import Placement
from routing.reason import predicate
from routing.record import record
from routing.search import own_pool, why_absent
from routing.timing import arm
from schemas.decision import DecisionKind
from schemas.lead import LeadScored
from schemas.policy_file import Place
from schemas.scored import Scored

_UNOWNED = (Phase.NURTURED, Phase.QUARANTINED)


def receive(docket: Docket, scored: LeadScored) -> None:
    """Take in a scored lead."""
    scored = _recalled(docket, scored)
    lead = docket.lead(scored.lead_id)
    if lead is None or lead.phase is Phase.CLOSED:
        if not scored.is_late:
            # under the id of a lead that ended, numbers go on: no step, no timer of the earlier life acts again
            arrive(docket, scored, None if lead is None else reopened(scored, lead))
    elif scored.is_late:
        _late_data(docket, scored, lead)
    elif lead.phase is Phase.WAITING:
        first = _as_first(scored)
        arrive(docket, first, changed(opened(first), touches=scored.touch))
    elif scored.touch > lead.touches:
        _touch(docket, scored, lead)


def _recalled(docket: Docket, scored: LeadScored) -> LeadScored:
    """Return the lead with the rep who had its person's disqualified one, where whoever ended that was not told.

    A CRM tells of a stage and names nobody; the division knows whose it was (EDG-3).
    """
    gone = scored.disqualified
    end = docket.lead(gone.lead_id) if gone is not None and gone.rep is None else None
    if gone is None or end is None or end.phase is not Phase.CLOSED or end.owner.id is None:
        return scored
    return scored.model_copy(update={"disqualified": gone.model_copy(update={"rep": end.owner.id})})


def reopened(scored: LeadScored, lead: LeadState) -> LeadState:
    """Return the state of a lead that comes again under an id that had ended."""
    return changed(opened(scored), cycle=lead.cycle + 1, epoch=lead.epoch)


def _touch(docket: Docket, scored: LeadScored, lead: LeadState) -> None:
    """A repeat: no second record, no turn; a higher tier, or an SLA met already, starts a new clock."""
    is_higher = docket.urgency(scored.tier) < docket.urgency(lead.tier)
    was_met = lead.contacted_at is not None or lead.booked_at is not None
    before = lead
    if before.phase in _UNOWNED:
        scored = _as_first(scored)
    lead = changed(lead, touches=scored.touch, scored=Scored.of(scored))
    if before.phase in _UNOWNED:
        _wake_nurtured(docket, scored, lead)
        return
    options = docket.file.dedupe
    starts_anew = (is_higher and options.restart_on_higher_tier) or (was_met and options.restart_after_contact)
    if starts_anew:
        tier = scored.tier if is_higher or was_met else lead.tier
        lead = changed(restarted(lead, scored.lead.submitted_at, docket.now), tier=tier, epoch=lead.epoch + 1)
        lead = _requeued(docket, lead)
    passed_on = _passed_on(docket, scored, lead)
    note = "A higher tier than before: the clock runs from this submission." if starts_anew and is_higher else ""
    notices = [] if passed_on else notices_for(docket, lead, Telling("repeat", note))
    reply, lead = auto_reply(docket, lead, scored.lead.action)
    trace = {"touch": scored.touch, "tier": [before.tier, lead.tier], "new_cycle": starts_anew}
    reason = "The same person came back; an open lead stays with its owner."
    if passed_on:
        reason = f"The same person came back; {passed_on.absent}, so somebody else has to answer."
    record(docket, lead, DecisionKind.TOUCHED, reason, trace, [*notices, *reply])
    arm(docket, lead)
    if passed_on:
        why = f"The same person has come back and {passed_on.absent}."
        moved(docket, lead, passed_on.placed, passed_on.wanted, why, Move.ABSENT)
    elif lead.phase is Phase.HELD and is_higher:
        place_held(docket, lead)  # a tier that waits for no room


@dataclass(frozen=True, slots=True)
class _PassedOn:
    """Who answers for an absent owner. absent: the owner and why, "M1 is absent"."""

    absent: str
    placed: Placement
    wanted: Wanted


def _passed_on(docket: Docket, scored: LeadScored, lead: LeadState) -> _PassedOn | None:
    """Return who stands in where the owner is not there for the repeat (AVL-2); None where the owner is, or nobody can.

    An owner whom a step could not take the lead from keeps it: everybody else was asked.
    """
    owner = lead.owner.id
    if lead.phase is not Phase.OWNED or owner is None or owner in lead.excluded:
        return None
    facts = LeadFacts(scored, docket.now, docket.policy)
    search = searching(docket, lead, scored, facts)
    search.may_hold = False
    rep = docket.rep(owner)
    why = why_absent(search, rep, owner, own_pool(docket, rep))
    if why is None:
        return None
    whose = lead.bound_to or owner  # of an account's lead its owner, who may be back
    placed = owner_chain(search, whose, account_backups(scored, whose, docket.now), pool_now(docket, lead.pool, facts))
    if placed is None or placed.owner.id in (None, owner):
        return None
    return _PassedOn(f"{owner} {predicate(why)}", placed, search.wanted)


def _as_first(scored: LeadScored) -> LeadScored:
    """An open lead that nobody owns can't stay with its owner: the rules see its repeat as they saw the first."""
    return scored.model_copy(update={"duplicate": None})


def _wake_nurtured(docket: Docket, scored: LeadScored, lead: LeadState) -> None:
    """A nurtured lead that does something urgent is routed anew, its clocks run from then; what is not urgent counts as
    an engagement (TIER-2)."""
    routing = judge(docket, scored)
    if routing.match.rule.to in (Place.NURTURE, Place.QUARANTINE) or lead.phase is Phase.QUARANTINED:
        reply, lead = auto_reply(docket, lead, scored.lead.action) if lead.phase is Phase.NURTURED else ([], lead)
        record(docket, lead, DecisionKind.TOUCHED, "The same person came back.", {"touch": scored.touch}, reply)
        if routing.match.rule.to is Place.NURTURE:
            engaged(docket, lead, scored.lead.submitted_at)
        return
    fresh = changed(restarted(lead, scored.lead.submitted_at, docket.now), tier=scored.tier, phase=Phase.WAITING)
    arrive(docket, scored, fresh)


def _late_data(docket: Docket, scored: LeadScored, lead: LeadState) -> None:
    """A provider answered late: the record changes and the owner is told, nothing is routed again (ENR-7)."""
    lead = changed(lead, scored=Scored.of(scored))
    untouched = lead.contacted_at is None and lead.touches <= 1
    if docket.file.options.late_enrichment == "reroute_untouched" and untouched and lead.phase is not Phase.WAITING:
        if reroute(docket, scored, lead, "More is known about it now."):
            return
        lead = docket.lead(lead.lead_id) or lead
    notices = notices_for(docket, lead, Telling("late_data")) if lead.owner.id else []
    record(docket, lead, DecisionKind.NOTED, "More is known about it now.", {"late": True}, notices)


def _requeued(docket: Docket, lead: LeadState) -> LeadState:
    """A held lead keeps its place by its new tier and clock."""
    if lead.held_in is None or lead.owner.pool is None:
        return lead
    docket.draft.delete(lead.held_in)
    key = held_key(docket, lead, lead.owner.pool)
    docket.draft.put(key, lead.lead_id)
    return changed(lead, held_in=key)
