from pathlib import Path

import pytest

from schemas.account import Account
from schemas.rep import Rep
from streams.cli.entries import read_entries
from streams.cli.exit_code import ExitCode
from streams.cli.failure import CommandFailed
from streams.cli.pause import pause_between


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param('acme.example,"Acme\nbeta.example,Beta\n', id="to the end of the file"),
        pytest.param('acme.example,"Acme\nbeta.example,"Beta"\n', id="to the next quote"),
    ],
)
def test_a_quote_without_an_end_takes_no_row_along_in_silence(tmp_path: Path, rows: str) -> None:
    path = tmp_path / "accounts.csv"
    path.write_text("domain,name\n" + rows)
    with pytest.raises(CommandFailed, match="line 2: a quote in line 2 is not closed") as failure:
        read_entries(path, Account, "accounts", "domain")
    assert failure.value.code == ExitCode.REFUSED
    assert failure.value.fix == "Correct them and run the command again."


@pytest.mark.parametrize(
    "written",
    [
        pytest.param(b"id,name,languages\nr1,J\xc3\xbcrgen,de;en\n", id="commas"),
        pytest.param(b"id;name;languages\r\nr1;J\xc3\xbcrgen;de,en\r\n", id="semicolons and CRLF"),
        pytest.param(b'\xef\xbb\xbfID,Name,Languages\r\nr1,J\xc3\xbcrgen,"de, en"\r\n', id="a byte order mark"),
        pytest.param("id\tname\tlanguages\nr1\tJürgen\tde|en\n".encode("utf-16"), id="Unicode text of Excel"),
        pytest.param("id;name;languages\nr1;Jürgen;de,en\n".encode("cp1252"), id="Windows-1252"),
        pytest.param(b"id,name,languages\n\n,,\n r1 , J\xc3\xbcrgen ,de;en\n", id="blank rows and spaces"),
    ],
)
def test_a_roster_is_read_as_spreadsheets_save_it(tmp_path: Path, written: bytes) -> None:
    path = tmp_path / "roster.csv"
    path.write_bytes(written)
    assert [(one.id, one.name, one.languages) for one in read_entries(path, Rep, "reps")] == [
        ("r1", "Jürgen", ("de", "en"))
    ]


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("id,Full Name\nr1,Ann\n", "line 1: there is no column 'Full Name'. Did you mean 'name'?"),
        ("name,role\nAnn,ae\n", "line 1: there is no column id, which every row needs."),
        ("id,name,name\nr1,Ann,Bob\n", "line 1: the column 'name' stands twice."),
        ("id,name,ramp\nr1,Ann,0.5\n", "line 1: a cell cannot hold ramp."),
        ("id,name\nr1,Ann,more\n", "line 2: 3 cells under 2 columns"),
        ("id,name\nr1,Ann\n\nr1,Bob\n", "line 4: the id 'r1' stands twice, first in line 2."),
        ("id,name,joined_on\nr1,Ann,24.12.2026\n", "line 2, joined_on: '24.12.2026' is no date."),
        ("id,name,joined_on\nr1,Ann,46380\n", "It may be a spreadsheet's number for 2026-12-24"),
        ('id,name,weight\nr1,Ann,"1,5"\n', "line 2, weight: '1,5' is no number. Decimals have a point: 1.5."),
        ("sep=;\nid;name\nr1;Ann\n", "is for Excel alone. Remove the line."),
        ("PK\x03\x04rest", "is a workbook, not CSV"),
        ("", "is empty"),
    ],
)
def test_what_is_wrong_with_a_table_is_said_once_with_its_line(tmp_path: Path, written: str, says: str) -> None:
    path = tmp_path / "roster.csv"
    path.write_text(written)
    with pytest.raises(CommandFailed) as failure:
        read_entries(path, Rep, "reps")
    assert says in failure.value.what
    assert failure.value.what.count(says) == 1
    assert failure.value.code == ExitCode.REFUSED


@pytest.mark.parametrize(
    ("written", "says"),
    [('{"id": "r1", "name": "A"}\n{bad\n', "line 2: no JSON"), ("[1]\n", "line 1: a row is a JSON object")],
)
def test_a_line_that_is_no_object_is_told_by_its_number(tmp_path: Path, written: str, says: str) -> None:
    path = tmp_path / "roster.jsonl"
    path.write_text(written)
    with pytest.raises(CommandFailed, match=says):
        read_entries(path, Rep, "reps")


def test_a_file_of_another_kind_is_an_error_of_usage(tmp_path: Path) -> None:
    path = tmp_path / "roster.xlsx"
    path.write_bytes(b"PK\x03\x04")
    with pytest.raises(CommandFailed, match="cannot tell the format") as failure:
        read_entries(path, Rep, "reps")
    assert (failure.value.code, "CSV UTF-8" in failure.value.fix) == (ExitCode.USAGE, True)


@pytest.mark.parametrize("every", ["x", "5", "0s"])
def test_a_pause_that_is_none_is_an_error_of_usage(every: str) -> None:
    with pytest.raises(CommandFailed, match="--every") as failure:
        pause_between(every)
    assert failure.value.code == ExitCode.USAGE
