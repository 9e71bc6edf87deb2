"""Change routing/ one place at a time and see whether a test notices.

    python -m tests.mutation reach OUT/reach.json
    python -m tests.mutation run OUT/reach.json OUT/results.jsonl --seconds 500
    python -m tests.mutation table OUT/results.jsonl

`reach` notes once which tests reach which statement. `run` goes through the files, those of `--files` first, goes on
where the results end, and stops after so many seconds. A change inside a function costs a fork of a process that has
imported and collected everything; one that works when a module is imported, a fork that imports it. A try runs the
tests that reach the statement until the first failure: those of the module's own test file first, then those that
reach the fewest statements, then the quickest, as many as took `--budget` CPU seconds together. What survives that is
tried again by `run --survivors` with a larger budget, and then looked at by a person.
"""

import argparse
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.mutation.reach import reached
from tests.mutation.sites import Site, sites
from tests.mutation.suite import SUITE, Tests, collected, source_files
from tests.mutation.table import latest, table
from tests.mutation.trying import Warm, cold

ROOT = Path.cwd()
Try = Callable[[Site, Sequence[str], float], tuple[str, int, float]]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    reach = commands.add_parser("reach")
    reach.add_argument("out", type=Path)
    reach.add_argument("--tests", nargs="+", default=SUITE)
    run = commands.add_parser("run")
    run.add_argument("reach", type=Path)
    run.add_argument("results", type=Path)
    run.add_argument("--tests", nargs="+", default=SUITE)
    run.add_argument("--seconds", type=float, default=500)
    run.add_argument("--budget", type=float, default=2.0)
    run.add_argument("--survivors", action="store_true", help="those that survived a smaller budget, not new ones")
    run.add_argument("--files", nargs="+", default=[], metavar="NAME", help="files whose sites are tried first")
    run.add_argument("--at", nargs="+", default=[], metavar="FILE:LINE", help="only the sites of these lines, anew")
    told = commands.add_parser("table")
    told.add_argument("results", type=Path)
    arguments = parser.parse_args()
    if arguments.command == "reach":
        sys.exit(_apart(lambda: reached(ROOT, arguments.out, arguments.tests)))
    elif arguments.command == "run":
        Run(arguments).go()
    else:
        print(table([site for path in source_files(ROOT) for site in sites(path, ROOT)], arguments.results))


class Run:
    """One piece of the whole: what is to be tried, and the results as they come."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.results: Path = arguments.results
        self.suite: list[str] = arguments.tests
        self.budget: float = arguments.budget
        self.until = time.monotonic() + arguments.seconds
        found = json.loads(arguments.reach.read_text())
        self.tests: list[str] = found["tests"]
        self.cost: list[float] = found["seconds"]
        self.statements: dict[str, list[int]] = found["statements"]
        self.breadth = Counter(test for tests in self.statements.values() for test in tests)
        self.imported = set(found["imported"])
        self.seen = latest(self.results)
        files = {name: place for place, name in enumerate(arguments.files)}
        every = [site for path in source_files(ROOT) for site in sites(path, ROOT)]
        every.sort(key=lambda site: files.get(Path(site.path).name, len(files)))
        self.sites = [site for site in every if self._wanted(site, arguments)]

    def _wanted(self, site: Site, arguments: argparse.Namespace) -> bool:
        if arguments.at:
            return f"{site.path}:{site.line}" in arguments.at
        row = self.seen.get(key(asdict(site)))
        if arguments.survivors:
            return row is not None and row["outcome"] == "survived" and row["budget"] < self.budget
        return row is None

    def go(self) -> None:
        """Try those of functions in one forked process, then the others and what that one could not try."""
        warm = [site for site in self.sites if site.in_function and not self._was_cold(site)]

        def work(suite: Tests) -> None:
            trying = Warm(ROOT, suite)
            self._all(warm, trying.outcome, "warm")

        if warm and _apart(lambda: int(collected(work, self.suite))):
            sys.exit("the tests could not be collected, see above")
        self.seen = latest(self.results)
        rest = [site for site in self.sites if not site.in_function or self._was_cold(site)]
        self._all(rest, lambda site, tests, seconds: cold(ROOT, site, tests, seconds), "cold")

    def _was_cold(self, site: Site) -> bool:
        row = self.seen.get(key(asdict(site)))
        return row is not None and (row["way"] == "cold" or row["outcome"] == "cold")

    def _all(self, rows: list[Site], attempt: Try, way: str) -> None:
        with self.results.open("a") as out:
            for site in rows:
                if time.monotonic() > self.until:
                    break
                out.write(json.dumps(self._row(site, attempt, way)) + "\n")
                out.flush()

    def _row(self, site: Site, attempt: Try, way: str) -> dict[str, Any]:
        chosen = self._chosen(site)
        row = {**asdict(site), "way": way, "budget": self.budget, "tests": len(chosen)}
        if not chosen:
            return {**row, "outcome": "unreached"}
        seconds = sum(self.cost[number] for number in chosen)
        outcome, begun, used = attempt(site, [self.tests[number] for number in chosen], seconds)
        if outcome == "survived" and way == "warm" and f"{site.path}:{site.statement}" in self.imported:
            outcome = "cold"  # what it made while the tests were imported was made without the change
        if outcome == "killed" and begun:
            row["by"] = self.tests[chosen[begun - 1]]
        return {**row, "outcome": outcome, "begun": begun, "seconds": round(used, 2)}

    def _chosen(self, site: Site) -> list[int]:
        """Return the tests that reach a site; one of no statement in a function is reached through its file."""
        at = f"{site.path}:{site.statement}"
        reach = self.statements.get(at)
        if reach is None or (not reach and at in self.imported):
            reach = sorted({test for at, tests in self.statements.items() if _file(at) == site.path for test in tests})
            reach = reach or list(range(len(self.tests)))
        return list(self._affordable(sorted(reach, key=lambda test: self._place(site.path, test))))

    def _place(self, path: str, test: int) -> tuple[bool, int, float]:
        """Tests of the module's own file come first, then those that reach the fewest statements, then the quickest."""
        file = Path(self.tests[test].partition("::")[0]).stem.removeprefix("test_")
        module = Path(path).stem
        return not (file.startswith(module) or module.startswith(file)), self.breadth[test], self.cost[test]

    def _affordable(self, ordered: list[int]) -> Iterator[int]:
        left = self.budget
        for test in ordered:
            if left <= 0:
                return
            left -= self.cost[test]
            yield test


def key(row: dict[str, Any]) -> tuple[str, int, int]:
    """Return what tells one site's row from another's."""
    return row["path"], row["node"], row["part"]


def _file(statement: str) -> str:
    return statement.rpartition(":")[0]


def _apart(run: Callable[[], int]) -> int:
    """Run in a fork, so that this process stays without an import of routing; return its exit code."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            code = run()
        finally:
            sys.stdout.flush()
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


if __name__ == "__main__":
    main()
