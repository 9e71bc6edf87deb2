"""Which rule takes a lead: ordered, the first that holds wins; and why each one before it did not."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import cel

from routing.conditions import Part, context_of, evaluate
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


class Miss(NamedTuple):
    """A part that does not hold: what `TriedRule` says of each rule that needs it."""

    field: str
    actual: Any
    expected: str
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Match:
    """The rule that took a lead. index: its place in the file, from 0. missed: of each rule before it, what failed."""

    rule: Rule
    index: int
    policy: Policy
    missed: list[Miss]

    @property
    def tried(self) -> tuple[TriedRule, ...]:
        """Return every rule up to the one that matched, in order."""
        before = zip(self.policy.rules, self.missed, strict=False)
        return (*(TriedRule(one.rule.name, False, *miss) for one, miss in before), TriedRule(self.rule.name, True))


def first_match(policy: Policy, facts: Mapping[str, Any]) -> Match:
    """Return the first rule whose condition holds. facts: nested, from `routing.facts.scored_facts`.

    Each part that rules ask is evaluated once a lead, however many rules ask it (m: 100 rules, see decision 0010).
    """
    parts = policy.parts
    asking = _Asking(facts, policy)
    holds: list[bool | None] = [None] * len(parts)
    failed: dict[int, Miss] = {}
    missed: list[Miss] = []
    for index, compiled in enumerate(policy.rules):
        for place in compiled.parts:
            held = holds[place]
            if held is None:
                miss = asking.miss(parts[place])
                held = holds[place] = miss is None
                if miss is not None:
                    failed[place] = miss
            if not held:
                missed.append(failed[place])
                break
        else:
            return Match(compiled.rule, index, policy, missed)
    raise AssertionError("compile_policy refuses a policy without a catch-all")


class _Asking:
    """One lead's facts, asked part by part; CEL's context is made when the first part needs it."""

    def __init__(self, facts: Mapping[str, Any], policy: Policy) -> None:
        self._facts = facts
        self._policy = policy
        self._values: dict[str, Any] = {}
        self._context: cel.Context | None = None

    def miss(self, part: Part) -> Miss | None:
        """Return why the part does not hold, None where it does."""
        name = part.field
        value = self._value(name)
        if part.plain is not None:
            held = part.plain(value)
            if held is not None:
                return None if held else Miss(name, value, part.expected)
            if value is None:
                return Miss(name, None, part.expected, (name,))
        elif part.plain_any:
            held = self._any(part)
            if held is not None:
                return None if held else Miss(name, value, part.expected)
        if self._context is None:
            self._context = context_of(self._facts, self._policy.routing)
        verdict = evaluate(part, self._context)
        return None if verdict.matched else Miss(name, value, part.expected, verdict.unknown)

    def _any(self, part: Part) -> bool | None:
        """Whether any of the part's comparisons holds; None where CEL must say."""
        answers = [test(self._value(name)) for name, test in part.plain_any]
        return None if None in answers else True in answers

    def _value(self, name: str) -> Any:
        try:
            return self._values[name]
        except KeyError:
            value = self._values[name] = _value(self._facts, name)
            return value


def _value(facts: Mapping[str, Any], name: str) -> Any:
    group, _, inner = name.partition(".")
    value = facts.get(group)
    if inner:
        return value.get(inner) if isinstance(value, dict) else None
    return value
