"""Files of rows that people write (roster, accounts): YAML, JSON, JSONL or CSV, each row checked against its model."""

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from streams.cli.failure import CommandFailed, refused

Row = TypeVar("Row", bound=BaseModel)

_FORMATS = ".yaml, .yml, .json, .jsonl and .csv"


def read_entries(path: Path, model: type[Row], section: str) -> tuple[Row, ...]:
    """Return the rows of the file. section: the key that holds the list where the file is a mapping ("reps").

    In CSV an empty cell is an absent field, and ";" separates the values of a list. Raises CommandFailed with every
    row that is wrong, up to 20: nothing is half taken.
    """
    rows = _rows(path, model, section)
    good: list[Row] = []
    wrong: list[str] = []
    for place, row in rows:
        try:
            good.append(model.model_validate(row))
        except ValidationError as error:
            wrong.extend(f"{place}: {problem}" for problem in _problems(error, model))
    if wrong:
        more = f"\n  ... and {len(wrong) - 20} more" if len(wrong) > 20 else ""
        listed = "".join(f"\n  {line}" for line in wrong[:20]) + more
        raise refused(f"{path} has errors; nothing was written.{listed}", "Correct them and run the command again.")
    if not good:
        raise refused(f"{path} has no rows.", f"It should hold a list of {section}.")
    return tuple(good)


def _rows(path: Path, model: type[BaseModel], section: str) -> list[tuple[str, Any]]:
    suffix = path.suffix.lower()
    try:
        text = path.read_text(encoding="utf-8-sig")
        if suffix == ".csv":
            lines = csv.DictReader(text.splitlines())
            return [(f"line {lines.line_num}", _from_cells(row, model)) for row in lines]
        if suffix == ".jsonl":
            return [(f"line {n}", json.loads(line)) for n, line in enumerate(text.splitlines(), 1) if line.strip()]
        if suffix in (".yaml", ".yml", ".json"):
            data = yaml.safe_load(text)  # JSON is YAML
            entries = data.get(section, []) if isinstance(data, dict) else data
            if not isinstance(entries, list):
                raise refused(f"{path} holds no list.", f"Write a list, or a mapping with the key {section}.")
            return [(_place(entry, n, section), entry) for n, entry in enumerate(entries, 1)]
    except (UnicodeDecodeError, json.JSONDecodeError, yaml.YAMLError) as error:
        raise refused(f"{path} cannot be read: {error}", "Save it as UTF-8 text in the format of its name.") from error
    raise CommandFailed(f"{path}: cannot tell the format from the name.", f"Known: {_FORMATS}.")


def _place(entry: Any, number: int, section: str) -> str:
    name = (entry.get("id") or entry.get("domain")) if isinstance(entry, dict) else None
    return f"{section} {number}" + (f" ({name})" if name else "")


def _from_cells(row: dict[str, str | None], model: type[BaseModel]) -> dict[str, Any]:
    return {name: _value(name, cell, model) for name, cell in row.items() if name and cell not in (None, "")}


def _value(name: str, cell: str | None, model: type[BaseModel]) -> Any:
    field = model.model_fields.get(name)
    if field is not None and "tuple" in str(field.annotation):
        return [part.strip() for part in (cell or "").split(";")]
    return cell


def _problems(error: ValidationError, model: type[BaseModel]) -> Sequence[str]:
    known = ", ".join(sorted(model.model_fields))
    return [
        f"{'.'.join(map(str, row['loc'])) or 'row'}: {row['msg']}"
        + (f". Known fields: {known}" if row["type"] == "extra_forbidden" else "")
        for row in error.errors(include_url=False, include_context=False, include_input=False)
    ]
