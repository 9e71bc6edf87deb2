"""Lint of a policy against the people it will meet: empty pools, nobody to tell, ghosts, circles of backups."""

from collections.abc import Iterator, Mapping, Sequence

from routing.expression import Comparison, Op, leaves
from routing.finding import Finding, Severity, Where
from routing.policy import Policy
from routing.policy_checks import ladders
from routing.policy_errors import meant, place
from routing.policy_yaml import Path
from schemas.policy_pool import Need, Selector
from schemas.policy_sla import StepAction
from schemas.rep import Rep

_ERROR, _WARNING = Severity.ERROR, Severity.WARNING


def fits(selector: Selector, rep: Rep) -> bool:
    """Tell whether a rep is one of those whom the selector chooses, active or not."""
    for name in Selector.model_fields:
        wanted = getattr(selector, name)
        own = getattr(rep, name)
        held = own if isinstance(own, tuple) else (own,)
        if wanted and not any(each in wanted for each in held):
            return False
    return True


def roster_findings(policy: Policy, roster: Sequence[Rep]) -> Iterator[Finding]:
    """Yield what does not fit between policy and roster. Only reps of the policy's division count."""
    reps = {rep.id: rep for rep in roster if rep.division == policy.file.division}
    yield from _pools(policy, reps)
    yield from _queues(policy, reps)
    yield from _needs(policy, reps)
    yield from _unheld(policy, reps)
    yield from _steps(policy, reps)
    yield from _backups(policy, reps)
    yield from _managers(reps)
    yield from _left_out(policy, reps)
    yield from _never_there(reps)
    yield from _people_named(policy, reps)


def _active(selector: Selector, reps: Mapping[str, Rep]) -> list[Rep]:
    return [rep for rep in reps.values() if rep.active and fits(selector, rep)]


def _pools(policy: Policy, reps: Mapping[str, Rep]) -> Iterator[Finding]:
    for name, pool in policy.file.pools.items():
        members: Path = ("pools", name, "members")
        if not _active(pool.members, reps):
            what = f"pool {name!r} is empty: nobody active fits {_said(pool.members)}."
            yield place(policy.document, members, _ERROR, "pool.empty", what, "Widen the selector or fill the team.")
        for rep in reps.values():
            if not rep.active and fits(pool.members, rep):
                what = f"ghost user: {rep.id} is deactivated, but still in the team of pool {name!r}."
                yield place(policy.document, members, _WARNING, "roster.ghost", what, "Take them out of the roster.")
        yield from _somebody(policy, ("pools", name, "lead"), pool.lead, reps, f"pool {name!r} has no team lead")


def _queues(policy: Policy, reps: Mapping[str, Rep]) -> Iterator[Finding]:
    for name, queue in policy.file.queues.items():
        yield from _somebody(policy, ("queues", name, "owner"), queue.owner, reps, f"queue {name!r} has no owner")
        said = f"queue {name!r} has no manager"
        yield from _somebody(policy, ("queues", name, "manager"), queue.manager, reps, said)


def _somebody(
    policy: Policy, path: Path, selector: Selector, reps: Mapping[str, Rep], nobody: str
) -> Iterator[Finding]:
    if not _active(selector, reps):
        what = f"{nobody}: nobody active fits {_said(selector)}."
        yield place(policy.document, path, _ERROR, "step.no_recipient", what, "Steps would reach nobody.")


def _needs(policy: Policy, reps: Mapping[str, Rep]) -> Iterator[Finding]:
    for name, pool in policy.file.pools.items():
        for at, need in enumerate(pool.require):
            held = {word for rep in _active(pool.members, reps) for word in _words(rep, need)}
            missing = [word for word in need.any_of if word not in held]
            if missing and len(missing) == len(need.any_of):
                what = f"pool {name!r} requires {need.rep} {', '.join(missing)}, which no member has."
                yield place(policy.document, ("pools", name, "require", at), _ERROR, "pool.skill", what, "")


def _unheld(policy: Policy, reps: Mapping[str, Rep]) -> Iterator[Finding]:
    """Words for which a need is asked by name and that no member has: their leads find nobody in the pool."""
    for name, pool in policy.file.pools.items():
        for at, need in enumerate(pool.require):
            if need.fact is None or need.when is None:
                continue
            held = {word for rep in _active(pool.members, reps) for word in _words(rep, need)}
            tests = [leaf for leaf in leaves(policy.conditions[need.when].node) if isinstance(leaf, Comparison)]
            asked = [test.expected for test in tests if test.field == need.fact and test.op in (Op.EQUAL, Op.IN)]
            words = [word for each in asked for word in (each if isinstance(each, tuple) else (each,))]
            missing = [str(word) for word in words if word not in held]
            if missing:
                what = f"nobody in pool {name!r} has {need.rep} {', '.join(missing)}: such leads find nobody there."
                allowed = "They go on as when_empty says. Take the words out of when, or add them to a member."
                yield place(policy.document, ("pools", name, "require", at), _WARNING, "pool.skill", what, allowed)


def _left_out(policy: Policy, reps: Mapping[str, Rep]) -> Iterator[Finding]:
    """People whom nothing of the policy chooses: a misspelt team or role, as a rule."""
    file = policy.file
    groups = [file.leadership, *(each for pool in file.pools.values() for each in (pool.members, pool.lead))]
    groups += [each for queue in file.queues.values() for each in (queue.owner, queue.manager)]
    roles = {role for _, steps in ladders(file) for step in steps for role in step.also}
    named = {backup.rep for rep in reps.values() for backup in rep.backups} | {rep.manager for rep in reps.values()}
    teams = tuple(sorted({team for group in groups for team in group.team}))
    for rep in reps.values():
        is_chosen = rep.id in named or rep.role in roles or any(fits(group, rep) for group in groups)
        if rep.active and not rep.vacant and not is_chosen:
            near = meant(rep.team, teams) if rep.team and rep.team not in teams else ""
            what = f"{rep.id} is in no pool or queue and leads none: nothing comes to them.{near}"
            allowed = "Look at role, team and region."
            yield Finding(_WARNING, "roster.left_out", Where(path=f"roster.{rep.id}"), what, allowed)


def _never_there(reps: Mapping[str, Rep]) -> Iterator[Finding]:
    for rep in reps.values():
        if rep.active and rep.hours is not None and not any(rep.hours.week.values()):
            what = f"{rep.id} has hours of their own without a week: they would never be on shift."
            where = Where(path=f"roster.{rep.id}.hours")
            yield Finding(_WARNING, "calendar.no_hours", where, what, "Write the week, or leave hours out.")


def _words(rep: Rep, need: Need) -> tuple[str, ...]:
    own = getattr(rep, need.rep)
    return own if isinstance(own, tuple) else (own,) if own else ()


def _steps(policy: Policy, reps: Mapping[str, Rep]) -> Iterator[Finding]:
    roles = {rep.role for rep in reps.values() if rep.active}
    asks_leaders = False
    for path, steps in ladders(policy.file):
        for at, step in enumerate(steps):
            asks_leaders = asks_leaders or step.do is StepAction.ALERT_LEADERSHIP
            for role in step.also:
                if role not in roles:
                    what = f"this step also tells the role {role!r}, which nobody active has."
                    yield place(policy.document, (*path, at, "also"), _ERROR, "step.no_recipient", what, "")
    if asks_leaders:
        leaders = policy.file.leadership
        yield from _somebody(policy, ("leadership",), leaders, reps, "the ladder alerts leadership, which is empty")


def _backups(policy: Policy, reps: Mapping[str, Rep]) -> Iterator[Finding]:
    for rep in reps.values():
        for backup in rep.backups:
            known = reps.get(backup.rep)
            if known is None or not known.active:
                state = "is not in the roster" if known is None else "is deactivated"
                what = f"ghost user: {rep.id} has the backup {backup.rep}, who {state}."
                yield Finding(_ERROR, "roster.ghost", Where(path=f"roster.{rep.id}.backups"), what, "Name another.")
    yield from _backup_chains(policy, reps)


def _backup_chains(policy: Policy, reps: Mapping[str, Rep]) -> Iterator[Finding]:
    limit = policy.file.options.backup_chain
    told: set[frozenset[str]] = set()
    for start in sorted(reps):
        for chain in _chains(reps, (start,), limit):
            where = Where(path=f"roster.{start}.backups")
            if chain[-1] in chain[:-1]:
                circle = chain[chain.index(chain[-1]) :]
                if frozenset(circle) not in told:
                    told.add(frozenset(circle))
                    what = f"backups run in a circle: {' -> '.join(circle)}."
                    yield Finding(_ERROR, "roster.backup_cycle", where, what, "Break it.")
            else:
                what = f"the chain of backups {' -> '.join(chain)} is longer than {limit}."
                yield Finding(_ERROR, "roster.backup_chain", where, what, "Shorten it.")


def _chains(reps: Mapping[str, Rep], chain: tuple[str, ...], limit: int) -> Iterator[tuple[str, ...]]:
    """Yield chains of backups that run back into themselves or past the limit."""
    if chain[-1] in chain[:-1] or len(chain) - 1 > limit:
        yield chain
        return
    known = reps.get(chain[-1])
    for backup in known.backups if known else ():
        yield from _chains(reps, (*chain, backup.rep), limit)


def _managers(reps: Mapping[str, Rep]) -> Iterator[Finding]:
    for rep in reps.values():
        if rep.manager is None or not rep.active:
            continue
        where = Where(path=f"roster.{rep.id}.manager")
        known = reps.get(rep.manager)
        if known is None or not known.active:
            state = "is not in the roster" if known is None else "is deactivated"
            what = f"ghost user: {rep.id} has the manager {rep.manager}, who {state}."
            yield Finding(_ERROR, "roster.ghost", where, what, "Name another.")
        elif known.id == rep.id:
            what = f"{rep.id} is their own manager: an alert would reach nobody else."
            yield Finding(_ERROR, "roster.own_manager", where, what, "Name another, or none for the pool's lead.")


def _people_named(policy: Policy, reps: Mapping[str, Rep]) -> Iterator[Finding]:
    people: dict[str, str] = {}
    for rep in reps.values():
        people |= {word: rep.id for word in (rep.id, rep.name, rep.email) if word}
    for at, rule in enumerate(policy.rules):
        for leaf in leaves(rule.condition.node) if rule.condition else ():
            if not isinstance(leaf, Comparison) or leaf.op is Op.KNOWN or leaf.field.startswith("company."):
                continue  # Canada is no person, though somebody's id may be CA
            for word in leaf.expected if isinstance(leaf.expected, tuple) else (leaf.expected,):
                if isinstance(word, str) and word in people:
                    what = f"rule {rule.rule.name!r} names a person: {word!r} is {people[word]} of the roster."
                    here: Path = ("rules", at, "when")
                    allowed = "Rules name groups and roles."
                    yield place(policy.document, here, _ERROR, "rule.names_person", what, allowed)
    for pool_name, pool in policy.file.pools.items():
        for key in Selector.model_fields:
            for word in getattr(pool.members, key):
                if word in people and key in ("role", "team"):
                    what = f"pool {pool_name!r} is chosen by {key} {word!r}, which is a person of the roster."
                    path: Path = ("pools", pool_name, "members", key)
                    yield place(policy.document, path, _ERROR, "selector.names_person", what, "")


def _said(selector: Selector) -> str:
    parts = [
        f"{name} {' or '.join(getattr(selector, name))}" for name in Selector.model_fields if getattr(selector, name)
    ]
    return ", ".join(parts) or "everybody"
