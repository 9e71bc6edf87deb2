"""Files of rows that people write (roster, accounts): YAML, JSON, JSONL or CSV, each row checked against its model."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from routing.policy_errors import form_findings, meant
from routing.policy_yaml import Document
from routing.roster_file import Rows, RowsInvalid, read_rows
from streams.cli.exit_code import ExitCode
from streams.cli.failure import CommandFailed, refused
from streams.importer.rows import FileRefused, opened, rows

Row = TypeVar("Row", bound=BaseModel)

PLACED = (".yaml", ".yml", ".json")
"""Formats whose errors can say line and column; JSON is YAML."""
_BETWEEN_WORDS = re.compile("[;,|]")
_FORMATS = ".yaml, .yml, .json, .jsonl and .csv"


def read_entries(path: Path, model: type[Row], section: str, key: str = "id") -> tuple[Row, ...]:
    """Return the rows of the file. section: the key that holds the list where the file is a mapping ("reps").

    CSV is what spreadsheets save: parted by commas, semicolons or tabs, in UTF-8, UTF-16 or Windows-1252. An empty cell
    is an absent field; ";", "," or "|" part the words of a list. Raises CommandFailed with every row that is wrong, up
    to 20: nothing is half taken.
    """
    suffix = path.suffix.lower()
    if suffix in PLACED:
        return placed_entries(path, model, section, key).rows
    entries = _lines(path, model, suffix)
    good: list[Row] = []
    wrong: list[str] = []
    seen: dict[str, str] = {}
    for place, row in entries:
        try:
            good.append(model.model_validate(row))
        except ValidationError as error:
            findings = form_findings(error, Document(row, {}, {}), model)
            wrong.extend(
                f"{place}, {finding.where.path}: {finding.what} {finding.allowed}".strip() for finding in findings
            )
            continue
        name = str(getattr(good[-1], key))
        if name in seen:
            wrong.append(f"{place}: the {key} {name!r} stands twice, first in {seen[name]}. Keep one.")
        seen.setdefault(name, place)
    if wrong:
        raise _with_errors(path, wrong)
    if not good:
        raise refused(f"{path} has no rows.", f"It should hold a list of {section}.")
    return tuple(good)


def placed_entries(path: Path, model: type[Row], section: str, key: str = "id") -> Rows[Row]:
    """Return the rows of a YAML or JSON file with their places. Raises CommandFailed."""
    try:
        return read_rows(_text(path), model, section, key)
    except RowsInvalid as error:
        raise _with_errors(path, [str(finding) for finding in error.findings]) from error


def _with_errors(path: Path, wrong: Sequence[str]) -> CommandFailed:
    more = f"\n  ... and {len(wrong) - 20} more" if len(wrong) > 20 else ""
    listed = "".join(f"\n  {line}" for line in wrong[:20]) + more
    return refused(f"{path} has errors; nothing was written.{listed}", "Correct them and run the command again.")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        what = f"{path} is no UTF-8 text: {error.reason} at byte {error.start}."
        raise refused(what, "Save it as UTF-8.") from error


def _lines(path: Path, model: type[BaseModel], suffix: str) -> list[tuple[str, Any]]:
    if suffix not in (".csv", ".jsonl"):
        what = f"{path}: cannot tell the format from the name."
        raise CommandFailed(what, f"Known: {_FORMATS}. A workbook is saved as CSV UTF-8 first.", ExitCode.USAGE)
    try:
        source = opened(path)
    except FileRefused as error:
        raise refused(f"{path} {error.what}.", error.fix) from error
    named = _columns(path, source.columns, model) if source.format == "csv" else {}
    found = list(rows(source))
    wrong = [f"line {row.number}: {row.problem}." for row in found if row.problem]
    if wrong:
        raise _with_errors(path, wrong)
    return [(f"line {row.number}", _entry(row.fields, named, model) if named else row.fields) for row in found]


def _columns(path: Path, columns: Sequence[str], model: type[BaseModel]) -> dict[str, str]:
    """Return column -> field. Raises CommandFailed for a column that is none, stands twice or fits no cell."""
    fields = model.model_fields
    named: dict[str, str] = {}
    wrong: list[str] = []
    for column in filter(None, columns):
        field = column.lower().replace(" ", "_")
        if column.lower().startswith("sep="):
            wrong.append(f"line 1: {column!r} is for Excel alone. Remove the line.")
        elif field not in fields:
            wrong.append(f"line 1: there is no column {column!r}.{meant(field, tuple(fields))}")
        elif field in named.values():
            wrong.append(f"line 1: the column {column!r} stands twice. Keep one.")
        elif _is_nested(fields[field].annotation):
            wrong.append(f"line 1: a cell cannot hold {field}. Write who has some in a YAML file.")
        named[column] = field
    missing = [name for name, field in fields.items() if field.is_required() and name not in named.values()]
    if missing and not wrong:
        wrong.append(f"line 1: there is no column {', '.join(missing)}, which every row needs.")
    if wrong:
        known = ", ".join(name for name, field in fields.items() if not _is_nested(field.annotation))
        raise _with_errors(path, [*wrong, f"Known columns: {known}."])
    return named


def _is_nested(annotation: Any) -> bool:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return True
    return any(_is_nested(part) for part in get_args(annotation))


def _entry(cells: Mapping[str, str], named: Mapping[str, str], model: type[BaseModel]) -> dict[str, Any]:
    return {named[column]: _value(named[column], cell, model) for column, cell in cells.items()}


def _value(name: str, cell: str, model: type[BaseModel]) -> Any:
    if "tuple" in str(model.model_fields[name].annotation):
        return [word for part in _BETWEEN_WORDS.split(cell) if (word := part.strip())]
    return cell
