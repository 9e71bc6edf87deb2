"""Which rule takes a lead: ordered, the first that holds wins; and why each one before it did not."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import cel

from routing.conditions import Part, Verdict, context_of, evaluate
from routing.policy import Policy
from schemas.policy_file import Rule


class TriedRule(NamedTuple):
    """One rule that was tried. field, actual, expected: of its first part that does not hold; empty if it matched.

    actual: None where the fact is unknown. expected: such as '>= 50', 'in ["US"]', 'known', or the part as written.
    unknown: the facts for want of which the part counts as not holding.
    """

    name: str
    matched: bool
    field: str = ""
    actual: Any = None
    expected: str = ""
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Match:
    """The rule that took a lead. index: its place in the file, from 0. tried: every rule up to it, in order.

    context: the lead's context, for the conditions of pools.
    """

    rule: Rule
    index: int
    tried: tuple[TriedRule, ...]
    context: cel.Context


def first_match(policy: Policy, facts: Mapping[str, Any]) -> Match:
    """Return the first rule whose condition holds. facts: nested, from `routing.facts.scored_facts`.

    Each part that rules ask is evaluated once a lead, however many rules ask it (m: 100 rules, see decision 0010).
    """
    context = context_of(facts, policy.routing)
    parts = policy.parts
    holds: list[bool | None] = [None] * len(parts)
    failed: dict[int, TriedRule] = {}
    tried: list[TriedRule] = []
    for index, compiled in enumerate(policy.rules):
        name = compiled.rule.name
        for place in compiled.parts:
            held = holds[place]
            if held is None:
                verdict = evaluate(parts[place], context)
                held = holds[place] = verdict.matched
                if not held:
                    failed[place] = _failed(parts[place], verdict, facts)
            if not held:
                tried.append(TriedRule(name, *failed[place][1:]))
                break
        else:
            tried.append(TriedRule(name, True))
            return Match(compiled.rule, index, tuple(tried), context)
    raise AssertionError("compile_policy refuses a policy without a catch-all")


def _failed(part: Part, verdict: Verdict, facts: Mapping[str, Any]) -> TriedRule:
    return TriedRule("", False, part.field, _value(facts, part.field), part.expected, verdict.unknown)


def _value(facts: Mapping[str, Any], name: str) -> Any:
    group, _, inner = name.partition(".")
    value = facts.get(group)
    if inner:
        return value.get(inner) if isinstance(value, dict) else None
    return value
