"""Reading lead files of every usual make."""

from pathlib import Path

import pytest

from streams.importer.rows import FileRefused, opened, rows


@pytest.mark.parametrize(
    ("encoding", "told"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8-sig"),
        ("utf-16", "utf-16"),
        ("cp1252", "cp1252"),
    ],
)
def test_a_file_is_read_in_the_encoding_it_is_in(tmp_path: Path, encoding: str, told: str) -> None:
    path = tmp_path / "leads.csv"
    path.write_bytes("Email,Company\nzoë@müller.example,Müller & Söhne\n".encode(encoding))
    source = opened(path)
    assert source.encoding == told
    (row,) = rows(source)
    assert row.fields == {"Email": "zoë@müller.example", "Company": "Müller & Söhne"}


def test_bytes_that_only_latin_1_has_are_read_as_latin_1(tmp_path: Path) -> None:
    path = tmp_path / "leads.csv"
    path.write_bytes(b"Email,Company\na@b.example,x\x81y\n")
    assert opened(path).encoding == "latin-1"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"], ids=["comma", "semicolon", "tab", "bar"])
def test_the_delimiter_is_found_from_the_header(tmp_path: Path, delimiter: str) -> None:
    path = tmp_path / "leads.csv"
    path.write_text(delimiter.join(['"First, Name"', "Email"]) + "\n" + delimiter.join(["Ada", "a@b.example"]) + "\n")
    source = opened(path)
    assert source.delimiter == delimiter
    assert [row.fields["Email"] for row in rows(source)] == ["a@b.example"]


def test_quotes_line_breaks_and_blank_lines_are_understood(tmp_path: Path) -> None:
    path = tmp_path / "leads.csv"
    path.write_text('Email,Message\na@b.example,"one\ntwo, ""three"""\n\n,,\nc@d.example,x\n')
    found = list(rows(opened(path)))
    assert [(row.number, row.fields.get("Message")) for row in found] == [(2, 'one\ntwo, "three"'), (6, "x")]


def test_a_row_with_a_cell_too_many_says_so_and_the_next_is_read(tmp_path: Path) -> None:
    path = tmp_path / "leads.csv"
    path.write_text("Email,Company\na@b.example,Acme, Inc.\nc@d.example,Beta\n")
    first, second = rows(opened(path))
    assert "3 cells under 2 columns" in first.problem
    assert second.fields["Company"] == "Beta"


def test_a_short_row_has_the_fields_that_it_has(tmp_path: Path) -> None:
    path = tmp_path / "leads.csv"
    path.write_text("Email,Company,Country\na@b.example\n")
    (row,) = rows(opened(path))
    assert row.fields == {"Email": "a@b.example"}


def test_json_lines_are_read_and_the_broken_ones_told(tmp_path: Path) -> None:
    path = tmp_path / "leads.jsonl"
    path.write_text('{"email": "a@b.example"}\n\n{"email": \n[1]\n{"score": NaN}\n{"email": "c@d.example"}\n')
    found = list(rows(opened(path)))
    assert [(row.number, bool(row.problem)) for row in found] == [
        (1, False),
        (3, True),
        (4, True),
        (5, True),
        (6, False),
    ]


def test_a_file_with_a_header_alone_has_no_rows(tmp_path: Path) -> None:
    path = tmp_path / "leads.csv"
    path.write_text("Email,Company\n")
    assert list(rows(opened(path))) == []


def test_a_quote_that_is_not_closed_swallows_no_lead_in_silence(tmp_path: Path) -> None:
    path = tmp_path / "leads.csv"
    path.write_text('Email,Company\na@b.example,"Acme\nc@d.example,Beta\ne@f.example,"Gamma"\ng@h.example,Delta\n')
    broken, after = rows(opened(path))
    assert broken.number == 2
    assert "lines 2 to 4 are one row and none is sent" in broken.problem
    assert after.fields["Email"] == "g@h.example"


def test_a_quote_that_is_never_closed_is_told_with_where_it_was_opened(tmp_path: Path) -> None:
    path = tmp_path / "leads.csv"
    path.write_text('Email,Company\na@b.example,Acme\nc@d.example,"Beta\ne@f.example,Gamma\n')
    good, broken = rows(opened(path))
    assert good.fields["Email"] == "a@b.example"
    assert "a quote in line 3 is not closed, so lines 3 to 4 are one row" in broken.problem


@pytest.mark.parametrize(
    ("content", "told"),
    [
        pytest.param(b"", "is empty", id="nothing"),
        pytest.param(b" \r\n\r\n", "is empty", id="blank lines"),
        pytest.param(b"PK\x03\x04\x14\x00\x06\x00", "is a workbook", id="a workbook of today"),
        pytest.param(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "is a workbook", id="an old workbook"),
        pytest.param(b"Email,Company\na@b.example,\x00\x01\n", "is no text", id="zero bytes"),
        pytest.param(b'Email,"Company\na@b.example,Acme\n', "no readable header line", id="a header without end"),
    ],
)
def test_a_file_that_no_lead_can_be_read_from_is_refused(tmp_path: Path, content: bytes, told: str) -> None:
    path = tmp_path / "leads.csv"
    path.write_bytes(content)
    with pytest.raises(FileRefused, match=told) as refusal:
        opened(path)
    assert refusal.value.fix
