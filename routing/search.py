"""One search for an owner: what is asked, what was looked at, and who of the people asked for is there."""

from dataclasses import dataclass, field
from datetime import datetime

from routing.availability import OFF_SHIFT, absence
from routing.candidates import EXCLUDED, Survey, Wanted
from routing.capacity import shortage
from routing.docket import Docket
from routing.groups import pools_of
from routing.lead_state import OwnerRef, Phase
from routing.picking import Pick, tie_hash
from routing.placement import Passed, Placement, Via
from routing.rep_state import RepState
from schemas.decision import OwnerKind
from schemas.policy_pool import Pool, Queue


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


def first_present(search: Search, reps: tuple[str, ...], group: Pool | Queue | None) -> str | None:
    """Return one of them: who is there and stays, on shift, with fewest leads, then by a hash; an absent one rather
    than nobody. group: the pool or queue that they answer for; its hours are theirs, where they have none.
    """
    docket = search.docket

    def order(rep_id: str) -> tuple[bool, bool, bool, bool, int, str]:
        rep = docket.rep(rep_id)
        is_absent = absence(rep, docket.now, docket.now) is not None
        leaves = absence(rep, docket.now, search.wanted.needed_until) is not None
        is_off = rep is None or rep.row is None or not docket.shifts(group)(rep.row.hours)
        leads = rep.leads if rep else 0
        return rep_id in search.wanted.excluded, is_absent, leaves, is_off, leads, tie_hash(search.lead_id, rep_id)

    return min(reps, key=order, default=None)


def team_lead_at_work(search: Search, leads: tuple[str, ...], pool: str | None, note: str) -> Placement | None:
    """Return the lead with one of the team leads, who have no limit but must be present and not excluded."""
    group = search.docket.file.pools.get(pool or "")
    rep_id = first_present(search, leads, group)
    if rep_id is None:
        return None
    why = why_absent(search, search.docket.rep(rep_id), rep_id, group)
    if why is not None:
        search.passes("team lead", rep_id, why)
        return None
    return search.found(OwnerRef(OwnerKind.TEAM_LEAD, rep_id, pool=pool), Phase.OWNED, Via.TEAM_LEAD, note=note)


def why_absent(search: Search, rep: RepState | None, rep_id: str, pool: Pool | None) -> str | None:
    """Return why somebody is not there for the lead; None: they are. pool: whose hours count where they have none."""
    if rep_id in search.wanted.excluded:
        return EXCLUDED
    why = absence(rep, search.docket.now, search.wanted.needed_until)
    if why is not None or rep is None or rep.row is None:
        return why
    if search.wanted.on_shift_only and not search.docket.shifts(pool)(rep.row.hours):
        return OFF_SHIFT
    return None


def own_pool(docket: Docket, rep: RepState | None) -> Pool | None:
    """Return the pool whose hours a rep without hours of their own keeps: the first that they are in."""
    if rep is None or rep.row is None or rep.row.hours is not None:
        return None
    names = pools_of(docket.draft, docket.division, docket.file, rep.id)
    return docket.file.pools[names[0]] if names else None


def why_not(search: Search, rep: RepState | None, rep_id: str) -> str | None:
    """Return why an owner or backup can't have the lead. At their limit they can, if the policy has it so (OPT-13)."""
    docket = search.docket
    why = why_absent(search, rep, rep_id, own_pool(docket, rep))
    if why is not None or rep is None or rep.row is None:
        return why
    if docket.file.options.owner_at_limit == "keep" and docket.capacity.owner_bound_over_limit:
        return None
    return shortage(rep, docket.limit(rep.row), search.wanted.adds, docket.now, docket.capping(rep.row))
