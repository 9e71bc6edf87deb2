from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.derived import All, AnyOf, Basic, Neither, Sure, basic
from routing.expression import Fact, truth
from routing.expression_parser import parse
from routing.lead_cells import graded
from routing.necessary import exclude, necessary
from routing.policy import Policy
from routing.solving import Budget, TooHard, case_of, find_lead
from tests.unit.routing.policies import shipped

POLICY = shipped()
TESTS = [
    *("company.employees >= 3", "company.employees < 2", "company.employees == 5", "has(company.employees)"),
    *('company.country == "US"', 'company.country != "US"', 'company.country in ["US", "CA"]', "has(company.country)"),
    *(
        '"a" in lead.behaviour',
        "lead.has_consent",
        "score > 99",
        'company.state.startsWith("T")',
        'company.state == "TX"',
    ),
]
LEAVES = st.sampled_from(TESTS).map(lambda text: basic(POLICY, parse(text)))
CONDITIONS: st.SearchStrategy[Basic] = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: All(tuple(parts))),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: AnyOf(tuple(parts))),
        inner.map(Neither),
        inner.map(Sure),
    ),
    max_leaves=5,
)
EVERYTHING: dict[str, list[Fact | None]] = {
    "company.employees": [None, 0, 1, 2, 3, 4, 5, 6],
    "company.country": [None, "US", "CA", "FR"],
    "company.state": [None, "TX", "TN", "NY"],
    "lead.behaviour": [(), ("a",), ("b",)],
    "lead.has_consent": [None, True, False],
    "score": [0, 99, 100],
}


def held_by(condition: Basic, facts: dict[str, Fact]) -> bool | None:
    """A plain reading of a condition, to hold the solver against."""
    if isinstance(condition, All):
        parts = [held_by(part, facts) for part in condition.parts]
        return False if False in parts else None if None in parts else True
    if isinstance(condition, AnyOf):
        parts = [held_by(part, facts) for part in condition.parts]
        return True if True in parts else None if None in parts else False
    if isinstance(condition, Neither):
        inner = held_by(condition.part, facts)
        return None if inner is None else not inner
    if isinstance(condition, Sure):
        return held_by(condition.part, facts) is True
    return truth(condition, facts)


@settings(max_examples=150, deadline=None)
@given(yes=CONDITIONS, no=st.lists(CONDITIONS, max_size=2))
def test_a_lead_is_found_exactly_where_trying_all_leads_finds_one(yes: Basic, no: list[Basic]) -> None:
    names = list(EVERYTHING)
    exists = any(
        held_by(yes, facts) is True and not any(held_by(each, facts) is True for each in no)
        for values in product(*EVERYTHING.values())
        if (facts := {name: value for name, value in zip(names, values, strict=True) if value is not None}) is not None
    )
    assert (find_lead((case_of(yes),), [case_of(each) for each in no], Budget()) is not None) is exists


@settings(max_examples=150, deadline=None)
@given(one=CONDITIONS, two=CONDITIONS)
def test_two_conditions_exclude_each_other_only_where_no_lead_meets_both(one: Basic, two: Basic) -> None:
    if exclude(necessary(one), necessary(two)):
        assert find_lead((case_of(All((one, two))),), (), Budget()) is None


def test_the_steps_of_a_search_are_bounded() -> None:
    condition = basic(POLICY, parse("company.employees > 5 && company.revenue > 5"))
    with pytest.raises(TooHard):
        find_lead((case_of(condition),), (), Budget(2))


@pytest.mark.parametrize("action", ["demo", "webinar", "whitepaper", None])
@pytest.mark.parametrize("employees", [None, 20, 50, 199, 200, 1000])
@pytest.mark.parametrize("country", [None, "US", "BR"])
@pytest.mark.parametrize(
    "text",
    [
        *('segment == "smb"', 'segment != "smb"', 'segment in ["smb", "enterprise"]', 'tier == "T1"', 'tier == "T2"'),
        *('tier != "T3"', "icp", "!icp", 'intent == "low"', 'intent != "high"', 'treatment == "nurture"'),
        *('treatment == "assign"', 'tier in ["T1", "T3"] && segment == "mid_market"'),
    ],
)
def test_what_a_policy_derives_is_spelt_out_faithfully(
    action: str | None, employees: int | None, country: str | None, text: str
) -> None:
    policy: Policy = POLICY
    given = {"lead.action": action, "company.employees": employees, "company.country": country}
    facts: dict[str, Fact] = {name: value for name, value in given.items() if value is not None}
    facts["company.industry"] = "saas"
    node = parse(text)
    assert (held_by(basic(policy, node), facts) is True) is (truth(node, graded(policy, facts)) is True)


@pytest.mark.parametrize(
    "text",
    [
        "company.employees > 49.5 && company.employees < 50.5",
        "company.employees > 50 && company.employees < 52",
        "company.employees >= 50 && company.employees <= 50",
    ],
)
def test_the_one_number_between_two_bounds_is_found(text: str) -> None:
    assert find_lead((case_of(basic(POLICY, parse(text))),), (), Budget()) is not None


@pytest.mark.parametrize(("employees", "holds"), [(None, False), (0, True), (300, True)])
def test_a_lead_has_a_segment_where_its_size_is_known(employees: int | None, holds: bool) -> None:
    facts: dict[str, Fact] = {} if employees is None else {"company.employees": employees}
    assert held_by(basic(POLICY, parse("has(segment)")), facts) is holds


def test_what_only_cel_understands_may_hold_or_not_and_not_both() -> None:
    opaque = case_of(basic(POLICY, parse("company.employees * 2 > 300")))
    other = case_of(basic(POLICY, parse("company.employees * 3 > 300")))
    assert find_lead((opaque,), (), Budget()) is not None
    assert find_lead((opaque,), (other,), Budget()) is not None
    assert find_lead((opaque,), (opaque,), Budget()) is None


def test_words_and_numbers_asked_of_one_fact_exclude_nothing_by_themselves() -> None:
    number, word = (parse(f"answers.size {test}") for test in ("> 5", '== "big"'))
    needs = [necessary(basic(POLICY, node)) for node in (number, word)]
    assert not exclude(*needs)
    assert necessary(AnyOf((basic(POLICY, number), basic(POLICY, word)))) == {}
    assert necessary(All((basic(POLICY, number), basic(POLICY, word)))) == needs[0]
    assert necessary(AnyOf(())) == {}


@pytest.mark.parametrize(
    ("text", "is_found"),
    [
        ('company.state > "M" && company.state < "N"', True),
        ('company.state < "A"', True),
        ('company.state.startsWith("T") && company.state.contains("E") && company.state.endsWith("X")', True),
        ('company.state.startsWith("T") && company.state == "NY"', False),
        ('company.state.startsWith("T") && company.state != "T"', True),
        ('company.state.endsWith("X") && !(company.state in ["X", "TX"])', True),
        ('company.state.startsWith("T") && !company.state.endsWith("T")', True),
        ('company.state.contains("A") && company.state.contains("Z") && company.state != "AZ"', True),
        ('company.state.startsWith("T") && company.state.contains("A") && company.state.contains("Z")', True),
        ('company.state.startsWith("T") && !company.state.contains("T")', False),
        ('company.state <= ""', True),
        ("company.revenue > 1.5 && company.revenue < 1.6", True),
        ("company.revenue > 5", True),
        ("company.revenue > 50 && company.revenue < 51", True),
        ("company.employees > 50 && company.employees < 51", False),
        ("company.employees > 49.2 && company.employees < 49.8", False),
        ("company.employees < 1", True),
        ("company.employees < 0", False),
        ("score >= 100", True),
        ("score > 100", False),
        ("score < 1", True),
        ("score < 0", False),
        ("hour < 1", True),
        ("hour < 0", False),
        ("lead.touch < 2", True),
        ("lead.recycled", True),
        ("!lead.recycled && has(lead.disqualified_days)", True),
        ("!has(company.country)", True),
        ("!has(mail.kind)", False),  # every lead has one
        ("!has(time_of_day)", False),  # and it is always some time of day
        ("lead.touch > 5 && lead.touch < 7 && lead.touch != 6", False),
        ("hour >= 23", True),
        ("hour > 23", False),
        ("lead.touch < 1", False),
    ],
)
def test_a_condition_can_hold_exactly_where_some_value_meets_it(text: str, is_found: bool) -> None:
    assert (find_lead((case_of(basic(POLICY, parse(text))),), (), Budget()) is not None) is is_found


def test_what_only_cel_understands_may_fail() -> None:
    opaque = basic(POLICY, parse("company.employees * 2 > 300"))
    assert find_lead((case_of(Neither(opaque)),), (), Budget()) is not None


def test_a_budget_lasts_as_many_steps_as_it_has() -> None:
    budget = Budget(2)
    budget.spend()
    budget.spend()
    with pytest.raises(TooHard):
        budget.spend()
