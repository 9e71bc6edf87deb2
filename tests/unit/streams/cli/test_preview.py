"""`leadstream lead preview` without a cluster, and what a person types."""

import json
from pathlib import Path

import pytest

from streams.cli.exit_code import ExitCode
from streams.cli.failure import CommandFailed
from streams.cli.main import run
from streams.cli.preview import facts_of, instant_of

ROSTER = """
- id: M1
  name: Ada
  role: ae
  team: mm-southwest
  hours: {timezone: America/Chicago, week: {tue: [["09:00", "18:00"]]}}
- {id: MM, name: Cleo, role: manager, team: mm-southwest}
"""
FACTS = ["lead.action=demo", "company.employees=450", "company.industry=saas", "company.country=US", "company.state=TX"]


def test_a_lead_is_previewed_on_a_roster_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "roster.yaml"
    path.write_text(ROSTER)
    at = ["--at", "2026-03-10T14:14:00-05:00", "--roster", str(path)]
    assert run(["lead", "preview", *FACTS, *at, "--json"]) == ExitCode.OK
    (told,) = json.loads(capsys.readouterr().out)["decisions"]
    assert (told["owner"]["id"], told["rule"]) == ("M1", "mid-market Southwest")
    assert run(["lead", "preview", *FACTS, *at]) == ExitCode.OK
    said = capsys.readouterr().out
    assert 'Rule "mid-market Southwest" matched.' in said
    assert 'Rule "personal email" did not match: mail.kind is business, wanted personal.' in said


def test_what_is_typed_is_read_as_numbers_words_lists_and_claims() -> None:
    typed = ["company.employees=600", "company.country=NO", "lead.has_phone=true", "lead.behaviour=[pricing, docs]"]
    assert facts_of(typed) == {
        "company.employees": 600,
        "company.country": "NO",
        "company.region": "emea",
        "lead.has_phone": True,
        "lead.behaviour": ["pricing", "docs"],
    }


def test_a_region_that_is_typed_stands() -> None:
    assert facts_of(["company.country=NO", "company.region=amer"])["company.region"] == "amer"


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("company.country=Germany", "Did you mean 'DE'?"),
        ("company.employees=many", "company.employees: 'many' is no number."),
        ("company.industry=software_as_a_service", "company.industry is never"),
        ("lead.actoin=demo", "lead.actoin is no fact that a lead can be given; did you mean 'lead.action'."),
    ],
)
def test_a_value_that_no_lead_comes_with_is_told_before_anything_is_decided(
    typed: str, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "roster.yaml"
    path.write_text(ROSTER)
    assert run(["lead", "preview", typed, "--roster", str(path)]) == ExitCode.REFUSED
    assert says in capsys.readouterr().err


@pytest.mark.parametrize("typed", ["company.employees", "=5", "a=[1"])
def test_what_is_no_fact_is_refused(typed: str) -> None:
    with pytest.raises(CommandFailed):
        facts_of([typed])


@pytest.mark.parametrize("typed", ["yesterday", "2026-03-10T14:14:00"])
def test_an_instant_has_a_zone(typed: str) -> None:
    with pytest.raises(CommandFailed, match="--at: ") as failure:
        instant_of(typed)
    assert failure.value.code == ExitCode.USAGE
