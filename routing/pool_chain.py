"""The succession of AVL-2 for a lead that came through a pool: a member, else what the policy says of one without."""

from datetime import datetime, timedelta

from routing.availability import ABSENT, LEAVE_AHEAD, OFF_SHIFT, absence
from routing.candidates import EXCLUDED, SKILL, Asking, Survey, Wanted, missing_need, needs, survey, used_up
from routing.capacity import shortage
from routing.docket import Docket
from routing.groups import lead_group, pool_group
from routing.lead_state import OwnerRef, Phase
from routing.lineup import Kind, lined_up, pick_from
from routing.picking import pick
from routing.placement import Placement, Via
from routing.search import Search, team_lead_at_work
from routing.strategies.candidate import Asked
from routing.waiting_place import catch_all, held
from schemas.decision import OwnerKind
from schemas.policy_pool import Fallback, Pool, Strategy


def pool_chain(search: Search, name: str) -> Placement | None:
    """Return a member of the pool, else what its policy says of a full or empty pool; None: nobody, nowhere.

    Another member, the after-hours team of a pool that is off shift, the overflow pool, the team lead, catch-all.
    """
    pool = search.docket.file.pools[name]
    placed = member_of(search, name, pool, Via.POOL)
    if placed is not None:
        return placed
    found = search.surveys[-1]
    if pool.after_hours and _is_off_shift(found):
        placed = member_of(search, pool.after_hours, search.docket.file.pools[pool.after_hours], Via.AFTER_HOURS)
        if placed is not None:
            return placed
    for fallback in _fallbacks(search, pool, found):
        placed = _fall_back(search, name, pool, fallback)
        if placed is not None:
            return placed
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


def prefer_until(received_at: datetime, pool: Pool | None) -> datetime:
    """Return until when a lead may wait for a preferred rep."""
    return received_at + (pool.prefer_for if pool else timedelta())


def member_of(search: Search, name: str, pool: Pool, via: Via, over_limit: bool = False) -> Placement | None:
    """Return the member whose turn it is among those who can take the lead, or the hold for a preferred one."""
    docket, wanted = search.docket, search.wanted
    if over_limit:
        wanted = wanted._replace(over_limit=True)
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
    own, general = (pool.when_full, file.when_full) if found.is_full() else (pool.when_empty, file.when_empty)
    chosen = own or general
    return chosen.get(search.wanted.tier) or chosen.get("else") or (Fallback.TEAM_LEAD, Fallback.CATCH_ALL)


def _fall_back(search: Search, name: str, pool: Pool, fallback: Fallback) -> Placement | None:
    if fallback is Fallback.OVERFLOW:
        other = search.docket.file.pools.get(pool.overflow or "")
        return member_of(search, pool.overflow or "", other, Via.OVERFLOW) if other else None
    if fallback is Fallback.HOLD:
        return held(search, name) if search.may_hold and search.docket.now < search.route_due_at else None
    if fallback is Fallback.OVER_LIMIT:
        return member_of(search, name, pool, Via.OVER_LIMIT, over_limit=True)
    if fallback is Fallback.TEAM_LEAD:
        return _team_lead(search, name, pool)
    return catch_all(search)


def _team_lead(search: Search, name: str, pool: Pool) -> Placement | None:
    """The pool's team lead; the after-hours team's, where that team was asked and has no room."""
    placed = team_lead_at_work(search, search.docket.group(lead_group(name)), name, "")
    if placed is not None or pool.after_hours is None or all(link.step != Via.AFTER_HOURS for link in search.passed):
        return placed
    return team_lead_at_work(search, search.docket.group(lead_group(pool.after_hours)), pool.after_hours, "")


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
