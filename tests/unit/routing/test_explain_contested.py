"""A lead whose providers name two companies: what they differ in is told."""

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
