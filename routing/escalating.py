"""A wake-up: what is due is worked out from the state as it is now, each step acted on once, the next one armed.

A stale, repeated or early fire finds nothing due and only arms again (DESIGN 2.4).
"""

from routing.acting import tombstone_kept
from routing.arriving import nowhere, searching, succession
from routing.availability import absence, has_left
from routing.backlog import drain, handed
from routing.breach import with_breach
from routing.contacting import spelled
from routing.docket import Docket
from routing.facts import LeadFacts
from routing.groups import LEADERSHIP
from routing.lead_state import LeadState, OwnerRef, Phase, StepDone, changed, had_since, lead_key
from routing.moving import Move, moved, next_owner
from routing.notices import Telling, manager_of, notices_for
from routing.opportunity import forget
from routing.owners import look_again
from routing.placement import Placement, Via
from routing.pool_chain import pool_chain
from routing.rearming import rearm
from routing.record import record, remember, scored_of
from routing.rostering import hand_on
from routing.search import Search
from routing.sla import REPEAT, DueStep, clock_start, is_running, repeat_due, route_due, steps_of
from routing.timing import arm
from routing.waiting import waiting_leads
from routing.waiting_place import to_queue
from schemas.decision import DecisionKind, OwnerKind
from schemas.policy_sla import StepAction
from schemas.timer import WakeUp

UNVERIFIED = "Activity is behind: somebody may have made contact already."


def wake(docket: Docket, woken: WakeUp) -> None:
    """Do what is due for whatever the wake-up names."""
    kind, _, rest = woken.waker.partition("/")
    of_division = rest.partition("/")[2]
    if kind == "lead":
        lead = docket.lead(rest)
        if lead is not None:
            _wake_lead(docket, lead, woken)
    elif kind == "rep":
        rep = docket.rep(of_division)
        if rep is not None and has_left(rep):
            hand_on(docket, rep.id)
    elif kind == "division":
        waiting_leads(docket)
    elif kind == "rearm":
        rearm(docket, of_division)
    elif kind == "opportunity":
        forget(docket.draft, docket.division, woken.waker)
    elif kind == "pool":
        _wake_pool(docket, of_division)


def _wake_pool(docket: Docket, pool: str) -> None:
    drain(docket, [pool])
    if next(docket.draft.scan(f"held/{docket.division}/{pool}/"), None) is not None:
        look_again(docket, pool)


def _wake_lead(docket: Docket, lead: LeadState, woken: WakeUp) -> None:
    if lead.phase is Phase.CLOSED:
        _forget(docket, lead)
        return
    if not is_running(lead):
        return
    limit = docket.file.sla.hold_reassign_above_lag
    is_behind = woken.activity_lag_seconds is not None and woken.activity_lag_seconds > limit.total_seconds()
    lead = changed(with_breach(docket, lead), is_unverified=is_behind)
    if lead.phase is Phase.HELD:
        lead = _held(docket, lead)
    is_waiting = False
    for row in _due(docket, lead):
        if is_behind and row.step.do in (StepAction.REASSIGN, StepAction.MOVE):
            is_waiting = True  # after an outage nobody loses a lead they had called
            continue
        lead = _act(docket, lead, row)
    remember(docket, lead)
    arm(docket, lead, docket.now + limit if is_waiting else None)


def _forget(docket: Docket, lead: LeadState) -> None:
    """Drop what is kept of an ended lead, at its time: a fire of its ladder may have crossed its end, and TIMERS'
    tombstone of that fire the new arming."""
    ends_at = (lead.closed_at or docket.now) + tombstone_kept(docket, lead)
    if docket.now >= ends_at:
        docket.draft.delete(lead_key(lead.lead_id))
    else:
        docket.draft.wake(lead_key(lead.lead_id), ends_at, docket.division)


def _due(docket: Docket, lead: LeadState) -> list[DueStep]:
    done = {row.name for row in lead.done}
    steps = steps_of(docket, lead)
    due = [row for row in steps if row.name not in done and row.due_at <= docket.now]
    repeat = repeat_due(docket, lead, steps)
    if repeat is not None and repeat.due_at <= docket.now:
        due.append(repeat)
    return due


def _held(docket: Docket, lead: LeadState) -> LeadState:
    """Look again for room; at the route deadline the team lead gets the lead (CAPA-5), without one the catch-all."""
    scored = scored_of(lead)
    search = searching(docket, lead, scored, LeadFacts(scored, docket.now, docket.policy))
    search.may_hold = docket.now < route_due(docket, lead.tier, lead.clock_at)
    placed = succession(search, lead, scored, lead.owner.pool)
    if placed is None and not search.may_hold:
        placed = nowhere(search, lead)
        if placed.owner.id is None:  # a queue that nobody has: better wait for room
            return lead
    if placed is None or placed.phase is Phase.HELD:
        return lead
    return handed(docket, lead, placed, search.wanted, scored.lead.action)


def _act(docket: Docket, lead: LeadState, row: DueStep) -> LeadState:
    match row.step.do:
        case StepAction.REMIND_OWNER:
            return _remind(docket, lead, row)
        case StepAction.ALERT_MANAGER:
            return _tell(docket, lead, row, "alert")
        case StepAction.ALERT_LEADERSHIP:
            return _tell(docket, lead, row, "leadership")
        case StepAction.REASSIGN:
            return _reassign(docket, lead, row)
        case StepAction.MOVE:
            return _move(docket, lead, row)


def done(docket: Docket, lead: LeadState, row: DueStep, took_from: str | None = None) -> LeadState:
    """Return the lead with the step acted on; of the endless repeats only the latest is kept."""
    kept = tuple(one for one in lead.done if row.name != REPEAT or one.name != REPEAT)
    mark = StepDone(row.name, row.step.do.value, row.due_at, docket.now, took_from)
    return changed(lead, done=(*kept, mark))


def _remind(docket: Docket, lead: LeadState, row: DueStep) -> LeadState:
    lead = done(docket, lead, row)
    had_at = had_since(lead)
    is_late_owner = had_at is not None and had_at >= row.due_at
    if is_late_owner or lead.phase is not Phase.OWNED:
        return lead
    if absence(docket.rep(lead.owner.id), docket.now, docket.now) is not None:  # one level up (SLA-6)
        above = ", ".join(manager_of(docket, lead)) or "nobody"
        said = f"{lead.owner.id} is away; {above} is reminded instead."
        return _told(docket, lead, row, Telling("alert", said, also=row.step.also), said)
    return _told(docket, lead, row, Telling("reminder", also=row.step.also), "The owner is reminded.")


def _tell(docket: Docket, lead: LeadState, row: DueStep, event: str) -> LeadState:
    lead = done(docket, lead, row)
    if event == "alert":
        who = ", ".join(manager_of(docket, lead)) or "nobody"
    else:
        who = "leadership" if docket.people(LEADERSHIP) else "nobody"
    if row.name == REPEAT:
        waited = spelled((docket.now - clock_start(docket, lead)).total_seconds())
        said = f"Still no contact, {waited} after the clock started; {who} is alerted again."
    else:
        said = f"No contact {row.step.at} after {row.since}; {who} is alerted."
    note = UNVERIFIED if lead.is_unverified else ""
    return _told(docket, lead, row, Telling(event, note, also=row.step.also), said)


def _told(docket: Docket, lead: LeadState, row: DueStep, telling: Telling, said: str) -> LeadState:
    trace = {"step": row.name, "due_at": row.due_at}
    record(docket, lead, DecisionKind.ESCALATED, said, trace, notices_for(docket, lead, telling))
    return lead


def _reassign(docket: Docket, lead: LeadState, row: DueStep) -> LeadState:
    if lead.phase is not Phase.OWNED:
        return done(docket, lead, row)  # a held lead looks for room by itself, a queued one is moved
    if lead.moves >= docket.file.sla.reassignments:
        return done(docket, lead, row)
    late = lead.owner.id
    excluded = frozenset((*lead.excluded, *((late,) if late else ())))
    placed, wanted = next_owner(docket, lead, excluded)
    lead = changed(done(docket, lead, row, took_from=late), excluded=tuple(sorted(excluded)))
    if placed is None or placed.owner == lead.owner or (lead.owner.kind is OwnerKind.TEAM_LEAD and _is_queue(placed)):
        record(docket, lead, DecisionKind.NOTED, f"Nobody else is free; it stays with {late}.", {"step": row.name})
        return lead
    lead = changed(lead, moves=lead.moves + 1)
    why = f"No contact by {late} {row.step.at} after {row.since}."
    return moved(docket, lead, placed, wanted, why, Move.STEP)


def _is_queue(placed: Placement) -> bool:
    return placed.phase is Phase.QUEUED


def _move(docket: Docket, lead: LeadState, row: DueStep) -> LeadState:
    """Move to the manager, a pool or a queue, as the step says."""
    to = row.step.to or "manager"
    lead = done(docket, lead, row, took_from=lead.owner.id)
    placed, wanted = next_owner(docket, lead, frozenset(lead.excluded))
    if to.startswith("queue:"):
        placed = to_queue(_search(docket, lead), to.removeprefix("queue:"), Via.QUEUE)
    elif to.startswith("pool:"):
        placed = pool_chain(_search(docket, lead), to.removeprefix("pool:"))
    else:
        people = [one for one in manager_of(docket, lead) if one != lead.owner.id]
        kind = OwnerKind.QUEUE if lead.owner.kind is OwnerKind.QUEUE else OwnerKind.TEAM_LEAD
        owner = OwnerRef(kind, people[0], lead.owner.queue, lead.owner.pool) if people else None
        placed = Placement(owner, lead.phase, Via.MANAGER) if owner else None
    if placed is None or placed.owner == lead.owner:
        return lead
    return moved(docket, lead, placed, wanted, f"Unclaimed {row.step.at} after {row.since}.", Move.STEP)


def _search(docket: Docket, lead: LeadState) -> Search:
    scored = scored_of(lead)
    search = searching(docket, lead, scored, LeadFacts(scored, docket.now, docket.policy))
    search.may_hold = False
    return search
