"""What must hold between the parts of a policy before it may decide anything. Solving and the roster: lint."""

from collections.abc import Iterator
from itertools import pairwise

from routing.finding import Finding, Severity
from routing.policy_errors import meant, place
from routing.policy_yaml import Document, Path
from schemas.policy_file import PolicyFile, Target, ToPool, ToQueue
from schemas.policy_pool import Fallback, Fallbacks
from schemas.policy_sla import Step, StepAction

_ERROR = Severity.ERROR


def structure_findings(file: PolicyFile, document: Document) -> Iterator[Finding]:
    """Yield what is wrong with names, bands, the catch-all and ladders. All are errors."""
    yield from _bands(file, document)
    yield from _last_rule(file, document)
    yield from _repeated_names(file, document)
    for path, target in targets(file):
        yield from _target(file, document, path, target)
    yield from _named(file, document)
    yield from _tier_names(file, document)
    for path, steps in ladders(file):
        yield from _ladder(file, document, path, steps)


def targets(file: PolicyFile) -> Iterator[tuple[Path, Target]]:
    """Yield the targets of rules and examples with their place."""
    for at, rule in enumerate(file.rules):
        yield ("rules", at, "to"), rule.to
    for at, example in enumerate(file.examples):
        if example.to is not None:
            yield ("examples", at, "to"), example.to


def ladders(file: PolicyFile) -> Iterator[tuple[Path, tuple[Step, ...]]]:
    """Yield every ladder of the file with its place."""
    yield ("ladder",), file.ladder
    yield ("queue_ladder",), file.queue_ladder
    for name, tier in file.tiers.items():
        if tier.ladder is not None:
            yield ("tiers", name, "ladder"), tier.ladder
    for name, pool in file.pools.items():
        if pool.ladder is not None:
            yield ("pools", name, "ladder"), pool.ladder
        for tier_name, steps in pool.ladders.items():
            yield ("pools", name, "ladders", tier_name), steps
    for name, queue in file.queues.items():
        if queue.ladder is not None:
            yield ("queues", name, "ladder"), queue.ladder


def _allowed(names: tuple[str, ...]) -> str:
    return f"Allowed: {', '.join(names)}." if names else "There is none yet."


def _bands(file: PolicyFile, document: Document) -> Iterator[Finding]:
    if not file.segments:
        return
    starts = sorted(file.segments, key=lambda segment: segment.start)
    if starts[0].start != 0:
        what = f"headcounts below {starts[0].start} have no segment."
        allowed = "Write from: 0 for the lowest."
        yield place(document, ("segments",), _ERROR, "segments.gap", what, allowed)
    for low, high in pairwise(starts):
        if low.start == high.start:
            what = f"segments {low.name!r} and {high.name!r} overlap: both start from {low.start}."
            at = file.segments.index(high)
            yield place(document, ("segments", at), _ERROR, "segments.overlap", what, "Give each its own start.")


def _last_rule(file: PolicyFile, document: Document) -> Iterator[Finding]:
    last = len(file.rules) - 1
    for at, rule in enumerate(file.rules[:-1]):
        if rule.when is None:
            what = f"rule {rule.name!r} has no `when` and takes every lead: the rules after it are never reached."
            allowed = "Give it a condition or move it to the end."
            yield place(document, ("rules", at), _ERROR, "rule.takes_all", what, allowed)
    rule = file.rules[last]
    allowed = "End the list with a rule without `when` that goes to a queue, or a pool."
    if rule.when is not None:
        what = (
            f"there is no catch-all: the last rule {rule.name!r} has a condition, and the leads it leaves land nowhere."
        )
        yield place(document, ("rules", last), _ERROR, "rule.no_catch_all", what, allowed)
    elif not isinstance(rule.to, ToPool | ToQueue):
        what = f"the catch-all {rule.name!r} goes to {rule.to.value}, where nobody is accountable."
        yield place(document, ("rules", last, "to"), _ERROR, "rule.no_catch_all", what, allowed)


def _repeated_names(file: PolicyFile, document: Document) -> Iterator[Finding]:
    groups: list[tuple[str, list[str]]] = [
        ("rules", [rule.name for rule in file.rules]),
        ("segments", [segment.name for segment in file.segments]),
        ("examples", [example.name for example in file.examples]),
    ]
    for group, names in groups:
        for at, name in enumerate(names):
            if name in names[:at]:
                what = f"the name {name!r} is used twice in {group}."
                yield place(document, (group, at, "name"), _ERROR, "name.repeated", what, "Names tell them apart.")


def _target(file: PolicyFile, document: Document, path: Path, target: Target) -> Iterator[Finding]:
    if isinstance(target, ToPool) and target.pool not in file.pools:
        what = f"there is no pool {target.pool!r}.{meant(target.pool, tuple(file.pools))}"
        yield place(document, path, _ERROR, "pool.unknown", what, _allowed(tuple(file.pools)))
    if isinstance(target, ToQueue) and target.queue not in file.queues:
        what = f"there is no queue {target.queue!r}.{meant(target.queue, tuple(file.queues))}"
        yield place(document, path, _ERROR, "queue.unknown", what, _allowed(tuple(file.queues)))


def _named(file: PolicyFile, document: Document) -> Iterator[Finding]:
    pools, queues, calendars = tuple(file.pools), tuple(file.queues), tuple(file.calendars)
    wanted: list[tuple[Path, str, str | None, tuple[str, ...]]] = [(("hours",), "calendar", file.hours, calendars)]
    for name, pool in file.pools.items():
        wanted += [
            (("pools", name, "hours"), "calendar", pool.hours, calendars),
            (("pools", name, "overflow"), "pool", pool.overflow, pools),
            (("pools", name, "after_hours"), "pool", pool.after_hours, pools),
            (("pools", name, "hands_to"), "pool", pool.hands_to, pools),
        ]
    wanted += [(("queues", name, "hours"), "calendar", queue.hours, calendars) for name, queue in file.queues.items()]
    if any(str(rule.to) == "nurture" for rule in file.rules):
        wanted.append((("nurture", "queue"), "queue", file.nurture.queue, queues))
    if any(str(rule.to) == "quarantine" for rule in file.rules):
        wanted.append((("quarantine", "queue"), "queue", file.quarantine.queue, queues))
    wanted += [(("auto_reply", "off_for", at), "pool", name, pools) for at, name in enumerate(file.auto_reply.off_for)]
    for path, noun, asked, known in wanted:
        if asked is not None and asked not in known:
            unsaid = "" if _is_written(document, path) else f" ({path[0]} goes there unless the file names another)"
            what = f"there is no {noun} {asked!r}{unsaid}.{meant(asked, known)}"
            yield place(document, path, _ERROR, f"{noun}.unknown", what, _allowed(known))
    yield from _overflow_cycles(file, document)


def _overflow_cycles(file: PolicyFile, document: Document) -> Iterator[Finding]:
    for name in file.pools:
        seen = [name]
        while (following := file.pools[seen[-1]].overflow) in file.pools and following not in seen:
            seen.append(str(following))
        if following == name:
            what = f"overflow runs in a circle: {' -> '.join([*seen, name])}."
            yield place(document, ("pools", name, "overflow"), _ERROR, "pool.overflow_cycle", what, "Break it.")


def _tier_names(file: PolicyFile, document: Document) -> Iterator[Finding]:
    tiers, segments = tuple(file.tiers), tuple(segment.name for segment in file.segments)
    tables: list[tuple[Path, Fallbacks]] = [(("when_full",), file.when_full), (("when_empty",), file.when_empty)]
    for name, pool in file.pools.items():
        tables += [
            (("pools", name, key), table)
            for key, table in (("when_full", pool.when_full), ("when_empty", pool.when_empty))
            if table is not None
        ]
    for path, table in tables:
        for tier, chain in table.items():
            yield from _fallbacks(file, document, (*path, tier), tier, chain)
    written_tiers = [(("pools", name, "ladders", tier), tier) for name, p in file.pools.items() for tier in p.ladders]
    for path, tier in written_tiers:
        if tier not in tiers:
            yield place(document, path, _ERROR, "tier.unknown", f"there is no tier {tier!r}.", _allowed(tiers))
    for name, said in file.tiers.items():
        for segment in said.treatment:
            if segment not in segments:
                what = f"there is no segment {segment!r}.{meant(segment, segments)}"
                path = ("tiers", name, "treatment", segment)
                yield place(document, path, _ERROR, "segment.unknown", what, _allowed(segments))
    yield from _last_tier(file, document)


def _fallbacks(
    file: PolicyFile, document: Document, path: Path, tier: str, chain: tuple[Fallback, ...]
) -> Iterator[Finding]:
    if tier != "else" and tier not in file.tiers and document.where(path).line and _is_written(document, path):
        known = (*file.tiers, "else")
        yield place(document, path, _ERROR, "tier.unknown", f"there is no tier {tier!r}.", _allowed(known))
    if not chain or chain[-1] not in (Fallback.TEAM_LEAD, Fallback.CATCH_ALL, Fallback.OVER_LIMIT):
        what = "the list ends without anybody accountable."
        yield place(document, path, _ERROR, "pool.dead_end", what, "End it with team_lead, catch_all or over_limit.")


def _is_written(document: Document, path: Path) -> bool:
    return path in document.keys


def _last_tier(file: PolicyFile, document: Document) -> Iterator[Finding]:
    names = tuple(file.tiers)
    for name in names[:-1]:
        if file.tiers[name].when is None:
            what = f"tier {name!r} has no `when` and takes every lead: the tiers after it are never reached."
            yield place(document, ("tiers", name), _ERROR, "tier.takes_all", what, "Give it a condition.")
    if file.tiers[names[-1]].when is not None:
        what = f"a lead that is not {names[-1]!r} would have no tier."
        allowed = "Leave out `when` on the last tier."
        yield place(document, ("tiers", names[-1], "when"), _ERROR, "tier.none_left", what, allowed)


def _ladder(file: PolicyFile, document: Document, path: Path, steps: tuple[Step, ...]) -> Iterator[Finding]:
    if not steps:
        what = "this ladder has no step: nobody would hear of a lead that waits."
        allowed = "Write at least one step, such as {at: 1x, do: alert_manager}."
        yield place(document, path, _ERROR, "ladder.empty", what, allowed)
    for at, step in enumerate(steps):
        here: Path = (*path, at)
        if step.do is StepAction.MOVE and step.to is None:
            what = "this step moves the lead, but says not where."
            yield place(document, here, _ERROR, "step.no_recipient", what, "Add to: manager, pool:NAME or queue:NAME.")
        if step.to and ":" in step.to:
            noun, _, name = step.to.partition(":")
            known = tuple(file.pools if noun == "pool" else file.queues)
            if name not in known:
                what = f"there is no {noun} {name!r}."
                yield place(document, (*here, "to"), _ERROR, f"{noun}.unknown", what, _allowed(known))
    for at, (first, second) in enumerate(pairwise(steps), start=1):
        if first.at.multiple is not None and second.at.multiple is not None and second.at.multiple < first.at.multiple:
            what = f"the step at {second.at} stands after the one at {first.at}."
            yield place(document, (*path, at, "at"), _ERROR, "ladder.order", what, "Write steps in the order of time.")
