"""What a command prints: a table for people, JSON for programs."""

import sys
from collections.abc import Iterable, Sequence
from typing import Annotated, Any

import orjson
import typer
from pydantic import BaseModel
from rich.console import Console
from rich.table import Table

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs instead of text.")]
"""The option that every command has."""


_WIDE = 100_000


def print_json(value: Any) -> None:
    """Print plain data or models as one indented JSON document."""
    body = orjson.dumps(value, default=_plain, option=orjson.OPT_INDENT_2 | orjson.OPT_UTC_Z)
    sys.stdout.write(body.decode() + "\n")


def print_table(columns: Sequence[str], rows: Iterable[Sequence[Any]], empty: str = "Nothing.") -> None:
    """Print `rows` under `columns`; `empty` where there are none. Values are text to rich, never markup.

    On a terminal a long value is folded to its width; for grep and awk each row is one line.
    """
    console = Console() if sys.stdout.isatty() else Console(width=_WIDE, color_system=None)
    told = [[_cell(value) for value in row] for row in rows]
    if not told:
        console.print(empty, markup=False)
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in told:
        table.add_row(*(value.replace("[", "\\[") for value in row))
    console.print(table)


def say(text: str) -> None:
    """Print a line for people."""
    Console().print(text, markup=False, highlight=False, soft_wrap=True)


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", exclude_none=True)
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if isinstance(value, set | frozenset | tuple):
        return list(value)
    return str(value)
