"""The tests that a change of routing/ is tried on, collected once in a process that every try is forked from."""

import gc
import os
import resource
import signal
import sys
import tempfile
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path

import hypothesis
import pytest

SUITE = (
    "tests/unit/routing",
    "tests/property",
    "tests/worked",
    "tests/contract/test_strategies.py",
    "tests/unit/streams/stages",
    "tests/unit/streams/board/test_views.py",
    "tests/unit/streams/demo/test_promise.py",
    "tests/unit/streams/test_division_metrics.py",
    "tests/unit/streams/audit",
    # It compares with processes of its own, which would run the unchanged code: any change would look noticed.
    "--ignore=tests/property/test_decide_processes.py",
)
# Else pytest would rewrite `plain_test.py`, by its name a test module, itself; and a fork needs no second capture.
OPTIONS = (
    "-p",
    "no:terminal",  # its dots come from forks too
    "-o",
    "addopts=",
    "-p",
    "no:cacheprovider",
    "-p",
    "no:xdist",
    "-o",
    "python_files=test_*.py",
    "-o",
    "timeout=0",
    "-W",
    "ignore::pytest.PytestAssertRewriteWarning",
)
PASSED, FAILED, CANNOT = 0, 1, 3
MOST_WALL_SECONDS = 240

CACHED = type(lru_cache(len))


class Tests:
    """What was collected, to be run in forks of this process."""

    def __init__(self, items: Sequence[pytest.Item]) -> None:
        self.items = {item.nodeid: item for item in items}
        self.caches = [thing for thing in gc.get_objects() if isinstance(thing, CACHED)]

    def run(self, tests: Sequence[str], began: Callable[[int], None]) -> int:
        """Run these in this process, a fork, which ends at the first that fails. `began` is told each position."""
        for cache in self.caches:
            cache.cache_clear()  # what was worked out while the tests were imported
        items = [self.items[test] for test in tests]
        for position, (item, after) in enumerate(zip(items, [*items[1:], None], strict=True)):
            began(position)
            item.ihook.pytest_runtest_protocol(item=item, nextitem=after)
        return PASSED


Work = Callable[[Tests], None]


class Collected:
    """A pytest plugin that hands what was collected to the work instead of running it. A fork ends at a failure."""

    def __init__(self, work: Work) -> None:
        self.work = work
        self.broken: list[str] = []

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.broken.append(f"{report.nodeid}: {report.longreprtext}")

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        if self.broken:
            return True
        self.work(Tests(session.items))
        return True

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> None:
        if call.excinfo is not None and not call.excinfo.errisinstance(pytest.skip.Exception):
            os._exit(FAILED)


def collected(work: Work, tests: Sequence[str]) -> int:
    """Collect the tests in this process, do the work with them and return pytest's exit code."""
    hypothesis.settings.register_profile(
        "mutation",
        derandomize=True,
        database=None,
        deadline=None,
        phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    plugin = Collected(work)
    with tempfile.TemporaryDirectory() as folder:
        # named here, so that it is loaded after the profile of tests/conftest.py
        options = (*OPTIONS, "--hypothesis-profile=mutation", f"--basetemp={folder}/tests")
        code = pytest.main([*tests, *options], plugins=[plugin])
    for said in plugin.broken:
        print(said, file=sys.stderr)
    return code


def forked(run: Callable[[], int], cpu_seconds: int) -> tuple[int | None, float]:
    """Return what a silent fork gave, None if a signal ended it (a loop without an end), and its CPU seconds."""
    child = os.fork()
    if child == 0:
        code = CANNOT
        try:
            silent = os.open(os.devnull, os.O_WRONLY)
            os.dup2(silent, 1)
            os.dup2(silent, 2)
            resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            signal.alarm(MOST_WALL_SECONDS)
            code = run()
        except BaseException as error:  # said by the exit code; a fork must never return into its parent's stack
            print(repr(error), file=sys.stderr)
        finally:
            os._exit(code)
    _, status, used = os.wait4(child, 0)
    ended = None if os.WIFSIGNALED(status) else os.waitstatus_to_exitcode(status)
    return ended, used.ru_utime + used.ru_stime


def module_name(path: str) -> str:
    """Return the name that a file of the source tree is imported by."""
    return path.removesuffix(".py").replace("/", ".")


def source_files(root: Path) -> list[Path]:
    """Return the files under test."""
    return sorted(path for path in (root / "routing").rglob("*.py") if path.name != "__init__.py")
