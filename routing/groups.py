"""Who fits which selector of the policy: pools, team leads, queue owners, leadership.

Kept as records beside the roster, and refreshed when the roster or the policy changes, so that a decision reads one
list and never scans the roster (NEW-7).
"""

from collections.abc import Iterator

from routing.draft import Draft
from routing.rep_state import RepState, RosterRow
from schemas.policy_file import PolicyFile
from schemas.policy_pool import Selector
from schemas.policy_sla import Step
from schemas.value import value

LEADERSHIP = "leadership"


@value
class Group:
    """Ids of the reps who fit a selector, sorted, so that the order of the roster changes nothing."""

    reps: tuple[str, ...] = ()


NO_ONE = Group()


def group_key(division: str, group: str) -> str:
    """Return the store key of a group's members."""
    return f"group/{division}/{group}"


def pool_group(pool: str) -> str:
    return f"pool:{pool}"


def lead_group(pool: str) -> str:
    return f"lead:{pool}"


def queue_owner_group(queue: str) -> str:
    return f"queue-owner:{queue}"


def queue_manager_group(queue: str) -> str:
    return f"queue-manager:{queue}"


def role_group(role: str) -> str:
    return f"role:{role}"


def selectors(file: PolicyFile) -> Iterator[tuple[str, Selector]]:
    """Yield each group that the policy speaks of, with who is in it."""
    for name, pool in file.pools.items():
        yield pool_group(name), pool.members
        yield lead_group(name), pool.lead
    for name, queue in file.queues.items():
        yield queue_owner_group(name), queue.owner
        yield queue_manager_group(name), queue.manager
    yield LEADERSHIP, file.leadership
    roles = {role for ladder in _ladders(file) for step in ladder for role in step.also}
    for role in sorted(roles):
        yield role_group(role), Selector(role=(role,))


def fits(selector: Selector, row: RosterRow) -> bool:
    """Tell whether a person is what the selector asks; a selector that asks nothing fits nobody."""
    asked = False
    for field, wanted in selector:
        if not wanted:
            continue
        asked = True
        has = getattr(row, field)
        if not (has in wanted if isinstance(has, str) or has is None else any(one in wanted for one in has)):
            return False
    return asked


def members(draft: Draft, division: str, group: str) -> tuple[str, ...]:
    """Return the ids of a group's members."""
    return (draft.find(Group, group_key(division, group)) or NO_ONE).reps


def regroup(draft: Draft, division: str, file: PolicyFile, rep: RepState) -> None:
    """Put the rep into the groups that fit now, and out of the others."""
    for name, selector in selectors(file):
        key = group_key(division, name)
        group = draft.find(Group, key) or NO_ONE
        belongs = rep.row is not None and fits(selector, rep.row)
        if belongs and rep.id not in group.reps:
            draft.put(key, Group(tuple(sorted((*group.reps, rep.id)))))
        elif not belongs and rep.id in group.reps:
            draft.put(key, Group(tuple(one for one in group.reps if one != rep.id)))


def regroup_all(draft: Draft, division: str, file: PolicyFile) -> None:
    """Make all groups anew after a change of policy."""
    reps = [rep for _, rep in draft.scan(f"rep/{division}/")]
    wanted = dict(selectors(file))
    for key, _ in list(draft.scan(f"group/{division}/")):
        if key.split("/", 2)[2] not in wanted:
            draft.delete(key)
    for name, selector in wanted.items():
        now_in = tuple(sorted(rep.id for rep in reps if rep.row is not None and fits(selector, rep.row)))
        if now_in != members(draft, division, name):
            draft.put(group_key(division, name), Group(now_in))


def pools_of(draft: Draft, division: str, file: PolicyFile, rep: str) -> list[str]:
    """Return the names of the pools that the rep is a member of, in the order of the policy."""
    return [name for name in file.pools if rep in members(draft, division, pool_group(name))]


def _ladders(file: PolicyFile) -> Iterator[tuple[Step, ...]]:
    yield file.ladder
    yield file.queue_ladder
    for tier in file.tiers.values():
        yield tier.ladder or ()
    for pool in file.pools.values():
        yield pool.ladder or ()
        yield from pool.ladders.values()
    for queue in file.queues.values():
        yield queue.ladder or ()
