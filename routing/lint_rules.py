"""Lint of the rules, by solving: which can never be reached, which territories overlap, which cells fall through."""

from collections.abc import Iterator, Sequence

from routing.derived import All, basic
from routing.expression import Comparison, Op, leaves, truth
from routing.finding import Finding, Severity
from routing.lead_cells import cells
from routing.lead_kinds import kinds
from routing.policy import CompiledRule, Policy
from routing.policy_errors import place
from routing.solving import Budget, Case, TooHard, case_of, find_lead
from schemas.policy_file import ToPool

TERRITORY = ("company.country", "company.state", "company.region", "company.postcode_area", "company.city")
VERTICAL = ("company.industry",)
SHOWN = 3  # names in a list of overlaps


def rule_findings(policy: Policy) -> Iterator[Finding]:
    """Yield what is wrong with the rules as an ordered list."""
    spelt = [case_of(basic(policy, rule.condition.node) if rule.condition else All(())) for rule in policy.rules]
    yield from _unreachable(policy, spelt)
    yield from _overlaps(policy, spelt)
    yield from _names_people(policy)
    yield from _sizes(policy)
    yield from _empty_cells(policy)


def _unreachable(policy: Policy, spelt: Sequence[Case]) -> Iterator[Finding]:
    for at, condition in enumerate(spelt):
        name = policy.rules[at].rule.name
        try:
            if find_lead((condition,), spelt[:at], Budget()) is not None:
                continue
            what, allowed = _why_unreachable(policy, spelt, at)
        except TooHard:
            what = f"whether rule {name!r} can be reached could not be settled: it and those before ask too much."
            yield place(policy.document, ("rules", at), Severity.WARNING, "rule.unsettled", what, "Make it simpler.")
            continue
        yield place(policy.document, ("rules", at), Severity.ERROR, "rule.unreachable", what, allowed)


def _why_unreachable(policy: Policy, spelt: Sequence[Case], at: int) -> tuple[str, str]:
    name = policy.rules[at].rule.name
    if find_lead((spelt[at],), (), Budget()) is None:
        return f"rule {name!r} can never hold: its conditions exclude each other.", "Change or remove it."
    for before in range(at):
        if find_lead((spelt[at],), (spelt[before],), Budget()) is None:
            other = policy.rules[before].rule.name
            what = f"rule {name!r} is never reached: {other!r} before it takes every lead that it would take."
            return what, f"Move it above {other!r}, or remove it."
    what = f"rule {name!r} is never reached: the rules before it together take every lead that it would take."
    return what, "Move it up, or remove it."


def _overlaps(policy: Policy, spelt: Sequence[Case]) -> Iterator[Finding]:
    places = [at for at, rule in enumerate(policy.rules) if isinstance(rule.rule.to, ToPool) and _is_placed(rule)]
    for at, second in enumerate(places):
        names = [
            repr(policy.rules[first].rule.name)
            for first in places[:at]
            if _differ(policy.rules[first], policy.rules[second]) and _partly(spelt[first], spelt[second])
        ]
        if names:
            shown = ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")
            what = f"territories overlap: leads that fit {policy.rules[second].rule.name!r} can fit {shown}, "
            what += "which comes first and gets them." if len(names) == 1 else "which come first and get them."
            allowed = "That is fine where the order is meant; else narrow one of them."
            yield place(policy.document, ("rules", second), Severity.WARNING, "rule.overlap", what, allowed)


def _differ(one: CompiledRule, two: CompiledRule) -> bool:
    return one.rule.to != two.rule.to and (_asks(one, TERRITORY) or _asks(two, TERRITORY))


def _partly(one: Case, two: Case) -> bool:
    """Whether some leads fit both, some only the first and some only the second: neither is a case of the other."""
    budget = Budget()
    try:
        return (
            find_lead((one, two), (), budget) is not None
            and find_lead((one,), (two,), budget) is not None
            and find_lead((two,), (one,), budget) is not None
        )
    except TooHard:
        return False


def _is_placed(rule: CompiledRule) -> bool:
    return _asks(rule, TERRITORY) or _asks(rule, VERTICAL)


def _asks(rule: CompiledRule, fields: Sequence[str]) -> bool:
    return rule.condition is not None and any(field in fields for field in rule.condition.fields)


def _names_people(policy: Policy) -> Iterator[Finding]:
    for at, rule in enumerate(policy.rules):
        for leaf in leaves(rule.condition.node) if rule.condition else ():
            is_owner = isinstance(leaf, Comparison) and leaf.field in ("account.owner", "account.opportunity_owner")
            if is_owner and isinstance(leaf, Comparison) and leaf.op is not Op.KNOWN:
                what = f"rule {rule.rule.name!r} names a person: {leaf.text}."
                allowed = "Rules name groups and roles; ask has(account.owner)."
                here = ("rules", at, "when")
                yield place(policy.document, here, Severity.ERROR, "rule.names_person", what, allowed)


def _sizes(policy: Policy) -> Iterator[Finding]:
    limits = policy.file.lint
    for at, rule in enumerate(policy.rules):
        count = sum(1 for _ in leaves(rule.condition.node)) if rule.condition else 0
        if count >= limits.conditions:
            what = f"rule {rule.rule.name!r} has {count} conditions; {limits.conditions} or more are hard to follow."
            allowed = "Split it, or give the common part to a segment or tier."
            yield place(policy.document, ("rules", at, "when"), Severity.WARNING, "rule.many_conditions", what, allowed)
    if len(policy.rules) >= limits.rules:
        what = f"there are {len(policy.rules)} rules; from {limits.rules} on nobody knows them all."
        yield place(policy.document, ("rules",), Severity.WARNING, "rules.many", what, "Merge or retire some.")


def _empty_cells(policy: Policy) -> Iterator[Finding]:
    """Cells of segment x territory x industry (SEG-2) whose leads reach no rule but the catch-all."""
    last = policy.rules[-1]
    if len(policy.rules) == 1 or last.condition is not None:
        return
    conditions = [rule.condition.node for rule in policy.rules[:-1] if rule.condition]
    empty = [cell for cell in cells(policy) if not any(truth(node, cell.facts) is True for node in conditions)]
    for said in kinds(policy, empty):
        what = f"{said} reach only the catch-all {last.rule.name!r} (with a business address, of no account)."
        allowed = "That is fine where nobody sells there; else add a rule."
        at = len(policy.rules) - 1
        yield place(policy.document, ("rules", at), Severity.WARNING, "matrix.catch_all_only", what, allowed)
