"""Where a lead waits that no rep can have now: a queue with its owner, or its pool with the team lead."""

from routing.groups import LEADERSHIP, lead_group, queue_manager_group, queue_owner_group
from routing.lead_state import OwnerRef, Phase
from routing.placement import Placement, Via
from routing.search import Search, first_present
from schemas.decision import OwnerKind
from schemas.policy_file import ToQueue
from schemas.policy_pool import Pool, Queue

QUEUE_CLOCK = " The queue's own times count from now."  # for the reason: `LeadState.queued_at`


def to_queue(search: Search, queue: str, via: Via) -> Placement:
    """Return the queue with its named owner: present ones first, then whoever; its manager where all have left."""
    listed = search.docket.file.queues.get(queue)
    best = _accountable(search, listed, queue_owner_group(queue), queue_manager_group(queue))
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
    team_lead = _accountable(search, search.docket.file.pools.get(pool), lead_group(pool))
    return search.found(OwnerRef(OwnerKind.TEAM_LEAD, team_lead, pool=pool), Phase.HELD, via)


def _accountable(search: Search, place: Pool | Queue | None, *groups: str) -> str | None:
    """Return somebody of the first group with people who have not left and did not let the lead go (NEW-13); leadership
    comes last. Where all of them did, one of the first group all the same."""
    known = [search.docket.people(group) for group in (*groups, LEADERSHIP)]
    asked = [tuple(one for one in people if one not in search.wanted.excluded) for people in known]
    return first_present(search, next(filter(None, (*asked, *known)), ()), place)
