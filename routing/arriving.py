"""A scored lead reaches its division: a new one is routed by the rules, a known one finds its owner."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from routing.aside import place_aside, set_aside
from routing.calendar.business_time import working_days
from routing.candidates import Wanted
from routing.docket import Docket
from routing.facts import LeadFacts
from routing.lead_state import NOBODY, UNKNOWN_LEAD, Chain, LeadState, OwnerRef, Phase, changed
from routing.notices import Notice, Telling, notices_for, reply_for
from routing.owner_chain import owner_chain
from routing.owners import give
from routing.placement import Placement, Via
from routing.pool_chain import pool_chain, prefer_until
from routing.reason import said
from routing.record import record, scored_of
from routing.rules import Match, first_match
from routing.search import Search
from routing.sla import after, route_due
from routing.timing import arm
from routing.trace import placement_trace
from routing.waiting_place import catch_all, held, to_queue
from schemas.decision import DecisionKind, OwnerKind
from schemas.lead import LeadScored
from schemas.policy_file import Place, Tier, ToPool, ToQueue
from schemas.policy_sla import SlaClock
from schemas.scored import Scored
from schemas.spliced import Written

_OWNER_BOUND = (Place.OWNER, Place.ACCOUNT_OWNER, Place.OPPORTUNITY_OWNER, Place.RECYCLED_REP)


@dataclass(slots=True)
class Routing:
    """What the rules said of a lead. rules_pool: the pool that they would choose if nobody owned it."""

    match: Match
    facts: LeadFacts
    rules_pool: str | None


def opened(scored: LeadScored, **more: Any) -> LeadState:
    """Return the state of a lead that the division sees for the first time. more: what is known beyond its facts."""
    known: dict[str, Any] = {
        "phase": Phase.WAITING,
        "scored": Scored.of(scored),
        "tier": scored.tier,
        "clock_at": scored.lead.submitted_at,
        "touches": scored.touch,
        "is_test": scored.lead.is_test,
        **more,
    }
    return changed(UNKNOWN_LEAD, lead_id=scored.lead_id, division=scored.division, **known)


def arrive(docket: Docket, scored: LeadScored, lead: LeadState | None) -> LeadState:
    """Route a lead that has no owner; emit the decision and arm its wake-up. Returns the lead as it stands.

    lead: None when the division sees it for the first time.
    """
    routing = judge(docket, scored)
    rule = routing.match.rule
    known = {"rule": rule.name, "tier": _known_tier(docket, scored.tier)}
    aside = place_aside(rule)
    if aside is None:
        known |= _chain(NOBODY if lead is None else lead.owner, scored, routing)
    lead = opened(scored, **known) if lead is None else changed(lead, **known)
    if aside is not None:
        return set_aside(docket, lead, aside, rule.say, {"rule": rule.name, "tried": Written(routing.match.tried_json)})
    search = searching(docket, lead, scored, routing.facts)
    placed = succession(search, lead, scored, routing.rules_pool)
    return settle(docket, lead, scored, placed or nowhere(search, lead), search.wanted, routing)


def judge(docket: Docket, scored: LeadScored) -> Routing:
    """Return the rule that decides. A rule to an owner who is not known here is passed by."""
    facts = LeadFacts(scored, docket.now, docket.policy)
    match = first_match(docket.policy, facts)
    if isinstance(match.rule.to, Place) and match.rule.to in _OWNER_BOUND:
        return Routing(match, facts, _rules_pool(docket, facts, match.index))
    pool = match.rule.to.pool if isinstance(match.rule.to, ToPool) else None
    return Routing(match, facts, pool)


def bind(lead: LeadState, scored: LeadScored, routing: Routing) -> LeadState:
    """Return the lead with the chain it follows: its owner's, its pool's or its queue's."""
    return changed(lead, **_chain(lead.owner, scored, routing))


def _chain(owner: OwnerRef, scored: LeadScored, routing: Routing) -> dict[str, Any]:
    to = routing.match.rule.to
    if isinstance(to, ToQueue):
        return {"chain": Chain.QUEUE, "pool": None, "bound_to": None}
    bound_to = _bound_to(to, scored, owner) if isinstance(to, Place) else None
    if bound_to is not None:
        return {"chain": Chain.OWNER, "bound_to": bound_to, "pool": routing.rules_pool}
    return {"chain": Chain.POOL, "pool": routing.rules_pool, "bound_to": None}


def searching(docket: Docket, lead: LeadState, scored: LeadScored, facts: LeadFacts) -> Search:
    """Return a search for an owner, with what the lead asks of a rep."""
    tier = docket.tier(lead.tier)
    wanted = Wanted(
        tier=lead.tier,
        needed_until=_needed_until(docket, lead, tier),
        on_shift_only=tier.when_off_shift == "after_hours",
        facts=facts,
        excluded=frozenset(lead.excluded),
        adds=docket.weighs(lead),
    )
    pool = docket.file.pools.get(lead.pool or "")
    until = prefer_until(scored.lead.received_at, pool)
    return Search(docket, wanted, lead.lead_id, route_due(docket, lead.tier, lead.clock_at), until)


def search_for(docket: Docket, lead: LeadState) -> Search:
    """Return what an open lead asks of who may have it now, whatever the rules would say of it."""
    scored = scored_of(lead)
    return searching(docket, lead, scored, LeadFacts(scored, docket.now, docket.policy))


def _needed_until(docket: Docket, lead: LeadState, tier: Tier) -> datetime:
    """Return the contact deadline for leave (AVL-1): by the hours of the person it is bound to, else by the pool's.

    One instant a lead, also for members with hours of their own: decision 0175.
    """
    start = max(docket.now, lead.clock_at)
    if tier.clock is SlaClock.ALWAYS:
        return start + tier.contact_within
    hours = docket.rep_hours(lead.bound_to, lead.pool)
    if hours is not None and tier.clock is SlaClock.WORKING_DAYS:
        hours = working_days(hours)
    return after(hours, start, tier.contact_within)


def succession(search: Search, lead: LeadState, scored: LeadScored, rules_pool: str | None) -> Placement | None:
    """Return the first of the lead's chain who can take it.

    rules_pool: None for a lead of a queue. Where an activation took the pool or the queue's rule away, the rules choose
    anew: an open lead may have been given to a pool that the policy had weeks ago.
    """
    docket, facts = search.docket, search.wanted.facts
    is_gone = rules_pool is not None and rules_pool not in docket.file.pools
    pool = pool_now(docket, rules_pool, facts)
    if lead.bound_to is not None:
        backups = account_backups(scored, lead.bound_to, docket.now)
        return owner_chain(search, lead.bound_to, backups, pool)
    if pool is not None:
        return pool_chain(search, pool)
    target = None if is_gone else _queue_of(docket, lead)
    now = _for_people(docket, facts) if target is None else None
    if isinstance(now, ToPool):
        return pool_chain(search, now.pool)
    target = now.queue if now is not None else target
    return to_queue(search, target, Via.QUEUE) if target else None


def pool_now(docket: Docket, pool: str | None, facts: Mapping[str, Any]) -> str | None:
    """Return the pool that a lead was given, or, where the policy no longer has it, the one that rules choose now."""
    return pool if pool is None or pool in docket.file.pools else _rules_pool(docket, facts)


def account_backups(scored: LeadScored, owner: str, now: datetime) -> tuple[str, ...]:
    """Return who of the lead's account stands in for `owner`, whose account or opportunity it is: the account's named
    backup, within its dates (NEW-14), and for the owner of the opportunity alone that of the account."""
    account = scored.lead.account
    if account is None or owner not in (account.owner, account.opportunity_owner):
        return ()
    has_begun = account.backup_from is None or account.backup_from <= now
    has_ended = account.backup_until is not None and now >= account.backup_until
    backup = account.backup if has_begun and not has_ended else None
    return tuple(one for one in (backup, account.owner) if one is not None and one != owner)


def nowhere(search: Search, lead: LeadState) -> Placement:
    """Return the catch-all, or, in a policy without any queue, the lead waiting in its pool."""
    placed = catch_all(search)
    if placed is not None:
        return placed
    pool = lead.pool or next(iter(search.docket.file.pools))
    return held(search, pool)


def settle(
    docket: Docket,
    lead: LeadState,
    scored: LeadScored,
    placed: Placement,
    wanted: Wanted,
    routing: Routing,
) -> LeadState:
    """Give the lead to whom was found, say so, and arm its wake-up."""
    is_held = placed.phase is Phase.HELD
    reply, replies = ([], lead.replies) if is_held else reply_for(docket, lead, placed.phase, scored.lead.action)
    lead = give(docket, lead, placed, wanted, replies)
    rule = routing.match.rule
    trace = {
        "rule": rule.name,
        "tried": Written(routing.match.tried_json),
        **placement_trace(placed, lead.lead_id),
    }
    telling = {Phase.HELD: "held", Phase.QUEUED: "queued"}.get(placed.phase, "assignment")
    is_brief = placed.via is Via.PREFERENCE  # a wait of seconds is nobody's news
    notices = [] if is_brief else notices_for(docket, lead, Telling(telling, placed.note))
    notices += _flags(docket, lead, placed)
    notices += reply
    kind = {Phase.HELD: DecisionKind.HELD, Phase.QUEUED: DecisionKind.QUEUED}.get(placed.phase, DecisionKind.ASSIGNED)
    reason = said(rule, placed, scored, ZoneInfo(docket.file.timezone))
    uses_turn = placed.pick is not None and not lead.is_test
    record(docket, lead, kind, reason, trace, notices, uses_turn=uses_turn)
    arm(docket, lead)
    return lead


def _flags(docket: Docket, lead: LeadState, placed: Placement) -> list[Notice]:
    """An owner who has left is flagged for people to settle (AVL-4)."""
    if not placed.passed:
        return []
    gone = any(link.step == "owner" and link.why in ("inactive", "not on the roster") for link in placed.passed)
    return notices_for(docket, lead, Telling("inactive_owner", f"{lead.bound_to} has left.")) if gone else []


def _bound_to(to: Place, scored: LeadScored, owner: OwnerRef) -> str | None:
    account = scored.lead.account
    if to is Place.ACCOUNT_OWNER:
        return account.owner if account else None
    if to is Place.OPPORTUNITY_OWNER:
        return (account.opportunity_owner or account.owner) if account else None
    if to is Place.RECYCLED_REP:
        return scored.disqualified.rep if scored.disqualified else None
    return owner.id if owner.kind is OwnerKind.REP else None


def _rules_pool(docket: Docket, facts: Mapping[str, Any], after: int = -1) -> str | None:
    """The pool of the first later rule that holds and leads to a pool or queue; None for a queue."""
    to = _for_people(docket, facts, after)
    return to.pool if isinstance(to, ToPool) else None


def _for_people(docket: Docket, facts: Mapping[str, Any], after: int = -1) -> ToPool | ToQueue:
    """Where the first rule behind `after` leads that holds and names a pool or queue; the last one does."""
    later = (compiled.rule for compiled in docket.policy.rules[after + 1 :])
    return next(
        rule.to
        for rule in later
        if not isinstance(rule.to, Place) and (rule.when is None or docket.holds(rule.when, facts))
    )


def _queue_of(docket: Docket, lead: LeadState) -> str | None:
    for compiled in docket.policy.rules:
        if compiled.rule.name == lead.rule and isinstance(compiled.rule.to, ToQueue):
            return compiled.rule.to.queue
    return None


def _known_tier(docket: Docket, tier: str) -> str:
    return tier if tier in docket.file.tiers else list(docket.file.tiers)[-1]


def restarted(lead: LeadState, clock_at: datetime, now: datetime) -> LeadState:
    """Return the lead with a new SLA cycle: its clock from `clock_at`, no step done, nobody excluded."""
    return changed(
        lead,
        cycle=lead.cycle + 1,
        clock_at=clock_at,
        told_at=None,
        notified_at=None,
        failed_at=None,
        contacted_at=None,
        booked_at=None,
        done=(),
        acted=None,
        queued_at=None,
        held_until=None,
        renewed_at=now,
        excluded=(),
        moves=0,
        breach=None,
        charged_to=None,
        is_unverified=False,
    )
