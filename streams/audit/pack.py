"""A pack: a page to read and tables to work through, written as Markdown and CSV."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_READ = 12  # rows of a table that the page shows; the CSV has all


@dataclass(frozen=True, slots=True)
class Table:
    """One table. name: of its file. says: what to look for. rows: the most remarkable first."""

    name: str
    title: str
    says: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Pack:
    """One pack. name: of its folder. opening: a few sentences."""

    name: str
    title: str
    opening: str
    tables: Sequence[Table]


def write(pack: Pack, folder: Path) -> list[Path]:
    """Write the pack into `folder/name` and return the files. What is there is replaced."""
    place = folder / pack.name
    place.mkdir(parents=True, exist_ok=True)
    page = place / "README.md"
    page.write_text(markdown(pack))
    files = [page]
    for table in pack.tables:
        file = place / f"{table.name}.csv"
        file.write_text(comma_separated(table))
        files.append(file)
    return files


def markdown(pack: Pack) -> str:
    """Return the page: each table's first rows, and where the rest is."""
    parts = [f"# {pack.title}", pack.opening]
    for table in pack.tables:
        parts += [f"## {table.title}", table.says]
        if not table.rows:
            parts.append("Nothing.")
            continue
        head = [" | ".join(table.columns), " | ".join("---" for _ in table.columns)]
        body = [" | ".join(_cell(value) for value in row) for row in table.rows[:_READ]]
        parts.append("\n".join(f"| {line} |" for line in (*head, *body)))
        if len(table.rows) > _READ:
            parts.append(f"{len(table.rows) - _READ} more in {table.name}.csv.")
    return "\n\n".join(parts) + "\n"


def comma_separated(table: Table) -> str:
    """Return the table as CSV. A text that a spreadsheet would take for a formula begins with an apostrophe."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(table.columns)
    writer.writerows([[_safe(value) for value in row] for row in table.rows])
    return out.getvalue()


def share(part: float, whole: float) -> str:
    """Return a share as "83%", "-" of nothing."""
    return f"{round(part / whole * 100)}%" if whole else "-"


def _safe(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@") and len(value) > 1 else value


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value).replace("|", "\\|").replace("\n", " ")
