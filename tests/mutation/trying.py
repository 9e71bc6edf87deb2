"""Puts one changed place into a fork and tells whether a test notices."""

import ast
import gc
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

from tests.mutation.loading import Loading
from tests.mutation.sites import Site, mutated
from tests.mutation.suite import CANNOT, FAILED, PASSED, Tests, collected, forked, module_name

OUTCOMES = {PASSED: "survived", FAILED: "killed", None: "endless"}
WARM_SECONDS, COLD_SECONDS = 2, 10  # beside the tests
SLOWER = 4  # a change may make a test slower without a loop that never ends


class Warm:
    """Tries changes inside functions in forks of a process that has imported and collected everything.

    A function keeps its identity and gets the changed code, so that whoever imported it by name, wrapped it in a
    property or a cache or handed it to pydantic runs the change too.
    """

    def __init__(self, root: Path, suite: Tests) -> None:
        self.root = root
        self.suite = suite
        self.live: dict[object, list[FunctionType]] = {}
        for thing in gc.get_objects():
            if isinstance(thing, FunctionType) and thing.__code__.co_filename.startswith(str(root / "routing")):
                self.live.setdefault(_place(thing.__code__), []).append(thing)
        gc.collect()
        gc.freeze()  # what is here already is not looked at, so not copied, in any fork

    def outcome(self, site: Site, tests: Sequence[str], seconds: float) -> tuple[str, int, float]:
        """Return what came of it, after how many tests and CPU seconds. "cold" if it can only be tried by importing.

        seconds: what the tests take without a change.
        """
        read, write = os.pipe()

        def run() -> int:
            if not self._put(site):
                return CANNOT
            return self.suite.run(tests, lambda position: _tell(write, position))

        code, used = forked(run, int(seconds * SLOWER) + WARM_SECONDS)
        os.close(write)
        with os.fdopen(read, "rb") as told:
            begun = told.read()
        return OUTCOMES.get(code, "cold"), len(begun), used

    def _put(self, site: Site) -> bool:
        path = self.root / site.path
        source = path.read_text()
        before = list(_codes(compile(source, str(path), "exec")))
        after = list(_codes(compile(mutated(source, site), str(path), "exec")))
        if [code.co_qualname for code in before] != [code.co_qualname for code in after]:
            return False
        for old, new in zip(before, after, strict=True):
            for function in self.live.get(_place(old), []):
                if old.co_freevars != new.co_freevars:
                    return False  # a function keeps the names it closes over
                function.__code__ = new
        return True


def cold(root: Path, site: Site, tests: Sequence[str], seconds: float) -> tuple[str, int, float]:
    """The same for any site, in a fork that imports the changed module and collects the tests itself.

    Nothing of routing/ may have been imported before.
    """
    read, write = os.pipe()

    def change() -> ast.Module:
        return mutated((root / site.path).read_text(), site)

    def work(suite: Tests) -> None:
        os._exit(suite.run(tests, lambda position: _tell(write, position)))

    def run() -> int:
        sys.meta_path.insert(0, Loading({module_name(site.path): (root / site.path, change)}, {}))
        collected(work, tests)
        return FAILED  # the tests could not even be collected

    code, used = forked(run, int(seconds * SLOWER) + COLD_SECONDS)
    os.close(write)
    with os.fdopen(read, "rb") as told:
        begun = told.read()
    return OUTCOMES.get(code, "cold"), len(begun), used


def _tell(write: int, position: int) -> None:
    os.write(write, b".")


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def _place(code: CodeType) -> object:
    """Return what tells a function of a file from all others in it, two lambdas of one line too."""
    return code.co_filename, code.co_qualname, code.co_firstlineno, tuple[Any, ...](code.co_positions())
