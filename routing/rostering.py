"""Roster changes and activations: rows, groups, the open leads of who left, and the room that appears."""

from dataclasses import replace

from routing.availability import has_left
from routing.backlog import drain, drain_rep
from routing.docket import Docket
from routing.draft import Draft
from routing.groups import regroup, regroup_all
from routing.lead_state import Phase
from routing.moving import answer_anew, move_on
from routing.opportunity import reweigh
from routing.rearming import rearm
from routing.rep_state import RepState, rep_key, row_of
from routing.waiting import waiting_leads
from schemas.rep import RepChanged

MOVED_AT_ONCE = 100  # leads an event moves; a wake-up of the rep goes on with the rest


def keep_rep(draft: Draft, change: RepChanged) -> RepState:
    """Put the roster row; the load stays, also of who is off the roster."""
    key = rep_key(change.division, change.rep_id)
    known = draft.find(RepState, key) or RepState(change.rep_id)
    row = None if change.rep is None else row_of(change.rep)
    changed = replace(known, row=row, moved_to=change.moved_to, changed_at=change.at)
    draft.put(key, changed)
    return changed


def change_rep(docket: Docket, change: RepChanged) -> None:
    """Take the change over; who left hands on their leads at once, who has room gets held ones."""
    known = docket.rep(change.rep_id)
    if known is not None and known.changed_at is not None and known.changed_at > change.at:
        return  # an older change that came late
    rep = keep_rep(docket.draft, change)
    regroup(docket.draft, docket.division, docket.file, rep)
    if has_left(rep):
        hand_on(docket, change.rep_id)
    else:
        drain_rep(docket, change.rep_id)


def hand_on(docket: Docket, rep_id: str) -> None:
    """Move the open leads of a rep who left, by their chains; the rest at the next wake-up of the rep (AVL-4).

    What waits in a queue or for room stays there: somebody else is accountable for it.
    """
    moved = 0
    for _, lead_id in list(docket.draft.scan(f"lead-by-owner/{docket.division}/{rep_id}/")):
        if moved >= MOVED_AT_ONCE:
            docket.draft.wake(rep_key(docket.division, rep_id), docket.now, docket.division)
            return
        lead = docket.lead(lead_id)
        if lead is None or lead.owner.id != rep_id:
            continue
        pass_on = move_on if lead.phase is Phase.OWNED else answer_anew
        pass_on(docket, lead, f"{rep_id} has left.")
        moved += 1


def activate(docket: Docket) -> None:
    """Take a policy into use: groups anew, waiting leads decided, held leads looked at, open leads armed anew."""
    regroup_all(docket.draft, docket.division, docket.file)
    reweigh(docket.draft, docket.division, docket.capacity)
    waiting_leads(docket)
    drain(docket, docket.file.pools)
    rearm(docket)
