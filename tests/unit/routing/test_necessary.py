"""What a condition needs of single facts, and so which two no lead can meet both."""

from math import inf

import pytest

from routing.derived import basic
from routing.expression_parser import parse
from routing.necessary import Among, Needs, Within, exclude, necessary
from tests.unit.routing.policies import edited, shipped

POLICY = shipped()


def needs(text: str) -> Needs:
    return necessary(basic(POLICY, parse(text)))


def word(*words: str) -> dict[str, Among]:
    return {"company.state": Among(frozenset(words))}


def number(low: float = -inf, high: float = inf) -> dict[str, Within]:
    return {"company.employees": Within(low, high)}


@pytest.mark.parametrize(
    ("text", "needed"),
    [
        ('company.state == "TX"', word("TX")),
        ('company.state != "TX"', {}),
        ('company.state in ["TX", "AZ"]', word("TX", "AZ")),
        ('company.state in ["TX", 5]', {}),
        ('company.state.startsWith("T")', {}),
        ("has(company.state)", {}),
        ("company.employees == 5", number(5, 5)),
        ("company.employees != 5", {}),
        ("company.employees < 5", number(high=5)),
        ("company.employees <= 5", number(high=5)),
        ("company.employees > 5", number(5)),
        ("company.employees >= 5", number(5)),
        ("company.employees + 1 > 5", {}),
        ("lead.has_phone", {"lead.has_phone": Among(frozenset((True,)))}),
        ("!lead.has_phone", {"lead.has_phone": Among(frozenset((False,)))}),
        ('!(company.state == "TX")', {}),
    ],
)
def test_one_comparison_needs_its_words_or_its_bounds(text: str, needed: Needs) -> None:
    assert needs(text) == needed


@pytest.mark.parametrize(
    ("text", "needed"),
    [
        ("company.employees > 3 && company.employees < 9 && company.employees < 7", number(3, 7)),
        ("company.employees < 7 && company.employees > 3 && company.employees > 1", number(3, 7)),
        ('company.state in ["TX", "AZ"] && company.state in ["AZ", "NM"]', word("AZ")),
        ('company.state == "TX" && company.employees == 5', {**word("TX"), **number(5, 5)}),
        ('company.state == "TX" || company.state == "AZ"', word("TX", "AZ")),
        ('company.state == "TX" || company.employees == 5', {}),
        ('company.state == "TX" && company.employees == 5 || company.state == "AZ"', word("TX", "AZ")),
        ('company.state == "TX" || company.state == "AZ" && company.employees == 5', word("TX", "AZ")),
        ("company.employees == 9 || company.employees == 3 || company.employees == 5", number(3, 9)),
        ('company.state == "TX" || score > 5 || company.state == "AZ"', {}),
    ],
)
def test_all_of_several_need_what_each_does_and_any_of_them_what_all_do(text: str, needed: Needs) -> None:
    assert needs(text) == needed


@pytest.mark.parametrize(
    ("one", "two", "is_so"),
    [
        ('company.state == "TX"', 'company.state in ["AZ", "NM"]', True),
        ('company.state == "TX"', 'company.state in ["AZ", "TX"]', False),
        ("company.employees <= 5", "company.employees >= 6", True),
        ("company.employees <= 5", "company.employees >= 5", False),
        ('company.state == "TX"', "company.employees >= 5", False),
        ('company.state == "TX" && company.employees == 5', "company.employees == 6 && score > 5 && icp", True),
        ("lead.has_phone", "!lead.has_phone", True),
        ("has(company.state)", 'company.state == "TX"', False),
    ],
)
def test_two_conditions_exclude_each_other_where_one_fact_would_have_to_be_two_things(
    one: str, two: str, is_so: bool
) -> None:
    assert exclude(needs(one), needs(two)) is exclude(needs(two), needs(one)) is is_so


def test_only_segments_that_a_tier_nurtures_are_nurtured() -> None:
    treatment = ("treatment: {self_serve: nurture}", "treatment: {self_serve: nurture, smb: assign}")
    policy = edited("default", treatment)
    nurtured = necessary(basic(policy, parse('treatment == "nurture"')))
    assert nurtured["company.employees"] == Within(0, 50)
