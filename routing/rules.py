"""Which rule takes a lead: ordered, the first that holds wins; and why each one before it did not."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import cel

from routing.conditions import Verdict, context_of, evaluate, first_failing
from routing.facts import flat
from routing.policy import CompiledRule, Policy
from schemas.policy_file import Rule

TOOK = Verdict(True)


@dataclass(frozen=True, slots=True)
class TriedRule:
    """One rule that was tried. field, actual, expected: of its first part that does not hold; empty if it matched.

    actual: None where the fact is unknown.
    """

    name: str
    matched: bool
    field: str = ""
    actual: Any = None
    expected: str = ""
    unknown: tuple[str, ...] = ()


@dataclass(slots=True)
class Match:
    """The rule that took a lead. index: its place in the file, from 0. verdicts: one for each rule tried, in order.

    What failed is worked out when `tried` is first read: most leads are never asked about.
    """

    rule: Rule
    index: int
    verdicts: tuple[Verdict, ...]
    _rules: tuple[CompiledRule, ...]
    _facts: Mapping[str, Any]
    _context: cel.Context
    _tried: tuple[TriedRule, ...] | None = field(default=None)

    @property
    def tried(self) -> tuple[TriedRule, ...]:
        if self._tried is None:
            known = flat(self._facts)
            pairs = zip(self._rules, self.verdicts, strict=False)
            self._tried = tuple(_tried(compiled, verdict, known, self._context) for compiled, verdict in pairs)
        return self._tried


def first_match(policy: Policy, facts: Mapping[str, Any]) -> Match:
    """Return the first rule whose condition holds. facts: nested, from `routing.facts.scored_facts`."""
    context = context_of(facts)
    verdicts = []
    for index, compiled in enumerate(policy.rules):
        verdict = TOOK if compiled.condition is None else evaluate(compiled.condition, context)
        verdicts.append(verdict)
        if verdict.matched:
            return Match(compiled.rule, index, tuple(verdicts), policy.rules, facts, context)
    raise AssertionError("compile_policy refuses a policy without a catch-all")


def _tried(compiled: CompiledRule, verdict: Verdict, known: Mapping[str, Any], context: cel.Context) -> TriedRule:
    name = compiled.rule.name
    if verdict.matched or compiled.condition is None:
        return TriedRule(name, True)
    failed = first_failing(compiled.condition, known, context)
    if failed is None:
        return TriedRule(name, False, unknown=verdict.unknown)
    return TriedRule(name, False, failed.field, failed.actual, failed.expected, verdict.unknown)
