"""The tool that changes routing/ to see whether a test notices, over a small tree of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SAMPLE = """
from functools import lru_cache

SHARE = 3

def half(number):
    return number // 2

@lru_cache
def part(number):
    return number // SHARE

def least(first, second):
    return first if first < second else second

def rest(number):
    while number > 0:
        number = number - 1
    return number

def unused(number):
    return number + 1

TABLE = {"twice": lambda number: number * 2, "more": lambda number: number + 1}
"""
CHECKS = """
from routing.sample import TABLE, half, least, part, rest

KEPT = part(9)

def test_a_name_imported_before_the_change_runs_it():
    assert half(8) == 4

def test_what_a_cache_held_before_the_change_is_forgotten():
    assert part(9) == 3

def test_the_order_of_equals_is_not_told():
    assert least(1, 2) == 1 and least(2, 1) == 1 and least(1, 1) == 1

def test_a_loop_ends():
    assert rest(3) == 0

def test_lambdas_of_one_line_are_told_apart():
    assert TABLE["twice"](3) == 6 and TABLE["more"](3) == 4
"""


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What came of each change of the sample, by line and change."""
    root = tmp_path_factory.mktemp("tree")
    (root / "routing").mkdir()
    (root / "routing" / "__init__.py").touch()
    (root / "routing" / "sample.py").write_text(SAMPLE)
    (root / "checks").mkdir()
    (root / "checks" / "test_sample.py").write_text(CHECKS)
    for command in (["reach", "reach.json"], ["run", "reach.json", "results.jsonl"]):
        subprocess.run(
            [sys.executable, "-m", "tests.mutation", *command, "--tests", "checks"],
            cwd=root,
            env=os.environ | {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
            check=True,
            capture_output=True,
        )
    rows = [json.loads(line) for line in (root / "results.jsonl").read_text().splitlines()]
    lines = SAMPLE.splitlines()
    return {f"{lines[row['line'] - 1].strip()}: {row['change']}": row["outcome"] for row in rows}


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        pytest.param("return number // 2: FloorDiv -> Mult", "killed", id="a name imported elsewhere"),
        pytest.param("return number // SHARE: FloorDiv -> Mult", "killed", id="behind a cache, run at import"),
        pytest.param("SHARE = 3: 3 -> 4", "killed", id="a value set at import"),
        pytest.param("return first if first < second else second: Lt -> LtE", "survived", id="an equivalent change"),
        pytest.param("number = number - 1: Sub -> Add", "endless", id="a loop without an end"),
        pytest.param("return number + 1: Add -> Sub", "unreached", id="a function no test calls"),
    ],
)
def test_a_change_is_noticed_or_not(outcomes: dict[str, str], change: str, outcome: str) -> None:
    assert outcomes[change] == outcome


def test_both_lambdas_of_a_line_are_changed_each_alone(outcomes: dict[str, str]) -> None:
    line = next(line for line in SAMPLE.splitlines() if line.startswith("TABLE"))
    assert {outcomes[f"{line}: {change}"] for change in ("Mult -> FloorDiv", "Add -> Sub")} == {"killed"}
