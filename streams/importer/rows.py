"""The rows of a CSV or JSONL file, each with its number, readable or not. Lazy: a file may be larger than memory."""

import csv
import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from streams.importer.columns import NAMES, normalised
from streams.importer.text import encoding_of

_DELIMITERS = (",", ";", "\t", "|")
# A field of a whole chat transcript is fine; a quote that is never closed must not swallow the file.
FIELD_MAX_CHARS = 500_000


_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")  # .xlsx and .ods are zip archives; .xls is an OLE file
_HEAD_BYTES = 8_192


class FileRefused(Exception):
    """No lead can be read from the file. what: one sentence without the file's name. fix: what to do."""

    def __init__(self, what: str, fix: str) -> None:
        super().__init__(what)
        self.what = what
        self.fix = fix


@dataclass(frozen=True, slots=True)
class Row:
    """One row. number: line where it starts, from 1. fields: column -> value; problem: why there are none."""

    number: int
    fields: dict[str, Any]
    problem: str = ""


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file of leads. format: "csv" or "jsonl". delimiter: of CSV. columns: of CSV, in order."""

    path: Path
    format: str
    encoding: str
    delimiter: str = ""
    columns: tuple[str, ...] = ()


def opened(path: Path) -> SourceFile:
    """Return what `path` is. JSONL by its name (.jsonl, .ndjson) or by its first character, else CSV.

    Raises FileRefused for a workbook, anything else that is no text, an empty file, and a header that has no end.
    """
    encoding = encoding_of(path)
    _require_text(path, encoding)
    with path.open(encoding=encoding, newline="", errors="replace") as file:
        head = file.readline(FIELD_MAX_CHARS)
        if path.suffix.lower() in (".jsonl", ".ndjson") or head.lstrip().startswith("{"):
            return SourceFile(path, "jsonl", encoding)
        delimiter = _delimiter(head)
        file.seek(0)
        header = _header(file, delimiter)
    return SourceFile(path, "csv", encoding, delimiter, tuple(column.strip() for column in header))


def _require_text(path: Path, encoding: str) -> None:
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    if not head.strip():
        raise FileRefused("is empty", "Save the list again: a header line, then its rows.")
    if head.startswith(_WORKBOOKS):
        raise FileRefused("is a workbook, not CSV", "Save it from the spreadsheet as CSV UTF-8, and import that.")
    if b"\0" in head and encoding != "utf-16":
        raise FileRefused("is no text: it holds zero bytes", "Save it as CSV or JSON lines in UTF-8.")


def _header(file: TextIO, delimiter: str) -> list[str]:
    reader = csv.reader(file, delimiter=delimiter, strict=True)
    try:
        return next(reader, [])
    except csv.Error as error:
        what = f"has no readable header line: {error}, in line {reader.line_num}"
        raise FileRefused(what, "Look for a quote in it that is not closed.") from error


def rows(source: SourceFile) -> Iterator[Row]:
    """Yield every row but the header and blank lines, the unreadable ones with their problem."""
    return _json_rows(source) if source.format == "jsonl" else _csv_rows(source)


def _delimiter(header: str) -> str:
    """Return the delimiter that gives the most columns we know, then the most columns."""
    known = {normalised(name) for field, names in NAMES.items() for name in (field, *names)}

    def columns(delimiter: str) -> list[str]:
        return next(csv.reader([header], delimiter=delimiter), [])

    return max(_DELIMITERS, key=lambda d: (sum(normalised(c) in known for c in columns(d)), len(columns(d))))


def _csv_rows(source: SourceFile) -> Iterator[Row]:
    with source.path.open(encoding=source.encoding, newline="", errors="replace") as file:
        csv.field_size_limit(FIELD_MAX_CHARS)
        # Strict: else a quote that is not closed makes one row of all up to the next quote, and their leads are lost.
        reader = csv.reader(file, delimiter=source.delimiter, strict=True)
        with suppress(StopIteration):
            next(reader)
        while True:
            number = reader.line_num + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield Row(number, {}, _problem(number, reader.line_num, error))
                continue
            if any(cell.strip() for cell in cells):
                yield _csv_row(number, cells, source.columns)


def _problem(first: int, last: int, error: csv.Error) -> str:
    if last <= first:
        return f"unreadable CSV: {error}"
    return f"a quote in line {first} is not closed, so lines {first} to {last} are one row and none is sent: {error}"


def _csv_row(number: int, cells: list[str], columns: tuple[str, ...]) -> Row:
    if any(cell.strip() for cell in cells[len(columns) :]):
        return Row(number, {}, f"{len(cells)} cells under {len(columns)} columns: a delimiter is not quoted")
    pairs = zip(columns, (cell.strip() for cell in cells), strict=False)
    return Row(number, {column: cell for column, cell in pairs if column and cell})


def _json_rows(source: SourceFile) -> Iterator[Row]:
    with source.path.open(encoding=source.encoding, errors="replace") as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                yield _json_row(number, line)


def _json_row(number: int, line: str) -> Row:
    try:
        fields = json.loads(line, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        return Row(number, {}, f"no JSON: {getattr(error, 'msg', error)}")
    if not isinstance(fields, dict):
        return Row(number, {}, f"a row is a JSON object, this is a {type(fields).__name__}")
    return Row(number, {name: value for name, value in fields.items() if value not in (None, "")})


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")
