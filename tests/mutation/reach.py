"""Which tests reach which statement of the code under test, and how long each takes."""

import ast
import json
import mmap
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.mutation.loading import Loading
from tests.mutation.sites import FUNCTIONS
from tests.mutation.suite import PASSED, Tests, collected, forked, module_name, source_files

MARKS = "__reached__"
MOST_SECONDS = 120


class Marks:
    """One byte a statement inside a function or a lambda, set when it begins; shared with forks."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}
        self.bytes = mmap.mmap(-1, 1 << 16)

    def marked(self, tree: ast.Module, name: str) -> ast.Module:
        """Return the tree with a mark before every statement of every function and in every lambda."""
        for node in ast.walk(tree):
            if isinstance(node, ast.Lambda):
                note = ast.parse(f"{MARKS}.__setitem__({self._number(node, name)}, 1)", mode="eval").body
                both = ast.Tuple([note, node.body], ast.Load())
                node.body = ast.Subscript(both, ast.Constant(1), ast.Load())
            elif isinstance(node, FUNCTIONS):
                self._mark(node, name)
        return ast.fix_missing_locations(tree)

    def _mark(self, node: ast.AST, name: str) -> None:
        for field in ("body", "orelse", "finalbody"):
            block = getattr(node, field, None)
            if isinstance(block, list) and block and isinstance(block[0], ast.stmt):
                for statement in block:
                    if not isinstance(statement, FUNCTIONS):
                        self._mark(statement, name)
                setattr(node, field, [step for statement in block for step in self._noted(statement, name)])
        for part in [*getattr(node, "handlers", []), *getattr(node, "cases", [])]:
            self._mark(part, name)

    def _noted(self, statement: ast.stmt, name: str) -> list[ast.stmt]:
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
            return [statement]  # a docstring stays first
        note = ast.parse(f"{MARKS}[{self._number(statement, name)}] = 1").body[0]
        return [ast.copy_location(note, statement), statement]

    def _number(self, node: ast.stmt | ast.Lambda, name: str) -> int:
        return self.numbers.setdefault(f"{name}:{node.lineno}", len(self.numbers))

    def taken(self) -> list[str]:
        """Return the statements marked since last asked."""
        found = [key for key, number in self.numbers.items() if self.bytes[number]]
        self.bytes[:] = bytes(len(self.bytes))
        return found


def reached(root: Path, out: Path, tests: Sequence[str]) -> int:
    """Import the code with marks, run every test alone in a fork, and write what each reached and its CPU seconds."""
    marks = Marks()
    trees = {
        module_name(name): (path, lambda path=path, name=name: marks.marked(ast.parse(path.read_text()), name))
        for path in source_files(root)
        for name in [str(path.relative_to(root))]
    }
    sys.meta_path.insert(0, Loading(trees, {MARKS: marks.bytes}))
    failed: list[str] = []

    def note(suite: Tests) -> None:
        found: dict[str, Any] = {"imported": marks.taken(), "tests": [], "seconds": [], "statements": {}}
        found["statements"] = {statement: [] for statement in marks.numbers}
        for number, test in enumerate(suite.items):
            code, seconds = forked(lambda test=test: suite.run([test], _ignore), MOST_SECONDS)  # type: ignore[misc]
            if code != PASSED:
                failed.append(test)
            found["tests"].append(test)
            found["seconds"].append(round(seconds, 4))
            for statement in marks.taken():
                found["statements"][statement].append(number)
        out.write_text(json.dumps(found))

    code = collected(note, tests)
    if failed:
        out.unlink()
        print(f"these fail without any change, mend them first: {failed}", file=sys.stderr)
    return int(code) or bool(failed)


def _ignore(position: int) -> None:
    return None
