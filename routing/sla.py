"""The clocks of a lead: when it must be routed and contacted, and when each step of its ladder falls due."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from functools import lru_cache
from operator import attrgetter
from typing import Any, NamedTuple

from routing.calendar.business_time import Calendar, add_open, add_open_each, working_days
from routing.docket import Docket
from routing.lead_state import LeadState, Phase, had_since
from routing.policy import Policy, once_a_policy
from schemas.decision import OwnerKind
from schemas.policy_file import Tier
from schemas.policy_sla import SlaClock, Step, StepAction

REPEAT = "repeat"
_MAY_BE_NONE = ("owned_at", "contacted_at", "breach", "breach_charged_to")


class DueStep(NamedTuple):
    """A step of the ladder with its instant. name: unique within an SLA cycle. since: what its time counts from."""

    name: str
    step: Step
    due_at: datetime
    since: str = "the clock started"


def clock_calendar(docket: Docket, lead: LeadState) -> Calendar | None:
    """Return the calendar that the lead's clock runs on, None: around the clock (SLA-7).

    The owner's own hours; for a held lead the pool's, for a queue its queue's.
    """
    clock = docket.tier(lead.tier).clock
    if clock is SlaClock.ALWAYS:
        return None
    owner = lead.owner
    if owner.kind is OwnerKind.QUEUE and owner.queue in docket.file.queues:
        calendar = docket.hours(docket.file.queues[owner.queue].hours)
    elif lead.phase is Phase.HELD:
        calendar = docket.pool_hours(owner.pool)
    else:
        calendar = docket.rep_hours(owner.id, owner.pool or lead.pool)
    if calendar is None:
        return None
    return working_days(calendar) if clock is SlaClock.WORKING_DAYS else calendar


def after(calendar: Calendar | None, start: datetime, time: timedelta) -> datetime:
    """Return when `time` has passed on the calendar since `start`; plain time where it never opens."""
    return start + time if calendar is None else _open_after(calendar, start, time, start.tzinfo)


@lru_cache(maxsize=256)  # within a decision the same instants are asked for again and again
def _open_after(calendar: Calendar, start: datetime, time: timedelta, zone: tzinfo | None) -> datetime:
    """zone: of `start`, whose zone the answer may have: equal instants of two zones are equal keys."""
    due = add_open(calendar, start, time.total_seconds())
    return start + time if due is None else due


def clock_start(docket: Docket, lead: LeadState) -> datetime:
    """Return where the lead clock starts: the submission, or the first delivery of the cycle where the policy says so
    and there was one (OPT-6). Until then it counts from the submission: no lead is without a clock."""
    from_delivery = docket.file.sla.clock_from == "notification"
    return lead.told_at if from_delivery and lead.told_at is not None else lead.clock_at


def route_due(docket: Docket, tier: str, clock_at: datetime) -> datetime:
    """Return by when the lead must have an owner: always plain time."""
    return clock_at + docket.tier(tier).route_within


def contact_due(docket: Docket, lead: LeadState) -> datetime:
    """Return by when a human must have made contact."""
    return clocks_of(docket, lead).contact_due


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """A step of a ladder, with its time from the clock's start. queue: whose own time it is, where a lead that others
    had comes into the queue: from then on. Leadership is told at its multiple of the lead's clock, whoever has it."""

    name: str
    step: Step
    time: timedelta
    queue: str | None


@dataclass(frozen=True, slots=True, eq=False)
class Ladder:
    """The steps that leads of one kind follow. window: to make contact in."""

    steps: tuple[PlannedStep, ...]
    window: timedelta


def ladder_of(docket: Docket, lead: LeadState) -> Ladder:
    """Return the steps for the lead: its queue's, else by pool and tier, else the tier's, else the policy's."""
    owner = lead.owner
    queue = (owner.queue or "") if owner.kind is OwnerKind.QUEUE else None
    return _ladder(docket.policy, lead.tier, owner.pool or lead.pool or "", queue)


@once_a_policy
def _ladder(policy: Policy, tier_name: str, pool_name: str, queue_name: str | None) -> Ladder:
    file, tier = policy.file, policy.tier(tier_name)
    if queue_name is not None:
        queue = file.queues.get(queue_name)
        steps = (queue.ladder if queue else None) or file.queue_ladder
    else:
        pool = file.pools.get(pool_name)
        own = pool.ladders.get(tier_name) or pool.ladder if pool else None
        steps = own or tier.ladder or file.ladder
    window = tier.contact_within
    return Ladder(tuple(_planned(one, window, queue_name) for one in steps), window)


def _planned(step: Step, window: timedelta, queue: str | None) -> PlannedStep:
    is_the_leads = step.do is StepAction.ALERT_LEADERSHIP and step.at.multiple is not None
    return PlannedStep(f"{step.at}:{step.do.value}", step, step.at.of(window), None if is_the_leads else queue)


def steps_of(docket: Docket, lead: LeadState) -> tuple[DueStep, ...]:
    """Return all steps of the lead's ladder with their instants, soonest first; done ones included."""
    return clocks_of(docket, lead).steps


class Clocks(NamedTuple):
    """The instants of a lead as it stands. start: of its clock."""

    start: datetime
    contact_due: datetime
    steps: tuple[DueStep, ...]


def clocks_of(docket: Docket, lead: LeadState) -> Clocks:
    """Return the lead's clocks. A decision asks several times for those of the same lead."""
    if docket.clocks is not None and docket.clocks[0] is lead:
        known: Clocks = docket.clocks[1]
        return known
    calendar, start = clock_calendar(docket, lead), clock_start(docket, lead)
    ladder = ladder_of(docket, lead)
    contact, dues = _dues(calendar, start, start.tzinfo, ladder)
    rows: list[DueStep] = []
    for planned, due in zip(ladder.steps, dues, strict=True):
        if planned.queue is not None and lead.queued_at is not None:
            due = after(calendar, lead.queued_at, planned.time)
            # a name of its own: in a pool or in the queue before, a step of this name may have been acted on
            name, since = f"{planned.name}:{planned.queue}", f"it came into queue {planned.queue}"
            rows.append(DueStep(name, planned.step, due, since))
            continue
        if planned.step.do is StepAction.REASSIGN:
            due = max(due, late_window(docket, lead, calendar))
        rows.append(DueStep(planned.name, planned.step, due))
    rows.sort(key=attrgetter("due_at"))
    clocks = Clocks(start, contact, tuple(rows))
    docket.clocks = (lead, clocks)
    return clocks


@lru_cache(maxsize=256)
def _dues(
    calendar: Calendar | None, start: datetime, zone: tzinfo | None, ladder: Ladder
) -> tuple[datetime, tuple[datetime, ...]]:
    """By when contact is due, and each step; zone: as for `_open_after`."""
    times = [ladder.window, *[planned.time for planned in ladder.steps]]
    open_by = {} if calendar is None else add_open_each(calendar, start, times)
    contact, *steps = (open_by.get(time) or start + time for time in times)  # plain time where it never opens
    return contact, tuple(steps)


def late_window(docket: Docket, lead: LeadState, calendar: Calendar | None) -> datetime:
    """Return until when an owner assigned late may keep the lead: a full contact window (SLA-5)."""
    had_at = had_since(lead)
    if had_at is None or not docket.file.sla.late_window:
        return lead.clock_at
    return after(calendar, had_at, docket.tier(lead.tier).contact_within)


def repeat_due(docket: Docket, lead: LeadState, steps: Sequence[DueStep]) -> DueStep | None:
    """Return the next reminder to the team lead after the last step (SLA-6); what an outage swallowed comes once."""
    repeat = docket.file.sla.repeat
    if repeat is None:
        return None
    calendar = clock_calendar(docket, lead)
    window = docket.tier(lead.tier).contact_within
    every = repeat.every.of(window)
    told = [done.due_at for done in lead.done if done.name == REPEAT]
    last = steps[-1]
    if last.name not in {done.name for done in lead.done}:
        return None
    due = after(calendar, told[-1] if told else last.due_at, every)
    for _ in range(1000):
        following = after(calendar, due, every)
        if following > docket.now:
            break
        due = following
    return DueStep(REPEAT, Step(at=repeat.every, do=repeat.do, to=None, also=()), due)


def is_running(lead: LeadState) -> bool:
    """Tell whether the lead's ladder runs: not contacted, no meeting booked, waiting for a person."""
    if lead.contacted_at is not None or lead.booked_at is not None:
        return False
    return lead.phase in (Phase.OWNED, Phase.HELD, Phase.QUEUED)


def standing(docket: Docket, lead: LeadState) -> dict[str, Any] | None:
    """Return the clocks for the record, as JSON data in the order of `schemas.decision.SlaStanding`; None where none
    runs or ran (nurture, quarantine, waiting)."""
    if lead.phase not in (Phase.OWNED, Phase.HELD, Phase.QUEUED):
        return None
    clocks = clocks_of(docket, lead)
    due, start = clocks.contact_due, clocks.start
    tier: Tier = docket.tier(lead.tier)
    row: dict[str, Any] = {
        "cycle": lead.cycle,
        "clock_at": start,
        "route_due_at": lead.clock_at + tier.route_within,
        "contact_due_at": due,
        "owned_at": lead.owned_at,
        "contacted_at": lead.contacted_at,
        "paused_seconds": max((due - start - tier.contact_within).total_seconds(), 0.0),
        "steps": _steps(clocks, lead),
        "breach": lead.breach,
        "breach_charged_to": lead.charged_to,
        "is_unverified": lead.is_unverified,
    }
    for name in _MAY_BE_NONE:
        if row[name] is None:
            del row[name]
    return row


def _steps(clocks: Clocks, lead: LeadState) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = [
        {"name": name, "do": step.do, "due_at": due_at} for name, step, due_at, _ in clocks.steps
    ]
    if lead.done:
        done = {row.name: row for row in lead.done}
        for row in rows:
            was = done.get(row["name"])
            if was is not None:
                row |= {"due_at": was.due_at, "done_at": was.done_at}
    return rows
