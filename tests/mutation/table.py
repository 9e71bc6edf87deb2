"""What came of the tries, as rows and as a table by file."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.mutation.sites import Site

NOTICED = ("killed", "endless")


def latest(results: Path) -> dict[tuple[str, int, int], dict[str, Any]]:
    """Return the last row of every site."""
    lines = results.read_text().splitlines() if results.exists() else []
    rows = (json.loads(line) for line in lines)
    return {(row["path"], row["node"], row["part"]): row for row in rows}


def table(every: Iterable[Site], results: Path) -> str:
    """Return a Markdown table: sites, tried, noticed, survived and unreached by file, and all."""
    sites = Counter(site.path for site in every)
    found: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for row in latest(results).values():
        found[row["path"]][row["outcome"]] += 1
    lines = ["| File | Sites | Tried | Noticed | Survived | Reached by no test |", "|---|---:|---:|---:|---:|---:|"]
    lines += [_line(f"`{path}`", number, found[path]) for path, number in sorted(sites.items())]
    lines.append(_line("all", sites.total(), sum(found.values(), Counter[str]())))
    return "\n".join(lines)


def _line(name: str, number: int, found: Counter[str]) -> str:
    noticed = sum(found[outcome] for outcome in NOTICED)
    cells = [number, found.total() - found["cold"], noticed, found["survived"], found["unreached"]]
    return f"| {name} | " + " | ".join(f"{cell:,}" for cell in cells) + " |"
