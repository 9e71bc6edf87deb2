"""Every metric of the product, read from the source: name, kind, labels, and the comment that says what to do."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGES = ("streams", "enrichment", "notifiers")
KINDS = ("Counter", "Gauge", "Histogram")
PREFIX = "leadstream_"


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric. meaning: its comment in the source, on one line. where: file relative to the repository."""

    name: str
    kind: str
    labels: tuple[str, ...]
    meaning: str
    where: str

    @property
    def series(self) -> tuple[str, ...]:
        """The names it has in Prometheus."""
        if self.kind == "Histogram":
            return (f"{self.name}_bucket", f"{self.name}_count", f"{self.name}_sum")
        return (self.name,)


class NoMeaning(Exception):
    """A metric has no comment above it that says what it means and what to do."""


def metrics() -> tuple[Metric, ...]:
    """Return all metrics by name. Raises NoMeaning."""
    files = (path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py")))
    found = [metric for path in files for metric in _of(path)]
    return tuple(sorted(found, key=lambda metric: metric.name))


def _of(path: Path) -> Iterator[Metric]:
    source = path.read_text()
    if PREFIX not in source:
        return
    lines = source.splitlines()
    where = path.relative_to(ROOT).as_posix()
    for statement in ast.walk(ast.parse(source)):
        if not isinstance(statement, ast.stmt | ast.keyword):
            continue
        for call in _calls(statement):
            name = call.args[0]
            assert isinstance(name, ast.Constant)
            meaning = _comment(lines, statement.lineno)
            if meaning is None:
                raise NoMeaning(f"{where}: {name.value}")
            kind = call.func.id if isinstance(call.func, ast.Name) else ""
            yield Metric(str(name.value), kind, _labels(call), meaning, where)


def _calls(statement: ast.stmt | ast.keyword) -> Iterator[ast.Call]:
    """The metrics that a statement makes; those of statements and keywords inside it are their own."""
    waiting: list[ast.AST] = list(ast.iter_child_nodes(statement))
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.stmt):
            continue
        if isinstance(node, ast.keyword) and isinstance(node.value, ast.Call) and _makes(node.value):
            continue
        if isinstance(node, ast.Call) and _makes(node):
            yield node
        waiting += ast.iter_child_nodes(node)


def _makes(call: ast.Call) -> bool:
    first = call.args[0] if call.args else None
    return (
        isinstance(call.func, ast.Name)
        and call.func.id in KINDS
        and isinstance(first, ast.Constant)
        and str(first.value).startswith(PREFIX)
    )


def _labels(call: ast.Call) -> tuple[str, ...]:
    for node in call.args[2:3]:
        if isinstance(node, ast.List | ast.Tuple):
            return tuple(str(one.value) for one in node.elts if isinstance(one, ast.Constant))
    return ()


def _comment(lines: list[str], line: int) -> str | None:
    said: list[str] = []
    for text in reversed(lines[: line - 1]):
        if not text.strip().startswith("# "):
            break
        said.append(text.strip()[2:])
    return " ".join(reversed(said)) or None
