"""The story of a lead, sentence by sentence."""

import pytest

from routing.explain import story
from tests.lab.decisions import decision, lead


def test_the_story_names_what_two_companies_of_one_domain_differ_in() -> None:
    contested = lead(conflicts=("company.employees", "company.industry"))
    assert "differ in employees, industry: taken as unknown." in story([decision(lead=contested)])
    assert "taken as unknown" not in story([decision(lead=lead())])


def test_of_many_rules_that_did_not_match_the_last_are_told_and_the_others_counted() -> None:
    missed = [
        {"rule": f"rule {n}", "matched": False, "field": "segment", "actual": "smb", "expected": "enterprise"}
        for n in range(15)
    ]
    said = story([decision(trace={"tried": [*missed, {"rule": "everything else", "matched": True}]})])
    assert "3 rules before did not match." in said
    assert 'Rule "rule 2" did not match' not in said and 'Rule "rule 3" did not match' in said


@pytest.mark.parametrize(
    ("actual", "expected", "said"),
    [
        ("business", '== "personal"', "mail.kind is business, wanted personal."),
        ("business", '"personal"', "mail.kind is business, wanted personal."),
        ("business", 'in ["personal", "none"]', 'mail.kind is business, wanted in ["personal", "none"].'),
        ("business", '"a" or "b"', 'mail.kind is business, wanted "a" or "b".'),
        (None, '"', 'mail.kind is unknown, wanted ".'),
        ("business", '== ""', 'mail.kind is business, wanted "".'),
        (False, "true", "mail.kind is no, wanted yes."),
        (12, ">= 50", "mail.kind is 12, wanted >= 50."),
    ],
)
def test_what_a_rule_wanted_is_said_in_words(actual: object, expected: str, said: str) -> None:
    missed = {"rule": "one", "matched": False, "field": "mail.kind", "actual": actual, "expected": expected}
    told = story([decision(trace={"tried": [missed, {"rule": "everything else", "matched": True}]})])
    assert f'Rule "one" did not match: {said}' in told
