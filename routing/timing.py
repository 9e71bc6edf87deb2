"""The one wake-up of a lead: armed for whatever comes first."""

from datetime import datetime, timedelta

from routing.docket import Docket
from routing.lead_state import LeadState, Phase, lead_key
from routing.pool_chain import prefer_until
from routing.record import scored_of
from routing.sla import contact_due, is_running, repeat_due, route_due, steps_of


def arm(docket: Docket, lead: LeadState, not_before: datetime | None = None) -> None:
    """Arm or cancel the lead's wake-up. not_before: nothing is due earlier (reassign steps held after an outage)."""
    due = next_due(docket, lead)
    if due is None:
        docket.draft.cancel_wake(lead_key(lead.lead_id))
        return
    if not_before is not None:
        due = max(due, not_before)
    docket.draft.wake(lead_key(lead.lead_id), due, docket.division, lead.epoch)


def next_due(docket: Docket, lead: LeadState) -> datetime | None:
    """Return when the lead has to be looked at next, None: not by the clock."""
    if not is_running(lead):
        return None
    done = {row.name for row in lead.done}
    steps = steps_of(docket, lead)
    times = [row.due_at for row in steps if row.name not in done]
    if lead.phase is Phase.HELD:
        due = route_due(docket, lead.tier, lead.clock_at)
        pool = docket.file.pools.get(lead.owner.pool or "")
        times.append(due if due > docket.now else docket.now + timedelta(minutes=1))
        if pool is not None and pool.prefer:
            until = prefer_until(scored_of(lead).lead.received_at, pool)
            times += [until] if until > docket.now else []
    if lead.breach is None:
        times.append(contact_due(docket, lead))
    if not times:
        repeat = repeat_due(docket, lead, steps)
        times = [repeat.due_at] if repeat else []
    return min(times, default=None)
