"""Where a lead waits that no rep can have now: a queue with its owner, or its pool with the team lead."""

from routing.groups import lead_group, queue_owner_group
from routing.lead_state import OwnerRef, Phase
from routing.placement import Placement, Via
from routing.search import Search, first_present
from schemas.decision import OwnerKind
from schemas.policy_file import ToQueue

QUEUE_CLOCK = " The queue's own times count from now."  # for the reason: `LeadState.queued_at`


def to_queue(search: Search, queue: str, via: Via) -> Placement:
    """Return the queue with its named owner: present ones first, then whoever; the queue itself if nobody fits."""
    docket = search.docket
    owners = docket.group(queue_owner_group(queue))
    best = first_present(search, owners)
    owner = OwnerRef(OwnerKind.QUEUE, best, queue)
    return search.found(owner, Phase.QUEUED, via)


def catch_all(search: Search) -> Placement | None:
    """Return the queue of the last rule, else the first queue of the policy; None where there is no queue at all."""
    file = search.docket.file
    last = file.rules[-1].to
    queue = last.queue if isinstance(last, ToQueue) else next(iter(file.queues), None)
    return to_queue(search, queue, Via.CATCH_ALL) if queue else None


def held(search: Search, pool: str, via: Via = Via.HOLD) -> Placement:
    """Return the lead held in `pool`, for room or for a preferred rep; the team lead is accountable."""
    team_lead = first_present(search, search.docket.group(lead_group(pool)))
    return search.found(OwnerRef(OwnerKind.TEAM_LEAD, team_lead, pool=pool), Phase.HELD, via)
