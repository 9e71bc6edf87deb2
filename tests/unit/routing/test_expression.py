import cel
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.conditions import asked, compile_condition, context_of, evaluate
from routing.expression import And, Comparison, Fact, Not, Op, Opaque, Or, truth
from routing.expression_parser import parse
from routing.facts import flat, nested

FIELDS: dict[str, st.SearchStrategy[Fact]] = {
    "company.employees": st.integers(0, 5),
    "company.country": st.sampled_from(["US", "CA", "MX"]),
    "company.state": st.sampled_from(["TX", "", "T"]),
    "icp": st.booleans(),
    "lead.behaviour": st.lists(st.sampled_from(["a", "b"]), max_size=2).map(tuple),
}
TESTS = [
    *(f"company.employees {op} {n}" for op in ("==", "!=", "<", "<=", ">", ">=") for n in (0, 2, 5)),
    *("3 <= company.employees", "2.5 > company.employees", "company.employees in [1, 3]", "has(company.employees)"),
    *('company.country == "US"', 'company.country != "CA"', "company.country in ['US', 'MX']", "has(company.country)"),
    *('company.state.startsWith("T")', 'company.state.endsWith("X")', 'company.state.contains("T")'),
    *('company.country < "MX"', "icp", "!icp", "icp == false", "icp != true", '"a" in lead.behaviour'),
    'company.country == "it\\"s"',
]
EXPRESSIONS = st.recursive(
    st.sampled_from(TESTS),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda both: f"({both[0]}) && {both[1]}"),
        st.tuples(inner, inner).map(lambda both: f"{both[0]} || {both[1]}"),
        inner.map(lambda one: f"!({one})"),
    ),
    max_leaves=6,
)
FACTS = st.fixed_dictionaries({}, optional=FIELDS)


@settings(max_examples=400, deadline=None)
@given(text=EXPRESSIONS, facts=FACTS)
def test_the_tree_decides_as_cel_does(text: str, facts: dict[str, Fact]) -> None:
    condition = compile_condition(text)
    assert not isinstance(condition.node, Opaque)
    verdict = evaluate(condition, context_of(nested(facts)))
    assert (truth(condition.node, facts) is True) is verdict.matched


@settings(deadline=None)
@given(text=EXPRESSIONS, facts=FACTS)
def test_a_condition_holds_where_all_its_parts_do(text: str, facts: dict[str, Fact]) -> None:
    condition = compile_condition(text)
    context = context_of(nested(facts))
    assert all(evaluate(part, context).matched for part in condition.parts) is evaluate(condition, context).matched


@settings(deadline=None)
@given(text=EXPRESSIONS, facts=FACTS)
def test_a_context_of_what_is_asked_decides_as_one_of_all(text: str, facts: dict[str, Fact]) -> None:
    condition = compile_condition(text)
    narrow = context_of(nested(facts), asked(condition.fields))
    assert evaluate(condition, narrow).matched is evaluate(condition, context_of(nested(facts))).matched


@settings(deadline=None)
@given(facts=FACTS)
def test_facts_survive_being_nested(facts: dict[str, Fact]) -> None:
    assert flat(nested(facts)) == facts


@pytest.mark.parametrize(
    "text",
    [
        "company.employees * 2 > 50",
        "lead.source.matches('a.*')",
        "icp ? true : false",
        "size(lead.behaviour) > 1",
        "true",
        "5 <= size(lead.flags)",
        "company.employees == -(3)",
        "company.employees in [1, 2 + 1]",
        '"a" + "b" == lead.source',
        "[1] == lead.flags",
        '"a" == "b"',
        '"a" || icp',
        '"a" == null',
        "5 != true",
        '"a" in null',
    ],
)
def test_what_is_beyond_the_subset_is_opaque_and_cel_decides(text: str) -> None:
    assert isinstance(parse(text), Opaque)
    cel.compile(text)


def test_an_opaque_part_still_leaves_the_others_readable() -> None:
    condition = compile_condition('company.country == "US" && size(lead.behaviour) > 1')
    assert isinstance(condition.node, Opaque)
    assert condition.fields == ("company.country", "lead.behaviour")
    methods = parse("lead.source.matches('a.*') || null == mail.domain")
    assert isinstance(methods, Opaque)
    assert methods.fields == ("lead.source", "mail.domain")


def test_precedence_is_that_of_cel() -> None:
    node = parse("icp && a.b || !c.d && has(e.f)")
    assert isinstance(node, Or)
    assert isinstance(node.parts[0], And)
    assert isinstance(node.parts[1], And)
    assert isinstance(node.parts[1].parts[0], Not)
    assert node.parts[1].parts[1] == Comparison("e.f", Op.KNOWN, None, "has(e.f)")


DAYS = "lead.disqualified_days"


@pytest.mark.parametrize(
    ("text", "value", "holds"),
    [
        *(
            (f"{DAYS} < 5", value, held)
            for value, held in ((4, True), (5, False), (4.5, True), ("4", None), (True, None))
        ),
        *((f"{DAYS} <= 5", value, held) for value, held in ((5, True), (6, False), (5.1, False), (None, None))),
        *((f"{DAYS} > 5", value, held) for value, held in ((6, True), (5, False), (5.1, True))),
        *((f"{DAYS} >= 5", value, held) for value, held in ((5, True), (4, False), (("5",), None))),
        *((f'{DAYS} < "b"', value, held) for value, held in (("a", True), ("b", False), ("c", False), (1, None))),
        *((f'{DAYS} >= "b"', value, held) for value, held in (("a", False), ("b", True), ("c", True))),
        *((f'{DAYS} > "b"', value, held) for value, held in (("a", False), ("b", False), ("c", True))),
        *((f'{DAYS} <= "b"', value, held) for value, held in (("a", True), ("b", True), ("c", False))),
        *((f"{DAYS} == 1", value, held) for value, held in ((1, True), (True, False), (2, False), ("1", False))),
        *((f"{DAYS} != 1", value, held) for value, held in ((1, False), (True, True), (2, True))),
        *((f"{DAYS} in [1, 2]", value, held) for value, held in ((2, True), (True, False), (3, False))),
        *((f'"a" in {DAYS}', value, held) for value, held in ((("a",), True), (("b",), False), ("a", None))),
        *((f'{DAYS}.startsWith("a")', value, held) for value, held in (("ab", True), ("ba", False), (1, None))),
        *((f'{DAYS}.endsWith("a")', value, held) for value, held in (("ab", False), ("ba", True))),
        *((f'{DAYS}.contains("a")', value, held) for value, held in (("bab", True), ("b", False))),
        *((DAYS, value, held) for value, held in ((True, True), (False, False), (1, None), (None, None))),
        *((f"has({DAYS})", value, held) for value, held in ((0, True), (None, False))),
    ],
)
def test_a_comparison_holds_fails_or_is_unknown_by_kind(text: str, value: Fact | None, holds: bool | None) -> None:
    facts = {} if value is None else {DAYS: value}
    assert truth(parse(text), facts) is holds
    assert truth(parse(f"!({text})"), facts) is (None if holds is None else not holds)


@pytest.mark.parametrize(
    ("text", "holds"),
    [("a.b && c.d", None), ("a.b && !icp", False), ("a.b || icp", True), ("a.b || !icp", None), ("!icp || a.b", None)],
)
def test_one_part_settles_where_it_can_and_else_what_is_unknown_counts(text: str, holds: bool | None) -> None:
    assert truth(parse(text), {"icp": True}) is holds


def test_a_part_beyond_the_subset_is_a_fact_of_its_own() -> None:
    node = parse("size(lead.behaviour) > 1")
    assert isinstance(node, Opaque)
    assert [truth(node, {node.text: value}) for value in (True, False, "x")] == [True, False, None]
    assert truth(node, {}) is None


@pytest.mark.parametrize(
    "text", ["a.b ==", "a.b == 1 c.d", "has(a.b", "has(5)", "a.b in [1 2]", "a.b in 1", "(a.b", "a.b == ("]
)
def test_what_is_cut_off_or_runs_on_is_not_read_as_if_it_were_whole(text: str) -> None:
    assert isinstance(parse(text), Opaque)
