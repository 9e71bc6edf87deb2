import pytest

from routing.conditions import (
    LONGEST_TEXT,
    Compared,
    ConditionInvalid,
    Verdict,
    compared,
    compile_condition,
    context_of,
    evaluate,
)
from routing.expression import Fact
from routing.facts import nested

FACTS = nested({"company.employees": 600, "lead.source": "web"})


def verdict(text: str) -> Verdict:
    return evaluate(compile_condition(text), context_of(FACTS))


def test_a_condition_that_holds_matches() -> None:
    assert verdict("company.employees >= 600") == Verdict(True)
    assert verdict("company.employees > 600") == Verdict(False)


def test_an_unknown_fact_makes_it_false_and_is_named() -> None:
    assert verdict('company.state == "TX"') == Verdict(False, ("company.state",))
    assert verdict('!(company.state == "TX")') == Verdict(False, ("company.state",))
    assert verdict('segment == "smb"') == Verdict(False, ("segment",))


def test_of_several_facts_only_the_unknown_one_is_named() -> None:
    assert verdict('company.employees > 3 && company.state == "TX"') == Verdict(False, ("company.state",))
    assert verdict('answers.size == "3" || lead.source == "chat"') == Verdict(False, ("answers.size",))


def test_an_unknown_fact_that_does_not_decide_does_no_harm() -> None:
    assert verdict('company.state == "TX" || company.employees == 600').matched
    assert verdict('company.state == "TX" && company.employees == 1') == Verdict(False)


def test_values_that_do_not_compare_make_it_false() -> None:
    assert verdict('company.employees > "many"') == Verdict(False, ("company.employees",))
    assert not verdict("company.employees / 0 > 1").matched


def test_a_result_that_is_no_truth_value_is_false() -> None:
    assert not verdict("company.employees").matched


def test_each_comparison_is_told_with_actual_and_expected() -> None:
    condition = compile_condition('company.employees >= 700 && has(company.state) && lead.source in ["web", "chat"]')
    assert compared(condition, {"company.employees": 600, "lead.source": "web"}) == (
        Compared("company.employees", 600, ">= 700", False),
        Compared("company.state", None, "known", False),
        Compared("lead.source", "web", 'in ["web", "chat"]', True),
    )


def test_what_is_no_plain_comparison_is_told_whole_with_the_facts_that_are_known() -> None:
    text = "company.employees * 2 > company.revenue"
    fields = "company.employees, company.revenue"
    condition = compile_condition(text)
    known: dict[str, Fact] = {"company.employees": 600, "lead.source": "web"}
    assert compared(condition, known) == (Compared(fields, {"company.employees": 600}, text, None),)
    assert compared(condition, {"lead.source": "web"}) == (Compared(fields, None, text, None),)


def test_a_context_holds_what_is_wanted_of_it_and_no_more() -> None:
    employees = context_of(FACTS, (("company", ("employees", "state")), ("segment", None)))
    assert evaluate(compile_condition("company.employees == 600"), employees).matched
    for absent in ('lead.source == "web"', 'company.state == "TX"', 'segment == "smb"'):
        assert not evaluate(compile_condition(absent), employees).matched


@pytest.mark.parametrize("before", ["", "icp && ", "icp &&\n  icp && ", "icp &&\n\nicp &&\n   "])
def test_what_does_not_parse_is_pointed_at_on_its_line(before: str) -> None:
    text = f"{before}$ && icp &&\n icp"
    with pytest.raises(ConditionInvalid) as error:
        compile_condition(text)
    assert error.value.offset == text.index("$")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        pytest.param("icp and icp", "no operator", id="and"),
        pytest.param("a = 1", "single =", id="assignment"),
        pytest.param("icp &&", "ends too early", id="unfinished"),
        pytest.param("(" * 30 + "icp" + ")" * 30, "nested", id="deep"),
        pytest.param("[1].all(x, [1].all(y, true))", "not allowed", id="macros"),
        pytest.param("icp " + "&& icp " * 400, "characters long", id="long"),
        pytest.param("lead.source in 1..3", "does not parse", id="not CEL"),
    ],
)
def test_what_does_not_compile_says_why(text: str, what: str) -> None:
    with pytest.raises(ConditionInvalid) as error:
        compile_condition(text)
    assert what in error.value.what
    assert str(error.value) == error.value.what
    assert error.value.allowed


DEEP = "(" * 20 + "icp" + ")" * 20
LONG = f'lead.campaign == "{"c" * (LONGEST_TEXT - 19)}"'


@pytest.mark.parametrize("text", [DEEP, f"{DEEP} && {DEEP}", LONG], ids=["deep", "deep one after another", "long"])
def test_a_condition_may_be_as_long_and_as_deep_as_it_says(text: str) -> None:
    assert compile_condition(text).text == text
    assert LONGEST_TEXT == 2_000 == len(LONG)


@pytest.mark.parametrize(
    ("text", "what", "offset"),
    [
        (f"icp && ({DEEP})", "the condition is nested more than 20 deep", 27),
        (f"{LONG} ", "the condition is 2001 characters long", 0),
    ],
    ids=["deep", "long"],
)
def test_a_condition_that_is_one_longer_or_deeper_is_pointed_at(text: str, what: str, offset: int) -> None:
    with pytest.raises(ConditionInvalid) as error:
        compile_condition(text)
    assert (error.value.what, error.value.offset) == (what, offset)


@pytest.mark.parametrize(
    ("text", "field", "expected"),
    [
        ("company.employees >= 600", "company.employees", ">= 600"),
        ('lead.source in ["web", true]', "lead.source", 'in ["web", true]'),
        ("icp", "icp", "true"),
        ('segment == "smb" || score > 5', "segment", 'segment == "smb" || score > 5'),
        ("score + 1 > 5", "score", "score + 1 > 5"),
        ("1 + 1 < 5", "", "1 + 1 < 5"),
    ],
)
def test_a_part_shows_its_fact_and_what_it_expects_of_it_or_itself_where_it_is_no_plain_comparison(
    text: str, field: str, expected: str
) -> None:
    (part,) = compile_condition(text).parts
    assert (part.field, part.expected) == (field, expected)


def test_words_in_quotes_may_be_anything() -> None:
    assert not verdict('lead.source == "this and that = (((((((((((((((((((((((((" ').matched
