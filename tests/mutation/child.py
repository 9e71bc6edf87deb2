"""A fork that runs tests over one changed module. Nothing of ours but `schemas` is imported before it."""

import importlib.abc
import importlib.util
import json
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

import hypothesis
import pytest

import schemas.export  # imported once, before any fork  # noqa: F401
from tests.mutation.reach import Reach
from tests.mutation.sites import Site, mutated

SUITE = (
    "tests/unit/routing",
    "tests/property",
    "tests/worked",
    "tests/contract/test_strategies.py",
    "tests/unit/streams/stages",
    "tests/unit/streams/test_division_metrics.py",
    "tests/unit/streams/audit",
)
# hypothesis is loaded before the fork, so that each child saves the second it takes.
UNREWRITTEN = "ignore::pytest.PytestAssertRewriteWarning"
# Else pytest would load `plain_test.py`, by its name a test module, itself.
QUIET = (
    "-q",
    "-p",
    "no:cacheprovider",
    "-p",
    "no:xdist",
    "-o",
    "python_files=test_*.py",
    "--no-header",
    "--tb=no",
    "-W",
    UNREWRITTEN,
)
# A change that makes a loop endless counts as noticed.
LIMIT_SECONDS = 150


def reached(root: Path) -> dict[str, Any]:
    """Run the suite once and return the tests by line, and each one's seconds."""
    with tempfile.NamedTemporaryFile("r", suffix=".json") as out:

        def note() -> int:
            reach = Reach(root / "routing")
            reach.start()
            code = pytest.main([*SUITE, *QUIET], plugins=[reach])
            sys.settrace(None)
            lines = {
                f"{Path(name).relative_to(root)}:{line}": sorted(tests) for (name, line), tests in reach.lines.items()
            }
            Path(out.name).write_text(json.dumps({"lines": lines, "seconds": reach.seconds}))
            return code

        if _forked(note, 1800) != 0:
            raise SystemExit("the suite fails without any change: mend that first")
        return json.loads(out.read())


def outcome(root: Path, site: Site, tests: Sequence[str]) -> str:
    """Return "killed", "survived" or "endless"."""

    def run() -> int:
        sys.meta_path.insert(0, Changed(root, site))
        hypothesis.settings.register_profile(
            "mutation",
            derandomize=True,
            database=None,
            deadline=None,
            phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
            suppress_health_check=list(hypothesis.HealthCheck),
        )
        hypothesis.settings.load_profile("mutation")
        return pytest.main([*tests, *QUIET, "-x"])

    code = _forked(run, LIMIT_SECONDS)
    return {0: "survived", None: "endless"}.get(code, "killed")


class Changed(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives the changed module for its name, and leaves all others alone."""

    def __init__(self, root: Path, site: Site) -> None:
        self.path = root / site.path
        self.site = site
        self.name = site.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")

    def find_spec(self, fullname: str, path: Any, target: ModuleType | None = None) -> ModuleSpec | None:
        if fullname != self.name:
            return None
        return importlib.util.spec_from_file_location(fullname, self.path, loader=self)

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(mutated(self.path.read_text(), self.site), str(self.path), "exec"), module.__dict__)


def _forked(run: Callable[[], int], seconds: int) -> int | None:
    """Return the exit code of what runs in a child without output, or None if it took too long."""
    child = os.fork()
    if child == 0:
        silent = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silent, 1)
        os.dup2(silent, 2)
        signal.alarm(seconds)
        code = 70
        try:
            code = int(run())
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    return None if os.WIFSIGNALED(status) else os.waitstatus_to_exitcode(status)
