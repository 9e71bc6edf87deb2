"""Which rule takes a lead: ordered, the first that holds wins; and why each one before it did not."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import cel

from routing.conditions import Part, Verdict, context_of, evaluate
from routing.facts import LeadFacts
from routing.policy import Policy
from routing.rulebook import Outcome
from schemas.policy_file import Rule
from schemas.value import value


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


@value
class Match:
    """The rule that took a lead. index: its place in the file, from 0. values: of what rules ask; also as JSON."""

    rule: Rule
    index: int
    policy: Policy
    outcome: Outcome
    values: Sequence[Any]
    written: Sequence[bytes]

    @property
    def tried(self) -> tuple[TriedRule, ...]:
        """Return every rule up to the one that matched, in order."""
        return (*self._missed(), TriedRule(self.rule.name, True))

    @property
    def tried_json(self) -> bytes:
        """Return what decided each rule tried, in order, as JSON: with the value it had and the one wanted."""
        return self.policy.rulebook.tried(self.outcome, self.written)

    def _missed(self) -> Iterator[TriedRule]:
        fields, parts = self.policy.rulebook.fields, self.policy.parts
        for compiled, (place, unknown) in zip(self.policy.rules, self.outcome.failed, strict=False):
            part = parts[place]
            actual = self.values[fields.index(part.field)]
            yield TriedRule(compiled.rule.name, False, part.field, actual, part.expected, unknown)


def first_match(policy: Policy, facts: Mapping[str, Any]) -> Match:
    """Return the first rule whose condition holds. facts: nested, as `routing.facts.LeadFacts`."""
    context: list[cel.Context] = []

    def ask(part: Part) -> Verdict:
        if not context:
            context.append(context_of(facts, policy.routing))
        return evaluate(part, context[0])

    values = facts.asked() if isinstance(facts, LeadFacts) else policy.rulebook.values(facts)
    outcome, written = policy.rulebook.match(values, ask)
    return Match(policy.rules[outcome.index].rule, outcome.index, policy, outcome, values, written)
