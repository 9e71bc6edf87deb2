"""Files of rows that people write (roster, accounts): YAML, JSON, JSONL or CSV, each row checked against its model."""

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from routing.policy_errors import form_findings
from routing.policy_yaml import Document
from routing.roster_file import Rows, RowsInvalid, read_rows
from streams.cli.failure import CommandFailed, refused

Row = TypeVar("Row", bound=BaseModel)

PLACED = (".yaml", ".yml", ".json")
"""Formats whose errors can say line and column; JSON is YAML."""
_FORMATS = ".yaml, .yml, .json, .jsonl and .csv"


def read_entries(path: Path, model: type[Row], section: str, key: str = "id") -> tuple[Row, ...]:
    """Return the rows of the file. section: the key that holds the list where the file is a mapping ("reps").

    In CSV an empty cell is an absent field, and ";" separates the values of a list. Raises CommandFailed with every
    row that is wrong, up to 20: nothing is half taken.
    """
    suffix = path.suffix.lower()
    if suffix in PLACED:
        return placed_entries(path, model, section, key).rows
    rows = _lines(path, model, suffix)
    good: list[Row] = []
    wrong: list[str] = []
    seen: dict[str, str] = {}
    for place, row in rows:
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
        raise refused(f"{path} is no UTF-8 text: {error.reason} at byte {error.start}.", "Save it as UTF-8.") from error


def _lines(path: Path, model: type[BaseModel], suffix: str) -> list[tuple[str, Any]]:
    text = _text(path)
    if suffix == ".csv":
        lines = csv.DictReader(text.splitlines(), strict=True)  # else a quote without end takes the rows after it along
        try:
            return [(f"line {lines.line_num}", _from_cells(row, model)) for row in lines]
        except csv.Error as error:
            what = f"{path} cannot be read at line {lines.reader.line_num}: {error}"
            raise refused(f"{what}.", "Look for a quote there, or before, that is not closed.") from error
    if suffix == ".jsonl":
        try:
            return [(f"line {n}", json.loads(line)) for n, line in enumerate(text.splitlines(), 1) if line.strip()]
        except json.JSONDecodeError as error:
            raise refused(f"{path} cannot be read: {error}", "Write one JSON object a line.") from error
    raise CommandFailed(f"{path}: cannot tell the format from the name.", f"Known: {_FORMATS}.")


def _from_cells(row: dict[str, str | None], model: type[BaseModel]) -> dict[str, Any]:
    return {name: _value(name, cell, model) for name, cell in row.items() if name and cell not in (None, "")}


def _value(name: str, cell: str | None, model: type[BaseModel]) -> Any:
    field = model.model_fields.get(name)
    if field is not None and "tuple" in str(field.annotation):
        return [part.strip() for part in (cell or "").split(";")]
    return cell
