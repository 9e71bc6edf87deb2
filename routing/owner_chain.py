"""The succession of AVL-2 for a lead bound to its owner: whoever stands in, else whoever leads them."""

from collections.abc import Iterator

from routing.availability import OFF_SHIFT, backups_now
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
    team_lead = team_lead_of(docket, bound_to, rules_pool)
    placed = team_lead_at_work(search, team_lead, rules_pool, f"Covering {bound_to}.")
    if placed is not None or rules_pool is None:
        return placed
    return pool_chain(search, rules_pool)


def team_lead_of(docket: Docket, rep: str, pool: str | None) -> str | None:
    """Return who leads the rep: as the roster says, else the lead of the first pool they are in, else `pool`'s."""
    state = docket.rep(rep)
    if state is not None and state.row is not None and state.row.manager:
        return state.row.manager
    for name in (*pools_of(docket.draft, docket.division, docket.file, rep), *((pool,) if pool else ())):
        leads = docket.people(lead_group(name))
        if leads:
            return leads[0]
    return None


def _after_hours(search: Search, bound_to: str, rules_pool: str | None) -> Placement | None:
    """A hot lead whose owner is off shift goes to the after-hours team before the team lead (AVL-3)."""
    if not search.wanted.on_shift_only or all(link.why != OFF_SHIFT for link in search.passed):
        return None
    docket = search.docket
    names = pools_of(docket.draft, docket.division, docket.file, bound_to)
    for name in (*((rules_pool,) if rules_pool else ()), *names):
        after_hours = docket.file.pools[name].after_hours
        if after_hours:
            return member_of(search, after_hours, docket.file.pools[after_hours], Via.AFTER_HOURS)
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
