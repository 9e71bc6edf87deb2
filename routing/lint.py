"""Lint of a policy before it is published (NEW-11): what solving and the roster can tell."""

from collections.abc import Iterator, Sequence

from routing.calendar.business_time import calendar_of
from routing.finding import Finding, Severity, in_order
from routing.lint_examples import example_findings
from routing.lint_roster import roster_findings
from routing.lint_rules import rule_findings
from routing.lint_values import value_findings
from routing.lint_words import word_findings
from routing.policy import Policy, PolicyInvalid, compile_policy
from routing.policy_checks import ladders
from routing.policy_errors import place
from routing.unheeded import unheeded
from schemas.policy_file import Place, ToPool
from schemas.policy_pool import Selector
from schemas.policy_sla import SlaClock, StepAction
from schemas.rep import Rep

_WEEK_MINUTES = 7 * 24 * 60


def lint(policy: Policy, roster: Sequence[Rep] | None = None) -> tuple[Finding, ...]:
    """Return what is wrong with a policy that compiled, errors first. Without a roster, what needs one is left out."""
    return in_order([*rule_findings(policy), *unsolved(policy, roster)])


def obstacles(policy: Policy, roster: Sequence[Rep]) -> tuple[Finding, ...]:
    """Return what keeps a published policy from being activated: what is wrong with rules, ladders and people.

    What lint finds in values and words besides keeps one from being published alone: a build that finds more than the
    one before must not stand in the way of a roll-back.
    """
    return in_order([*rule_findings(policy), *_of_structure(policy, roster)])


def unsolved(policy: Policy, roster: Sequence[Rep] | None = None) -> Iterator[Finding]:
    """Yield all that takes no search through the conditions of the rules."""
    yield from _of_structure(policy, roster)
    yield from value_findings(policy)
    yield from word_findings(policy)
    yield from example_findings(policy)


def _of_structure(policy: Policy, roster: Sequence[Rep] | None) -> Iterator[Finding]:
    yield from _ladders(policy)
    yield from _after_hours(policy)
    yield from _selectors(policy)
    yield from _unused(policy)
    yield from unheeded(policy)
    if roster is not None:
        yield from roster_findings(policy, roster)


def lint_text(text: str, roster: Sequence[Rep] | None = None) -> tuple[Finding, ...]:
    """Return what is wrong with a policy's text: the errors that keep it from compiling, else `lint`."""
    try:
        return lint(compile_policy(text), roster)
    except PolicyInvalid as error:
        return error.findings


def _ladders(policy: Policy) -> Iterator[Finding]:
    for path, steps in ladders(policy.file):
        if all(step.do is StepAction.REMIND_OWNER for step in steps):
            what = "this ladder tells nobody but the owner: a lead of someone who is away would wait unseen."
            allowed = "Add a step that alerts the manager or moves the lead."
            yield place(policy.document, path, Severity.ERROR, "step.no_recipient", what, allowed)


def _after_hours(policy: Policy) -> Iterator[Finding]:
    """Pools whose hottest leads would wait for the morning."""
    urgent = [name for name, tier in policy.file.tiers.items() if tier.clock is SlaClock.ALWAYS]
    targets = dict.fromkeys(rule.rule.to.pool for rule in policy.rules if isinstance(rule.rule.to, ToPool))
    for name in targets:
        pool = policy.file.pools[name]
        if urgent and pool.after_hours is None and not _is_always_open(policy, pool.hours or policy.file.hours):
            what = f"pool {name!r} has nobody for {', '.join(urgent)} leads outside its hours."
            allowed = "Name an after_hours pool, or one whose calendar is always open."
            yield place(policy.document, ("pools", name), Severity.WARNING, "pool.no_after_hours", what, allowed)


def _is_always_open(policy: Policy, calendar: str | None) -> bool:
    if calendar is None:
        return True
    hours = calendar_of(policy.file.calendars[calendar])
    return sum(end - start for day in hours.week for start, end in day) >= _WEEK_MINUTES and not hours.holidays


def _selectors(policy: Policy) -> Iterator[Finding]:
    for name, pool in policy.file.pools.items():
        for key, selector in (("members", pool.members), ("lead", pool.lead)):
            if selector == Selector():
                what = f"{key} of pool {name!r} chooses everybody of the division."
                allowed = "Choose by role or team."
                path = ("pools", name, key)
                yield place(policy.document, path, Severity.WARNING, "selector.everybody", what, allowed)


def _unused(policy: Policy) -> Iterator[Finding]:
    pools = policy.file.pools
    used = {rule.rule.to.pool for rule in policy.rules if isinstance(rule.rule.to, ToPool)}
    used |= {name for pool in pools.values() for name in (pool.overflow, pool.after_hours, pool.hands_to) if name}
    used |= {step.to[5:] for _, steps in ladders(policy.file) for step in steps if step.to and step.to[:5] == "pool:"}
    for name in pools:
        if name not in used:
            what = f"no rule leads to pool {name!r}."
            yield place(policy.document, ("pools", name), Severity.WARNING, "pool.unused", what, "Remove it or use it.")
    if not any(rule.rule.to is Place.OWNER for rule in policy.rules) and len(policy.rules) > 1:
        what = "no rule sends an open duplicate to its owner."
        yield place(policy.document, ("rules",), Severity.WARNING, "rule.no_duplicate", what, "Begin with one.")
