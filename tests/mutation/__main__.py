"""Change routing/ one place at a time and see whether a test notices.

    python -m tests.mutation reach OUT/reach.json
    python -m tests.mutation run OUT/reach.json OUT/results.jsonl --seconds 120

`reach` notes once which tests reach which line. `run` takes one site of each file, then a second of each and so on,
in a random order that the seed fixes, so that any beginning of it has seen every file; it goes on where the results
end and stops at a site after so many seconds. Each site is one fork that imports the changed module and runs the tests
that reach its line, the quickest first, as many as took MOST_SECONDS together when they were noted: what survives that
is looked at by a person.
"""

import argparse
import json
import random
import time
from collections.abc import Sequence
from dataclasses import asdict
from itertools import zip_longest
from pathlib import Path

from tests.mutation.child import outcome, reached
from tests.mutation.sites import Site, sites

ROOT = Path.cwd()
MOST_SECONDS = 60.0  # as noted under a tracer: about 15 s without


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    reach = commands.add_parser("reach")
    reach.add_argument("out", type=Path)
    run = commands.add_parser("run")
    run.add_argument("reach", type=Path)
    run.add_argument("results", type=Path)
    run.add_argument("--seconds", type=float, default=120)
    run.add_argument("--seed", type=int, default=4)
    run.add_argument("--at", nargs="+", default=[], metavar="FILE:LINE", help="only the sites of these lines")
    arguments = parser.parse_args()
    if arguments.command == "reach":
        arguments.out.write_text(json.dumps(reached(ROOT)))
    else:
        _run(arguments.reach, arguments.results, arguments.seconds, arguments.seed, arguments.at)


def _run(reach: Path, results: Path, seconds: float, seed: int, at: Sequence[str]) -> None:
    found = json.loads(reach.read_text())
    every = _in_turn(
        [list(sites(path, ROOT)) for path in sorted((ROOT / "routing").rglob("*.py"))], random.Random(seed)
    )
    done = len(results.read_text().splitlines()) if results.exists() else 0
    until = time.monotonic() + seconds
    with results.open("a") as out:
        for site in every[done:]:
            if time.monotonic() > until:
                break
            tests = _tests(site, found)
            began = time.monotonic()
            told = outcome(ROOT, site, tests) if tests else "unreached"
            row = {**asdict(site), "tests": len(tests), "seconds": round(time.monotonic() - began, 1), "outcome": told}
            out.write(json.dumps(row) + "\n")
            out.flush()
    rows = [json.loads(line) for line in results.read_text().splitlines()]
    counts = {told: sum(row["outcome"] == told for row in rows) for told in sorted({row["outcome"] for row in rows})}
    print(f"{len(every)} sites, {len(rows)} run: {counts}")


def _in_turn(files: list[list[Site]], chance: random.Random) -> list[Site]:
    """Return one site of each file, then a second of each that has two, and so on."""
    for rows in files:
        chance.shuffle(rows)
    chance.shuffle(files)
    return [site for row in zip_longest(*files) for site in row if site is not None]


def _tests(site: Site, found: dict[str, dict[str, list[str]]]) -> list[str]:
    """Return the tests that reach a site, the quickest first; a line of an import is reached through its module."""
    lines = found["lines"]
    of_line = {test for test in lines.get(f"{site.path}:{site.line}", []) if test}
    if not of_line:
        of_line = {test for at, tests in lines.items() if at.startswith(f"{site.path}:") for test in tests if test}
    chosen: list[str] = []
    left = MOST_SECONDS
    for test in sorted(of_line, key=lambda test: found["seconds"].get(test, 0.0)):
        left -= found["seconds"].get(test, 0.0)
        if chosen and left < 0:
            break
        chosen.append(test)
    return chosen


if __name__ == "__main__":
    main()
