"""Grades and scores of one policy, remembered: leads that its conditions cannot tell apart are judged once.

To hand one lead's facts to CEL and ask it costs 65 us, to look up what such a lead came to 5. Leads are alike when each
fact that the policy grades by is answered alike by every comparison (as routing/rulebook.py has it for the rules); a
fact that anything but a plain comparison asks for is compared by its value.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from routing.expression import Comparison, leaves
from routing.facts import reader_of
from routing.plain_test import PlainTest, plain_test
from routing.policy import Policy
from routing.scoring import Score, judged
from routing.segments import segment_of
from routing.tiers import Grade, intent_of
from schemas.lead import Lead

MOST_REMEMBERED = 4096  # values of a fact, and kinds of leads; then it begins anew
DERIVED = ("intent", "icp", "segment", "tier")  # follow from the facts

Classify = Callable[[Any], object]
"""Value of a fact -> its class: values of one class lead to the same grade and score."""


class Gradebook:
    """`routing.scoring.judged` under `policy`, remembered. What it returns is shared: not to be changed."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self._facets = [_Facet(reader_of(name), _classes(policy, name)) for name in _asked(policy)]
        self._known: dict[tuple[object, ...], tuple[Grade, Score]] = {}

    def judged(self, lead: Lead) -> tuple[Grade, Score]:
        """Return grade and score of a lead."""
        alike = tuple([facet.of(lead) for facet in self._facets])
        found = self._known.get(alike)
        if found is None:
            if len(self._known) >= MOST_REMEMBERED:
                self._known.clear()
            found = self._known[alike] = judged(self.policy, lead)
        return found


class _Facet:
    """One fact, and what class each of its values is of."""

    def __init__(self, read: Callable[[Lead], Any], classify: Classify) -> None:
        self._read = read
        self._classify = classify
        self._known: dict[tuple[type, Any], object] = {}

    def of(self, lead: Lead) -> object:
        """Return the class of the lead's value."""
        value = self._read(lead)
        key = (type(value), value)  # 1 and True are equal and mean different things
        try:
            return self._known[key]
        except KeyError:
            if len(self._known) >= MOST_REMEMBERED:
                self._known.clear()
            found = self._known[key] = self._classify(value)
            return found


def _asked(policy: Policy) -> Iterator[str]:
    """Yield the facts that grade and score follow from: what conditions ask for, and what intent and segment are by."""
    yield from ("lead.action", "company.employees")
    predicted = _predicted(policy)
    if predicted is not None:
        yield predicted
    for group, names in policy.grading:
        for name in (group,) if names is None else (f"{group}.{inner}" for inner in names):
            if name not in (*DERIVED, "lead.action", "company.employees", predicted):
                yield name


def _classes(policy: Policy, name: str) -> Classify:
    tests = _tests(policy, name) if name != _predicted(policy) else None  # each value is a score of its own
    if name == "lead.action":
        return lambda action: (intent_of(policy, action), _answers(tests, action))
    if name == "company.employees":
        return lambda employees: (segment_of(policy, employees), _answers(tests, employees))
    return lambda value: _answers(tests, value)


def _predicted(policy: Policy) -> str | None:
    model = policy.file.scoring.predicted
    return None if model is None else f"answers.{model.answer}"


def _tests(policy: Policy, name: str) -> tuple[PlainTest, ...] | None:
    """Return what the policy's gradings compare a fact with; None where not all they ask of it is so plain."""
    tests: list[PlainTest] = []
    for condition in _gradings(policy):
        for leaf in leaves(policy.conditions[condition].node):
            if isinstance(leaf, Comparison) and leaf.field == name:
                test = plain_test(leaf)
                if test is None:
                    return None
                tests.append(test)
            elif not isinstance(leaf, Comparison) and name in leaf.fields:
                return None
    return tuple(tests)


def _gradings(policy: Policy) -> Iterable[str]:
    """The conditions of ICP, tiers and scores, in their words."""
    file = policy.file
    said = (file.icp, *(tier.when for tier in file.tiers.values()), *(points.when for points in file.scoring.points))
    return dict.fromkeys(text for text in said if text is not None)


def _answers(tests: tuple[PlainTest, ...] | None, value: Any) -> object:
    """Return how the comparisons answer a value: what it shares with others of its class. Itself where one does not."""
    if tests is None:
        return type(value), value
    asked = list(value) if isinstance(value, tuple) else value  # as conditions have it
    answers = (value is None, *(test(asked) for test in tests))
    return answers if value is None or None not in answers else (type(value), value)
