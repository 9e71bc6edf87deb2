"""Broken policies and rosters, each with the message that a person would want (NEW-11).

A file is rewritten only on request: LEADSTREAM_REWRITE_GOLDEN=1.
"""

import os
from pathlib import Path

import pytest
import yaml

from routing.lint import lint_text
from schemas.rep import Rep

FOLDER = Path(__file__).parents[2] / "golden" / "policies"
BROKEN = sorted(path for path in (FOLDER / "broken").glob("*.yaml") if not path.name.endswith(".roster.yaml"))


def roster_of(path: Path) -> list[Rep] | None:
    beside = path.with_suffix(".roster.yaml")
    return [Rep.model_validate(row) for row in yaml.safe_load(beside.read_text())] if beside.exists() else None


def test_there_are_at_least_forty_broken_ones() -> None:
    assert len(BROKEN) >= 40


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_a_broken_policy_says_where_what_and_what_is_allowed(path: Path) -> None:
    said = "".join(f"{finding}\n" for finding in lint_text(path.read_text(), roster_of(path)))
    golden = path.with_suffix(".txt")
    if os.environ.get("LEADSTREAM_REWRITE_GOLDEN"):
        golden.write_text(said)
    assert said == golden.read_text()
    assert said


def test_the_policy_they_were_made_from_is_sound() -> None:
    path = FOLDER / "sound.yaml"
    said = [str(finding) for finding in lint_text(path.read_text(), roster_of(path))]
    assert [line for line in said if "catch-all" not in line] == []
