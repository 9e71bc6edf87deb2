"""The two successions of AVL-2: of a lead bound to its owner, and of a lead that came through a pool."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from routing.availability import ABSENT, LEAVE_AHEAD, OFF_SHIFT, absence, backups_now
from routing.candidates import EXCLUDED, SKILL, Asking, Survey, Wanted, missing_need, needs, survey, used_up
from routing.capacity import CAPPED, FULL, shortage
from routing.docket import Docket
from routing.groups import lead_group, pool_group, pools_of, queue_owner_group
from routing.lead_state import OwnerRef, Phase
from routing.lineup import Kind, lined_up, pick_from
from routing.picking import Pick, pick, tie_hash
from routing.placement import Passed, Placement, Via
from routing.rep_state import RepState
from routing.strategies.candidate import Asked
from schemas.decision import OwnerKind
from schemas.policy_file import ToQueue
from schemas.policy_pool import Fallback, Pool, Strategy


@dataclass(slots=True)
class Search:
    """One search for an owner. lead_id salts ties. route_due_at: until then a pool may hold the lead (CAPA-5).

    may_hold: False when somebody has the lead already. surveys, passed: what was looked at so far.
    """

    docket: Docket
    wanted: Wanted
    lead_id: str
    route_due_at: datetime
    prefer_until: datetime
    may_hold: bool = True
    surveys: list[Survey] = field(default_factory=list)
    passed: list[Passed] = field(default_factory=list)

    def found(self, owner: OwnerRef, phase: Phase, via: Via, picked: Pick | None = None, note: str = "") -> Placement:
        return Placement(owner, phase, via, picked, note, self.surveys, self.passed)

    def passes(self, step: str, who: str, why: str) -> None:
        self.passed.append(Passed(step, who, why))


def pool_chain(search: Search, name: str) -> Placement | None:
    """Return a member of the pool, else what its policy says of a full or empty pool; None: nobody, nowhere.

    Another member, the after-hours team of a pool that is off shift, the overflow pool, the team lead, catch-all.
    """
    pool = search.docket.file.pools[name]
    placed = _member(search, name, pool, Via.POOL)
    if placed is not None:
        return placed
    found = search.surveys[-1]
    if pool.after_hours and _is_off_shift(found):
        placed = _member(search, pool.after_hours, search.docket.file.pools[pool.after_hours], Via.AFTER_HOURS)
        if placed is not None:
            return placed
    for fallback in _fallbacks(search, pool, found):
        placed = _fall_back(search, name, pool, fallback)
        if placed is not None:
            return placed
    return None


def owner_chain(search: Search, bound_to: str, account_backup: str | None, rules_pool: str | None) -> Placement | None:
    """Return the owner or whoever stands in: backups, the after-hours team, the owner's team lead, the rules' pool.

    rules_pool: the pool that the rules would choose for the lead if it were nobody's.
    """
    docket = search.docket
    why = _why_not(search, docket.rep(bound_to), bound_to)
    if why is None:
        return search.found(OwnerRef(OwnerKind.REP, bound_to), Phase.OWNED, Via.OWNER)
    search.passes("owner", bound_to, why)
    for backup in _backups(search, bound_to, account_backup):
        why = _why_not(search, docket.rep(backup), backup)
        if why is None:
            note = f"Covering {bound_to}."
            return search.found(OwnerRef(OwnerKind.REP, backup), Phase.OWNED, Via.BACKUP, note=note)
        search.passes("backup", backup, why)
    placed = _after_hours(search, bound_to, rules_pool)
    if placed is not None:
        return placed
    team_lead = team_lead_of(docket, bound_to, rules_pool)
    placed = _person(search, team_lead, rules_pool, f"Covering {bound_to}.")
    if placed is not None or rules_pool is None:
        return placed
    return pool_chain(search, rules_pool)


def to_queue(search: Search, queue: str, via: Via) -> Placement:
    """Return the queue with its named owner: present ones first, then whoever; the queue itself if nobody fits."""
    docket = search.docket
    owners = docket.group(queue_owner_group(queue))
    best = _first_present(search, owners)
    owner = OwnerRef(OwnerKind.QUEUE, best, queue)
    return search.found(owner, Phase.QUEUED, via)


def catch_all(search: Search) -> Placement | None:
    """Return the queue of the last rule, else the first queue of the policy; None where there is no queue at all."""
    file = search.docket.file
    last = file.rules[-1].to
    queue = last.queue if isinstance(last, ToQueue) else next(iter(file.queues), None)
    return to_queue(search, queue, Via.CATCH_ALL) if queue else None


def held(search: Search, pool: str, via: Via = Via.HOLD) -> Placement:
    """Return the lead held in `pool`, for room or for a preferred rep; the team lead is accountable."""
    team_lead = _first_present(search, search.docket.group(lead_group(pool)))
    return search.found(OwnerRef(OwnerKind.TEAM_LEAD, team_lead, pool=pool), Phase.HELD, via)


def team_lead_of(docket: Docket, rep: str, pool: str | None) -> str | None:
    """Return who leads the rep: as the roster says, else the lead of the first pool they are in, else `pool`'s."""
    state = docket.rep(rep)
    if state is not None and state.row is not None and state.row.manager:
        return state.row.manager
    for name in (*pools_of(docket.draft, docket.division, docket.file, rep), *((pool,) if pool else ())):
        leads = docket.group(lead_group(name))
        if leads:
            return leads[0]
    return None


def has_room(docket: Docket, pool: str) -> bool:
    """Tell whether any present member of the pool has room for one more lead, whatever the lead is."""
    if used_up(docket, pool, docket.file.pools[pool]) is not None:
        return False
    for rep_id in docket.group(pool_group(pool)):
        rep = docket.rep(rep_id)
        if rep is None or rep.row is None or absence(rep, docket.now, docket.now) is not None:
            continue
        if shortage(rep, docket.limit(rep.row), docket.assigned_points, docket.now, docket.capping(rep.row)) is None:
            return True
    return False


def strategy_for(docket: Docket, pool: Pool, wanted: Wanted) -> str:
    """Return the name of the strategy that the pool uses for this lead (MOD-9)."""
    for choice in pool.strategies:
        if docket.holds(choice.when, wanted.facts):
            return choice.use.value
    return str(pool.strategy)


def asked_of(docket: Docket, pool: Pool, wanted: Wanted) -> Asked:
    """Return what the pool's strategy may know of the lead."""
    if pool.strategy is not Strategy.PERFORMANCE and not pool.strategies:
        return Asked(wanted.tier, performance=pool.performance)
    is_good = docket.holds(pool.performance.when, wanted.facts)
    is_to_learn_on = docket.holds(pool.performance.coach_when, wanted.facts)
    return Asked(wanted.tier, is_good, is_to_learn_on, pool.performance)


def _member(search: Search, name: str, pool: Pool, via: Via, over_limit: bool = False) -> Placement | None:
    docket, wanted = search.docket, search.wanted
    if over_limit:
        wanted = replace(wanted, over_limit=True)
    kind = _kind(search, pool, wanted)
    if kind is not None and (known := docket.seats.lineup(docket.division, name, kind)) is not None:
        picked = pick_from(known, docket, wanted, search.lead_id)
        if picked is not None:
            search.surveys.append(picked.found)
            return search.found(OwnerRef(OwnerKind.REP, picked.rep, pool=name), Phase.OWNED, via, picked)
    found = survey(docket, name, pool, wanted)
    search.surveys.append(found)
    if not found.fit:
        search.passes(via.value, name, _summary(found))
        return None
    if pool.prefer and not _preferred(search, pool, found):
        return held(search, name, Via.PREFERENCE)
    strategy = strategy_for(docket, pool, wanted)
    picked = pick(docket, pool, found, asked_of(docket, pool, wanted), strategy, search.lead_id)
    if kind is not None:
        docket.seats.keep(docket.division, name, kind, lined_up(docket, name, pool, wanted, kind, picked))
    return search.found(OwnerRef(OwnerKind.REP, picked.rep, pool=name), Phase.OWNED, via, picked)


def _kind(search: Search, pool: Pool, wanted: Wanted) -> Kind | None:
    """The kind of lead that this is to the pool; None where only a pass over the pool tells who can take it."""
    if search.surveys or wanted.over_limit or wanted.excluded or pool.prefer:
        return None
    asked = needs(search.docket, pool.require, wanted.facts)
    return Kind(wanted.tier, wanted.adds, strategy_for(search.docket, pool, wanted), asked)


def _preferred(search: Search, pool: Pool, found: Survey) -> bool:
    """Narrow `found.fit` to the preferred reps; False while the lead should wait for one (MOD-4)."""
    asked = needs(search.docket, pool.prefer, search.wanted.facts)
    liked = [one for one in found.fit if not _lacks(search.docket, one.rep, asked)]
    if not liked:
        return not search.may_hold or search.docket.now >= search.prefer_until
    for one in found.fit:
        if one not in liked:
            found.refused[one.rep] = f"{SKILL}: another is preferred"
    found.fit = liked
    return True


def _lacks(docket: Docket, rep_id: str, asked: Asking) -> bool:
    rep = docket.rep(rep_id)
    return rep is None or rep.row is None or missing_need(rep.row, asked) is not None


def _fallbacks(search: Search, pool: Pool, found: Survey) -> tuple[Fallback, ...]:
    file = search.docket.file
    is_full = any(why.startswith((FULL, CAPPED)) for why in found.refused.values())
    own, general = (pool.when_full, file.when_full) if is_full else (pool.when_empty, file.when_empty)
    chosen = own or general
    return chosen.get(search.wanted.tier) or chosen.get("else") or (Fallback.TEAM_LEAD, Fallback.CATCH_ALL)


def _fall_back(search: Search, name: str, pool: Pool, fallback: Fallback) -> Placement | None:
    if fallback is Fallback.OVERFLOW:
        other = search.docket.file.pools.get(pool.overflow or "")
        return _member(search, pool.overflow or "", other, Via.OVERFLOW) if other else None
    if fallback is Fallback.HOLD:
        return held(search, name) if search.may_hold and search.docket.now < search.route_due_at else None
    if fallback is Fallback.OVER_LIMIT:
        return _member(search, name, pool, Via.OVER_LIMIT, over_limit=True)
    if fallback is Fallback.TEAM_LEAD:
        leads = search.docket.group(lead_group(name))
        return _person(search, _first_present(search, leads), name, "")
    return catch_all(search)


def _after_hours(search: Search, bound_to: str, rules_pool: str | None) -> Placement | None:
    """A hot lead whose owner is off shift goes to the after-hours team before the team lead (AVL-3)."""
    if not search.wanted.on_shift_only or all(link.why != OFF_SHIFT for link in search.passed):
        return None
    docket = search.docket
    names = pools_of(docket.draft, docket.division, docket.file, bound_to)
    for name in (*((rules_pool,) if rules_pool else ()), *names):
        after_hours = docket.file.pools[name].after_hours
        if after_hours:
            return _member(search, after_hours, docket.file.pools[after_hours], Via.AFTER_HOURS)
    return None


def _person(search: Search, rep_id: str | None, pool: str | None, note: str) -> Placement | None:
    """A team lead: no limit, but present and not excluded."""
    if rep_id is None:
        return None
    why = _why_absent(search, search.docket.rep(rep_id), rep_id)
    if why is not None:
        search.passes("team lead", rep_id, why)
        return None
    return search.found(OwnerRef(OwnerKind.TEAM_LEAD, rep_id, pool=pool), Phase.OWNED, Via.TEAM_LEAD, note=note)


def _why_absent(search: Search, rep: RepState | None, rep_id: str) -> str | None:
    if rep_id in search.wanted.excluded:
        return EXCLUDED
    why = absence(rep, search.docket.now, search.wanted.needed_until)
    if why is not None or rep is None or rep.row is None:
        return why
    if search.wanted.on_shift_only and not search.docket.shifts(None)(rep.row.hours):
        return OFF_SHIFT
    return None


def _why_not(search: Search, rep: RepState | None, rep_id: str) -> str | None:
    """An owner or backup keeps the lead at their limit, unless the policy says otherwise (OPT-13)."""
    why = _why_absent(search, rep, rep_id)
    docket = search.docket
    if why is not None or rep is None or rep.row is None:
        return why
    if docket.file.options.owner_at_limit == "keep" and docket.capacity.owner_bound_over_limit:
        return None
    return shortage(rep, docket.limit(rep.row), search.wanted.adds, docket.now, docket.capping(rep.row))


def _backups(search: Search, bound_to: str, account_backup: str | None) -> Iterator[str]:
    """Yield the named backups, the account's first, each followed by their own; the policy says how many links."""
    docket = search.docket
    seen = {bound_to}
    waiting = [account_backup] if account_backup else []
    state = docket.rep(bound_to)
    if state is not None and state.row is not None:
        waiting.extend(backups_now(state.row, docket.now))
    while waiting and len(seen) <= docket.file.options.backup_chain:
        backup = waiting.pop(0)
        if backup in seen:
            continue
        seen.add(backup)
        yield backup
        state = docket.rep(backup)
        if state is not None and state.row is not None:
            waiting.extend(backups_now(state.row, docket.now))


def _first_present(search: Search, reps: tuple[str, ...]) -> str | None:
    """The present ones first, who has fewest leads, then a hash; an absent one rather than nobody."""
    docket = search.docket

    def order(rep_id: str) -> tuple[bool, bool, int, str]:
        rep = docket.rep(rep_id)
        is_absent = absence(rep, docket.now, docket.now) is not None
        leads = rep.leads if rep else 0
        return rep_id in search.wanted.excluded, is_absent, leads, tie_hash(search.lead_id, rep_id)

    return min(reps, key=order, default=None)


def _is_off_shift(found: Survey) -> bool:
    """Nobody there, and somebody only because their shift is over or not begun."""
    away = (OFF_SHIFT, ABSENT, LEAVE_AHEAD, EXCLUDED)
    is_off = any(why == OFF_SHIFT for why in found.refused.values())
    return is_off and found.all_refused_for(*away, "inactive", "vacant")


def _summary(found: Survey) -> str:
    if not found.refused:
        return "nobody is in it"
    counts: dict[str, int] = {}
    for why in found.refused.values():
        counts[why] = counts.get(why, 0) + 1
    return ", ".join(f"{count} {why}" for why, count in sorted(counts.items()))


def prefer_until(received_at: datetime, pool: Pool | None) -> datetime:
    """Return until when a lead may wait for a preferred rep."""
    return received_at + (pool.prefer_for if pool else timedelta())
