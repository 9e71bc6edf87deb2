"""The decision: one event of a division in, what must change out. Pure: same arguments, same effects."""

from collections.abc import Sequence
from datetime import datetime
from typing import assert_never

from routing.acting import act
from routing.arriving import opened
from routing.division import Division, division_key
from routing.docket import Docket
from routing.draft import Draft
from routing.escalating import wake
from routing.opportunity import follow
from routing.policy import Policy
from routing.returning import receive
from routing.rostering import activate, change_rep, keep_rep
from routing.seats import Seats
from routing.settling import settled
from routing.waiting import hold_for_policy
from schemas.activity import ActivityBound
from schemas.delivery import DeliverySettled
from schemas.effects import Effect
from schemas.ids import division_of
from schemas.lead import LeadScored
from schemas.poison import Poison
from schemas.policy import PolicyActivated
from schemas.policy_file import Capacity
from schemas.rep import RepChanged
from schemas.state import StateView
from schemas.timer import WakeUp
from schemas.value import value

ENGINE = "2"  # raised with each change after which the same input may decide otherwise; the journal names it

Input = LeadScored | ActivityBound | RepChanged | PolicyActivated | DeliverySettled | WakeUp


@value
class DecisionInput:
    """One event of a division. id: the event's id, from which ids of decisions derive. contact is never in it."""

    id: str
    value: Input


def division_in(value: Input) -> str:
    """Return the division that an event belongs to. Raises Poison where it names none."""
    if isinstance(value, WakeUp):
        kind, _, rest = value.waker.partition("/")
        if kind == "lead":
            return division_of(rest)
        return rest.partition("/")[0]
    if value.division is None:
        raise Poison("an event on leads.scored names its division")
    return value.division


def decide(
    state: StateView, event: DecisionInput, policy: Policy | None, now: datetime, seats: Seats | None = None
) -> Sequence[Effect]:
    """Return what the event changes: decisions to write, state to put, wake-ups to set or cancel.

    policy: the division's active one, after this event if the event activates it; None: none was ever activated, then
    leads wait with that reason. now: aware UTC, never before the division's previous one. seats: what is remembered
    of the pools between events of this very state; it makes no difference but in time.
    """
    draft = Draft(state, now)
    name = division_in(event.value)
    division = draft.find(Division, division_key(name)) or Division(name, now)
    active = event.value.hash if isinstance(event.value, PolicyActivated) else division.policy_hash
    draft.put(division_key(name), division.after(now, active))
    if policy is None:
        _without_policy(draft, event, now)
    else:
        seats = seats or Seats()
        docket = Docket(draft, policy, name, event.id, now, seats)
        seats.begin(name, division.revision, policy.hash, docket.today.isoformat())
        _with_policy(docket, event.value)
        draft.watch = None  # it knows the docket, which knows the draft: both would wait for the cycle collector
    return draft.effects()


def _with_policy(docket: Docket, value: Input) -> None:
    match value:
        case LeadScored():
            receive(docket, value)
        case ActivityBound():
            act(docket, value)
        case RepChanged():
            change_rep(docket, value)
        case PolicyActivated():
            activate(docket)
        case DeliverySettled():
            settled(docket, value)
        case WakeUp():
            wake(docket, value)
        case _:
            assert_never(value)


def _without_policy(draft: Draft, event: DecisionInput, now: datetime) -> None:
    """A division that never had a policy keeps its roster and loads, and its leads wait, visibly."""
    if isinstance(event.value, RepChanged):
        keep_rep(draft, event.value)
    elif isinstance(event.value, ActivityBound):
        _without_lead(draft, event.value)
    elif isinstance(event.value, LeadScored):
        hold_for_policy(draft, opened(event.value), event, now)


def _without_lead(draft: Draft, activity: ActivityBound) -> None:
    if activity.lead_id is None and activity.opportunity_id is not None and activity.division is not None:
        follow(draft, activity.division, Capacity(), activity)
