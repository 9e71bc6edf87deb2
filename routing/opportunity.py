"""Opportunities that are no leads of ours: they count towards their rep's load until they close (CAPA-1, CAPA-3)."""

from dataclasses import replace
from datetime import timedelta

from routing.docket import stage_points
from routing.draft import Draft
from routing.rep_state import Opportunity, RepState, rep_key
from schemas.activity import ActivityBound, ActivityKind
from schemas.policy_file import Capacity

CLOSED = "closed"
END_KEPT = timedelta(days=30)  # an older change that is learned after the end must find it, else it would add load

_CLOSES = (ActivityKind.WON, ActivityKind.LOST, ActivityKind.DELETED, ActivityKind.MERGED, ActivityKind.DISQUALIFIED)


def follow(draft: Draft, division: str, capacity: Capacity, activity: ActivityBound) -> list[str]:
    """Take a change of an opportunity over; return the reps whose load it moved. An older change does nothing."""
    key = f"opportunity/{division}/{activity.opportunity_id}"
    known = draft.find(Opportunity, key)
    if activity.rep is None or (known is not None and activity.at < known.at):
        return []
    if known is not None:
        _add_load(draft, division, known.rep, -known.points)
    if activity.kind in _CLOSES or activity.stage == CLOSED:
        draft.put(key, Opportunity(activity.rep, CLOSED, 0, activity.at))
        forget(draft, division, key)
    else:
        points = stage_points(capacity, activity.stage)
        _add_load(draft, division, activity.rep, points)
        draft.put(key, Opportunity(activity.rep, activity.stage or "", points, activity.at))
    return sorted({activity.rep, known.rep if known is not None else activity.rep})


def forget(draft: Draft, division: str, key: str) -> None:
    """Drop what is kept of an opportunity that ended, at its time; until then, wake for it. An open one stays."""
    known = draft.find(Opportunity, key)
    if known is None or known.stage != CLOSED:
        return
    if draft.now >= known.at + END_KEPT:
        draft.delete(key)
    else:
        draft.wake(key, known.at + END_KEPT, division)


def reweigh(draft: Draft, division: str, capacity: Capacity) -> None:
    """Bring the loads of all opportunities to a new policy's weights."""
    for key, known in list(draft.scan(f"opportunity/{division}/")):
        points = stage_points(capacity, known.stage)
        if points != known.points:
            _add_load(draft, division, known.rep, points - known.points)
            draft.put(key, replace(known, points=points))


def _add_load(draft: Draft, division: str, rep_id: str, points: int) -> None:
    key = rep_key(division, rep_id)
    rep = draft.find(RepState, key) or RepState(rep_id)
    draft.put(key, replace(rep, load=rep.load + points))
