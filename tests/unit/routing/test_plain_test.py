import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.conditions import compile_condition, context_of, evaluate
from routing.facts import nested
from routing.plain_test import landmarks

VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.sampled_from([0.0, 1.0, 1.5, "", "a", "ab", "é", ("a",), ("ab", "b"), ()]),
)
TEXTS = (
    'company.x == "a"',
    'company.x != "a"',
    "company.x == 1",
    "company.x != 1",
    "company.x == true",
    "company.x",
    "!company.x",
    "has(company.x)",
    "!has(company.x)",
    "company.x < 1",
    "company.x <= 1",
    "company.x > 1",
    "company.x >= 1",
    "1 <= company.x",
    'company.x in ["a", "b"]',
    "company.x in [1, 2]",
    '!(company.x in ["a", "b"])',
    'company.x.startsWith("a")',
    '"a" in company.x',
)


@pytest.mark.parametrize("text", TEXTS)
@settings(deadline=None)
@given(value=VALUES)
def test_a_plain_test_answers_as_cel_does_or_asks_it(text: str, value: object) -> None:
    condition = compile_condition(text)
    part = condition.parts[0]
    facts = nested({} if value is None else {"company.x": value})  # type: ignore[dict-item]
    said = evaluate(part, context_of(facts))
    assert part.plain is not None
    answered = part.plain(facts["company"].get("x"))
    if answered is not None:
        assert answered is said.matched
        assert said.unknown == ()
    elif value is None:
        assert said == (False, ("company.x",))


@settings(deadline=None)
@given(x=VALUES, y=VALUES)
def test_any_of_several_plain_tests_answers_as_cel_does_or_asks_it(x: object, y: object) -> None:
    part = compile_condition('company.x == "a" || company.y == 1').parts[0]
    known = {f"company.{name}": value for name, value in (("x", x), ("y", y)) if value is not None}
    facts = nested(known)  # type: ignore[arg-type]
    answers = [test(facts["company"].get(name.removeprefix("company."))) for name, test in part.plain_any]
    assert len(answers) == 2
    if None not in answers:
        assert evaluate(part, context_of(facts)) == (True in answers, ())


def test_a_part_of_several_facts_is_left_to_cel() -> None:
    parts = [compile_condition(text).parts[0] for text in ("score > 1 || has(segment.x)", "score + 1 > 2")]
    assert [part.plain for part in parts] == [None, None]


@pytest.mark.parametrize(
    "text",
    ["company.x > 1.5 || company.y > 2.5", 'company.x > 1.5 || company.y == "a"', 'company.x == "a" || score + 1 > 2'],
)
def test_any_of_several_is_left_to_cel_where_one_of_them_is_no_plain_comparison(text: str) -> None:
    part = compile_condition(text).parts[0]
    assert part.plain_any == ()
    assert evaluate(part, context_of(nested({"company.x": 2.0, "company.y": "b", "score": 0}))).matched is (
        ">" in text[:13]
    )


def test_parts_of_plain_comparisons_are_answered_without_cel() -> None:
    either = compile_condition('company.x == "a" || company.y == 1').parts[0]
    assert [test(value) for (_, test), value in zip(either.plain_any, ("a", 2), strict=True)] == [True, False]
    within = compile_condition('"a" in company.x').parts[0].plain
    assert within is not None
    assert (within(["a"]), within(["b"]), within("a")) == (True, False, None)
    is_so = compile_condition("company.x").parts[0].plain
    assert is_so is not None
    assert (is_so(True), is_so(False), is_so("true")) == (True, False, None)


@pytest.mark.parametrize("text", ['answers.x.endsWith("a")', 'answers.x.contains("a")', 'answers.x in ["a", 1]'])
def test_a_part_that_looks_into_a_word_or_mixes_types_is_left_to_cel(text: str) -> None:
    assert compile_condition(text).parts[0].plain is None


@pytest.mark.parametrize(
    ("text", "marks"),
    [
        ("company.x > 5", {5}),
        ('company.x != "a"', {"a"}),
        ('!(company.x in ["a", "b"])', {"a", "b"}),
        ('company.x in ["a"]', {"a"}),
        ("has(company.x)", set()),
        ('company.x.startsWith("a")', None),
    ],
)
def test_landmarks_are_the_values_that_a_test_tells_apart(text: str, marks: set[object] | None) -> None:
    plain = compile_condition(text).parts[0].plain
    assert plain is not None
    assert landmarks(plain) == marks
