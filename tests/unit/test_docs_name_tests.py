"""A test that a page of the docs names is there."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NAMED = re.compile(r"\b(tests/[\w/]+\.py)(?:::(\w+))?")
PAGES = sorted(page for page in (ROOT / "docs").rglob("*.md") if NAMED.search(page.read_text()))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_test_that_a_page_names_exists(page: Path) -> None:
    missing = [
        "::".join(part for part in (file, name) if part)
        for file, name in NAMED.findall(page.read_text())
        if not (ROOT / file).is_file() or (name and name not in _tests_of(ROOT / file))
    ]
    assert missing == []


def test_each_race_of_a_wake_up_names_the_test_that_forces_it() -> None:
    table = (ROOT / "docs/exactly-once.md").read_text().split("## Races of a wake-up", 1)[1].split("###", 1)[0]
    rows = [line for line in table.splitlines() if line.startswith("| ")][1:]
    assert len(rows) > 15
    assert [row for row in rows if not re.search(r"\.py::test_", row)] == []


def _tests_of(file: Path) -> set[str]:
    return {
        node.name
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
