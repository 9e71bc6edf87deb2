"""The index of a policy's rules answers as CEL does, for facts of any type, and writes down what it answered."""

from typing import Any

import orjson
import pytest

from routing.conditions import context_of, evaluate
from routing.facts import LeadFacts
from routing.rules import Match, first_match
from tests.unit.routing.policies import NOW, edited, lead, scored, shipped

RULES = {
    "plain": "answers.size == 3",
    "any of two": 'answers.plan == "pro" || answers.seats >= 100',
    "a beginning": 'lead.source.startsWith("web")',
    "reckoned": "company.employees * 2 > 300",
    "not known": "!has(company.country)",
}
TO = "to: {pool: team}, because: a test, say: A test., owner: sales lead"
POLICY = edited(
    "starter",
    ("rules:\n", "rules:\n" + "".join(f"  - {{name: {name}, when: '{when}', {TO}}}\n" for name, when in RULES.items())),
)


def met(answers: dict[str, Any] | None = None, source: str | None = None, **company: Any) -> Match:
    of = lead(**company).model_copy(update={"answers": answers or {}, "source": source})
    match = first_match(POLICY, LeadFacts(scored(of, POLICY), NOW, POLICY))
    context = context_of(LeadFacts(scored(of, POLICY), NOW, POLICY), POLICY.routing)
    whole = (rule for rule in POLICY.rules if rule.condition is None or evaluate(rule.condition, context).matched)
    assert match.rule is next(whole).rule
    return match


@pytest.mark.parametrize(
    ("facts", "rule"),
    [
        ({"answers": {"size": 3}}, "plain"),
        ({"answers": {"size": 3.0}}, "plain"),
        ({"answers": {"size": "3"}}, "everyone in turn"),
        ({"answers": {"size": 4}}, "everyone in turn"),
        ({"answers": {"plan": "pro"}}, "any of two"),
        ({"answers": {"plan": "free", "seats": 100}}, "any of two"),
        ({"answers": {"plan": "free", "seats": 100.5}}, "any of two"),
        ({"answers": {"seats": 99}}, "everyone in turn"),
        ({"source": "website"}, "a beginning"),
        ({"source": "the web"}, "everyone in turn"),
        ({"employees": 151}, "reckoned"),
        ({"employees": 150}, "everyone in turn"),
        ({"country": None}, "not known"),
        ({}, "everyone in turn"),
    ],
)
def test_a_lead_meets_the_rule_that_its_conditions_as_a_whole_say(facts: dict[str, Any], rule: str) -> None:
    for _ in range(2):  # worked out, then remembered
        assert met(**facts).rule.name == rule


def test_a_fact_of_another_type_than_the_rule_expects_is_not_called_unknown() -> None:
    assert met({"size": "3"}).tried[0].unknown == ()
    assert met({}).tried[0].unknown == ("answers.size",)


@pytest.mark.parametrize("facts", [{"employees": 151}, {"answers": {"size": 4}, "source": "an ad"}, {"country": None}])
def test_the_trace_as_json_says_what_the_rules_tried_say(facts: dict[str, Any]) -> None:
    match = met(**facts)
    *missed, won = match.tried
    assert len(missed) == match.index
    expected: list[dict[str, Any]] = []
    for one in missed:
        row = {"rule": one.name, "matched": False, "field": one.field, "actual": one.actual, "expected": one.expected}
        expected.append(row | ({"unknown": list(one.unknown)} if one.unknown else {}))
    otherwise = {"otherwise": True} if won.name == "everyone in turn" else {}
    assert orjson.loads(match.tried_json) == [*expected, {"rule": won.name, "matched": True, **otherwise}]


def test_no_more_is_remembered_of_leads_than_the_bound_and_each_meets_its_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("routing.rulebook.MOST_REMEMBERED", 2)
    monkeypatch.setattr("routing.rulebook.MOST_TRACES", 2)
    policy, other = shipped(), shipped()
    book, sizes = policy.rulebook, set()
    for employees in (5, 120, 300, 5_000, 120, 5, 6, 301):
        of = scored(lead(employees=employees, state="TX"), policy)
        match, same = (first_match(each, LeadFacts(of, NOW, each)) for each in (policy, other))
        assert (match.index, match.tried_json) == (same.index, same.tried_json)
        sizes |= {len(book._next), len(book._tried), *(len(each.known) for each in book._facts)}
    assert max(sizes) == 2
