"""Broken rosters, each with the message that a person would want, line and column included.

A file is rewritten only on request: LEADSTREAM_REWRITE_GOLDEN=1.
"""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from routing.finding import Finding, Severity, Where
from routing.roster_file import RowsInvalid, read_rows
from schemas.rep import Rep

FOLDER = Path(__file__).parents[2] / "golden" / "rosters"
BROKEN = sorted(FOLDER.glob("*.yaml"))


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_a_broken_roster_says_where_what_and_what_is_allowed(path: Path) -> None:
    with pytest.raises(RowsInvalid) as error:
        read_rows(path.read_text(), Rep, "reps", "id")
    said = "".join(f"{finding}\n" for finding in error.value.findings)
    golden = path.with_suffix(".txt")
    if os.environ.get("LEADSTREAM_REWRITE_GOLDEN"):
        golden.write_text(said)
    assert said == golden.read_text()
    assert "Input should" not in said


def test_words_of_a_roster_are_what_they_look_like() -> None:
    text = "- {id: N1, name: Nils, countries: [NO, SE], hours: {timezone: Europe/Oslo, week: {mon: [[08:00, 18:00]]}}}"
    rep = read_rows(text, Rep, "reps", "id").rows[0]
    assert rep.countries == ("NO", "SE")
    assert rep.hours is not None and rep.hours.week["mon"] == (("08:00", "18:00"),)


def test_a_list_and_a_mapping_of_reps_are_the_same_roster() -> None:
    row = "{id: A, name: Ada}"
    listed, mapped = (read_rows(text, Rep, "reps", "id").rows for text in (f"- {row}\n", f"reps:\n  - {row}\n"))
    assert listed == mapped


@pytest.mark.parametrize(
    ("path", "spot"),
    [("roster.B.backups", (4, 5)), ("roster.B", (3, 5)), ("roster.Z.backups", (0, 0)), ("pools.B", (0, 0))],
)
def test_a_finding_about_a_rep_gets_the_line_where_the_file_has_them(path: str, spot: tuple[int, int]) -> None:
    text = "reps:\n  - {id: A, name: Ada}\n  - id: B\n    backups: [{rep: A}]\n    name: Bo\n"
    found = Finding(Severity.ERROR, "roster.ghost", Where(path=path), "what", "allowed")
    located = read_rows(text, Rep, "reps", "id").located(found, "id")
    assert located == replace(found, where=Where(*spot, path))


@pytest.mark.parametrize("text", ["reps: ada", "[]", "ada"], ids=["a word for the list", "an empty list", "a word"])
def test_a_file_without_a_list_of_reps_is_said_to_hold_none(text: str) -> None:
    with pytest.raises(RowsInvalid, match="the file holds no reps"):
        read_rows(text, Rep, "reps", "id")


def test_every_error_of_a_roster_is_told_at_once_a_line_each() -> None:
    with pytest.raises(RowsInvalid) as error:
        read_rows("- {name: Ada}\n- {id: B, name: Bo}\n- {id: B, name: Bob}\n", Rep, "reps", "id")
    told = str(error.value).splitlines()
    assert [line.partition(":")[0] for line in told] == [
        "error at line 1, column 3, [0].id",
        "error at line 3, column 4, [2].id",
    ]
    assert "the id 'B' stands twice, first on line 2." in told[1]
