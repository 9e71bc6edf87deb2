"""A lead whose providers name two companies: what they differ in is told."""

from routing.explain import story
from tests.lab.decisions import decision, lead


def test_the_story_names_what_two_companies_of_one_domain_differ_in() -> None:
    contested = lead(conflicts=("company.employees", "company.industry"))
    assert "differ in employees, industry: taken as unknown." in story([decision(lead=contested)])
    assert "taken as unknown" not in story([decision(lead=lead())])
