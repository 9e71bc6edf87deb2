"""The laws of a run as a table on the terminal, and the first of what broke them."""

from collections.abc import Iterable

from rich.console import Console
from rich.table import Table

from tests.chaos.laws import Verdict

SHOWN = 5  # violations of a law


def print_verdicts(console: Console, verdicts: Iterable[Verdict]) -> None:
    """Print each law with how much was checked, then what broke it."""
    found = tuple(verdicts)
    table = Table("law", "checked", "violations")
    for one in found:
        table.add_row(one.law, f"{one.checked:,}", f"{len(one.violations):,}")
    console.print(table)
    for one in found:
        for violation in one.violations[:SHOWN]:
            console.print(f"{violation.law}: {violation.what}", highlight=False, markup=False)
