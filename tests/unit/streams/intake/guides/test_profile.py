from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.intake.guides.profile import LONGEST_BYTES, Profile, opened, sealed

SECRET = b"s" * 32
TODAY = date(2026, 3, 10)
NAMES = ("email", "employees", "answers.rollout")


def said(**fields: Any) -> Profile:
    return Profile().with_fields(fields, NAMES, TODAY)


def test_what_was_said_comes_back_from_the_sealed_text() -> None:
    one = said(email="ada@acme.example", employees=1200, answers={"rollout": "this year"}, message="not asked for")
    assert opened(sealed(one, SECRET), SECRET) == one
    assert set(one.said) == set(NAMES)


def test_the_text_shows_nothing_of_it_and_is_the_same_for_the_same() -> None:
    text = sealed(said(email="ada@acme.example"), SECRET)
    assert "ada" not in text and "email" not in text
    assert text == sealed(said(email="ada@acme.example"), SECRET)


@pytest.mark.parametrize("text", [None, "", 7, "x", "ä", "e30=", ["list"]])
def test_what_is_no_profile_is_an_empty_one(text: Any) -> None:
    assert opened(text, SECRET) == Profile()


def test_a_changed_one_and_one_of_another_secret_are_empty() -> None:
    text = sealed(said(email="ada@acme.example"), SECRET)
    assert opened(text[:10] + ("A" if text[10] != "A" else "B") + text[11:], SECRET) == Profile()
    assert opened(text, b"t" * 32) == Profile()


def test_a_submission_wins_over_the_profile_and_a_blank_field_does_not() -> None:
    one = said(email="ada@acme.example", employees=1200, answers={"rollout": "this year"})
    filled = one.under({"email": "", "employees": 50, "answers": {"plan": "team"}})
    assert filled == {
        "email": "ada@acme.example",
        "employees": 50,
        "answers": {"plan": "team", "rollout": "this year"},
    }


def test_what_was_said_long_ago_is_not_known() -> None:
    one = said(email="ada@acme.example")
    assert one.known(TODAY) == {"email"}
    assert one.known(TODAY + timedelta(days=1)) == frozenset()


@given(
    st.dictionaries(st.sampled_from(NAMES[:2]), st.one_of(st.text(max_size=400), st.integers(), st.lists(st.none()))),
    st.dictionaries(st.text(max_size=20), st.text(max_size=400), max_size=30),
)
def test_whatever_is_typed_it_fits_into_a_cookie_and_comes_back(
    fields: dict[str, Any], answers: dict[str, str]
) -> None:
    names = (*NAMES, *(f"answers.{name}" for name in answers))
    one = Profile().with_fields({**fields, "answers": answers}, names, TODAY)
    text = sealed(one, SECRET)
    assert len(text) <= 4 * (LONGEST_BYTES + 16) // 3 + 4 < 4096
    assert opened(text, SECRET) == one
