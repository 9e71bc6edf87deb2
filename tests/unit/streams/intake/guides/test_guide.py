import json
from datetime import date
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from streams.intake.guides.guide import Guide, GuidesInvalid, Page, next_page, read_guides
from streams.intake.guides.profile import Profile

TODAY = date(2026, 3, 10)
FILE = """
demo:
  always: [email]
  steps:
    - {name: who, ask: [email, name]}
    - {name: company, ask: [employees, industry]}
    - {name: rollout, when: company.employees >= 1000, ask: [answers.rollout, phone]}
    - {name: plan, when: company.employees < 1000, ask: [answers.plan]}
"""


@pytest.fixture
def guide(tmp_path: Path) -> Guide:
    return written(tmp_path, FILE)["demo"]


def written(folder: Path, text: str) -> dict[str, Guide]:
    (folder / "guides.yaml").write_text(text)
    return read_guides(folder / "guides.yaml")


def page(guide: Guide, fields: dict[str, Any], *done: str, known: Profile = Profile()) -> Page:  # noqa: B008
    company = {"employees": fields["employees"]} if "employees" in fields else {}
    facts = {"company": company, "answers": fields.get("answers", {}), "lead": {}, "mail": {}, "account": {}}
    return next_page(guide, fields, done, known, facts, TODAY)


WHO = {"email": "ada@acme.example", "name": "Ada"}


def test_a_stranger_is_asked_step_by_step(guide: Guide) -> None:
    assert page(guide, {}) == Page("who", ("email", "name"))
    assert page(guide, WHO, "who") == Page("company", ("employees", "industry"))


def test_answers_choose_the_path(guide: Guide) -> None:
    assert page(guide, {**WHO, "employees": 1200}, "who", "company") == Page("rollout", ("answers.rollout", "phone"))
    assert page(guide, {**WHO, "employees": 50}, "who", "company") == Page("plan", ("answers.plan",))


def test_who_leaves_the_question_of_the_path_open_comes_to_the_end(guide: Guide) -> None:
    assert page(guide, WHO, "who", "company") == Page("final")


def test_a_step_that_was_shown_is_not_shown_again_whatever_was_left_blank(guide: Guide) -> None:
    assert page(guide, {"email": "ada@acme.example"}, "who") == Page("company", ("employees", "industry"))


def test_a_known_person_is_asked_for_what_is_missing_and_for_what_is_always_asked(guide: Guide) -> None:
    known = Profile(dict.fromkeys(("email", "name", "employees"), ("x", TODAY)))
    assert page(guide, {}, known=known) == Page("who", ("email",))
    assert page(guide, {"email": "ada@acme.example"}, "who", known=known) == Page("company", ("industry",))


def test_what_was_said_longer_ago_than_is_remembered_is_asked_again(guide: Guide) -> None:
    known = Profile({"name": ("Ada", date(2025, 12, 1))})
    assert "name" in page(guide, {}, known=known).ask


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("demo: {steps: []}", "demo.steps"),
        ("demo: {steps: [{name: final, ask: [email]}]}", "call the step otherwise"),
        ("demo: {steps: [{name: a, ask: [division]}]}", "'division' is nothing to ask"),
        ("demo: {steps: [{name: a, ask: [answers]}]}", "answers.<name>"),
        ("demo: {steps: [{name: a, ask: [email]}, {name: a, ask: [name]}]}", "two steps have one name"),
        ("demo: {steps: [{name: a, ask: [email], when: 'company.employees >='}]}", "demo, step a, when"),
        ("demo: [", "it is no YAML"),
    ],
)
def test_a_file_with_a_fault_is_refused_with_its_place(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(GuidesInvalid) as refused:
        written(tmp_path, text)
    assert told in str(refused.value)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(GuidesInvalid, match="No such file"):
        read_guides(tmp_path / "none.yaml")


def test_the_example_of_the_docs_is_a_guide_and_answers_as_they_say(tmp_path: Path) -> None:
    docs = (Path(__file__).parents[5] / "docs" / "capture.md").read_text().partition("### Ask only what is missing")[2]
    block = docs[docs.index("    demo:\n") : docs.index("\n\nYour site asks")]
    guide = written(tmp_path, dedent(block))["demo"]
    said, told = (json.loads(line) for line in docs.splitlines() if line.startswith("    {"))
    assert page(guide, said, said["step"]) == Page(told["step"], tuple(told["ask"]))
