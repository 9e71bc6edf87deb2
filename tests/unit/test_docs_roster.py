"""docs/roster.md, read as a person does who writes a roster from it alone."""

import csv
import json
import re
from pathlib import Path

from pydantic import BaseModel

from routing.roster_file import read_rows
from schemas.account import Account
from schemas.activity import ActivityReported
from schemas.policy_file import OVERRIDE_REASONS
from schemas.rep import Rep
from streams.cli.entries import read_entries

PAGE = (Path(__file__).parents[2] / "docs/roster.md").read_text()
NOT_WRITTEN_BY_PEOPLE = {"calendar", "deactivated_at", "joined_on", "push"}


def block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    return found[1]


def fields_told(section: str) -> set[str]:
    table = PAGE.split(f"## {section}\n")[1].split("\n## ")[0]
    cells = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    return {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}


def named(model: type[BaseModel]) -> set[str]:
    return set(model.model_fields) - NOT_WRITTEN_BY_PEOPLE


def test_every_field_of_a_person_and_of_an_account_is_told_and_no_other() -> None:
    assert fields_told("People") == named(Rep)
    assert fields_told("Accounts") == named(Account)


def test_the_roster_that_is_shown_can_be_imported() -> None:
    people = read_rows(block("yaml"), Rep, "reps", "id").rows
    assert {rep.manager for rep in people if rep.manager} <= {rep.id for rep in people}


def test_the_accounts_that_are_shown_can_be_imported(tmp_path: Path) -> None:
    path = tmp_path / "accounts.csv"
    path.write_text(block("csv"))
    (account,) = read_entries(path, Account, "accounts", "domain")
    assert account.aliases == ("acme.test", "acme-group.example")
    assert len(next(csv.reader([block("csv").splitlines()[0]]))) == 8


def test_the_move_by_hand_that_is_shown_is_an_activity_with_a_known_reason() -> None:
    said = json.loads(re.search(r"-d '(.*)'", block("sh"))[1])  # type: ignore[index]
    assert ActivityReported.model_validate(said).reason in OVERRIDE_REASONS
    assert all(f"`{reason}`" in PAGE for reason in OVERRIDE_REASONS)
