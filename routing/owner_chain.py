"""The succession of AVL-2 for a lead bound to its owner: whoever stands in, else whoever leads them."""

from collections.abc import Iterator

from routing.availability import OFF_SHIFT, backups_now, has_left
from routing.calendar.business_time import is_open
from routing.docket import Docket
from routing.groups import lead_group, pools_of
from routing.lead_state import OwnerRef, Phase
from routing.placement import Placement, Via
from routing.pool_chain import member_of, pool_chain
from routing.search import Search, team_lead_at_work, why_not
from schemas.decision import OwnerKind


def owner_chain(
    search: Search, bound_to: str, account_backups: tuple[str, ...], rules_pool: str | None
) -> Placement | None:
    """Return the owner or whoever stands in: backups, the after-hours team, the owner's team lead, the rules' pool.

    rules_pool: the pool that the rules would choose for the lead if it were nobody's.
    """
    docket = search.docket
    why = why_not(search, docket.rep(bound_to), bound_to)
    if why is None:
        return search.found(OwnerRef(OwnerKind.REP, bound_to), Phase.OWNED, Via.OWNER)
    search.passes("owner", bound_to, why)
    for backup in _backups(search, bound_to, account_backups):
        why = why_not(search, docket.rep(backup), backup)
        if why is None:
            note = f"Covering {bound_to}."
            return search.found(OwnerRef(OwnerKind.REP, backup), Phase.OWNED, Via.BACKUP, note=note)
        search.passes("backup", backup, why)
    placed = _after_hours(search, bound_to, rules_pool)
    if placed is not None:
        return placed
    team_leads = team_leads_of(docket, bound_to, rules_pool)
    placed = team_lead_at_work(search, team_leads, rules_pool, f"Covering {bound_to}.")
    if placed is not None or rules_pool is None:
        return placed
    return pool_chain(search, rules_pool)


def team_leads_of(docket: Docket, rep: str, pool: str | None) -> tuple[str, ...]:
    """Return who leads the rep: as the roster says, else the leads of the first pool they are in, else `pool`'s."""
    state = docket.rep(rep)
    manager = state.row.manager if state is not None and state.row is not None else None
    if manager and not has_left(docket.rep(manager)):
        return (manager,)
    for name in (*pools_of(docket.draft, docket.division, docket.file, rep), *((pool,) if pool else ())):
        leads = docket.people(lead_group(name))
        if leads:
            return leads
    return (manager,) if manager else ()


def _after_hours(search: Search, bound_to: str, rules_pool: str | None) -> Placement | None:
    """A hot lead that comes after its owner's hours goes to the after-hours team before the team lead (AVL-3)."""
    if not search.wanted.on_shift_only:
        return None
    docket = search.docket
    own = pools_of(docket.draft, docket.division, docket.file, bound_to)
    hours = docket.rep_hours(bound_to, own[0] if own else rules_pool)
    is_at_hours = hours is None or is_open(hours, docket.now)  # be they on leave, or gone
    if is_at_hours and all(link.why != OFF_SHIFT for link in search.passed):
        return None
    teams = (docket.file.pools[name].after_hours for name in (*((rules_pool,) if rules_pool else ()), *own))
    for team in dict.fromkeys(name for name in teams if name):
        placed = member_of(search, team, docket.file.pools[team], Via.AFTER_HOURS)
        if placed is not None:
            return placed
    return None


def _backups(search: Search, bound_to: str, account_backups: tuple[str, ...]) -> Iterator[str]:
    """Yield the named backups, the account's first, each followed by their own; the policy says how many links."""
    docket = search.docket
    seen = {bound_to}
    waiting = list(account_backups)
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
