"""The places of a module where one small change could be wrong, and the module with one of them changed."""

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

COMPARES: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
}
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
CALLS = {"min": "max", "max": "min", "any": "all", "all": "any"}


@dataclass(frozen=True, slots=True)
class Site:
    """One change: the node-th node in the order of `ast.walk`, and which of its changes.

    statement: the line its innermost statement or lambda begins at. in_function: whether it runs when
    called, not when imported.
    """

    path: str
    node: int
    part: int
    line: int
    change: str
    statement: int
    in_function: bool


def sites(path: Path, root: Path) -> Iterator[Site]:
    """Yield every site of a module, in the order of its tree.

    Those of a decorator are left out: `frozen=True` and `slots=True` keep programmers from a mistake, not leads.
    """
    tree = ast.parse(path.read_text())
    homes = dict(_homes(tree, 0, in_function=False))
    for index, node in enumerate(ast.walk(tree)):
        for part, change in enumerate(_changes(node)):
            home = homes.get(node)
            if home is not None:
                line = getattr(node, "lineno", home[0])
                yield Site(str(path.relative_to(root)), index, part, line, change, *home)


def _homes(node: ast.AST, statement: int, *, in_function: bool) -> Iterator[tuple[ast.AST, tuple[int, bool]]]:
    """Yield the nodes outside decorators, each with its statement's line and whether it stands in a function."""
    if isinstance(node, ast.stmt | ast.Lambda):
        statement = node.lineno
    yield node, (statement, in_function)
    for name, value in ast.iter_fields(node):
        if name == "decorator_list":
            continue
        inside = in_function or (name == "body" and isinstance(node, FUNCTIONS))
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from _homes(child, statement, in_function=inside)


def mutated(source: str, site: Site) -> ast.Module:
    """Return the module with this one change."""
    tree = copy.deepcopy(ast.parse(source))
    node = next(node for index, node in enumerate(ast.walk(tree)) if index == site.node)
    _change(node, site.part)
    return ast.fix_missing_locations(tree)


def _changes(node: ast.AST) -> list[str]:
    match node:
        case ast.Compare():
            return [f"{type(op).__name__} -> {COMPARES[type(op)].__name__}" for op in node.ops]
        case ast.BoolOp():
            return ["and <-> or"]
        case ast.UnaryOp(op=ast.Not()):
            return ["not x -> x"]
        case ast.BinOp() if type(node.op) in OPERATORS:
            return [f"{type(node.op).__name__} -> {OPERATORS[type(node.op)].__name__}"]
        case ast.Constant(value=bool() as held):
            return [f"{held} -> {not held}"]
        case ast.Constant(value=int() | float() as held):
            return [f"{held} -> {held + 1}"]
        case ast.Call(func=ast.Name(id=name)) if name in CALLS:
            return [f"{name} -> {CALLS[name]}"]
        case ast.IfExp() | ast.If():
            return ["if x -> if not x"] if not isinstance(node.test, ast.Compare | ast.BoolOp) else []
        case ast.comprehension() if node.ifs:
            return ["without its condition"]
        case ast.Continue() | ast.Break():
            return ["continue <-> break"]
        case ast.Expr(value=ast.Call()):
            return ["call left out"]
    return []


def _change(node: ast.AST, part: int) -> None:
    match node:
        case ast.Compare():
            node.ops[part] = COMPARES[type(node.ops[part])]()
        case ast.BoolOp():
            node.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        case ast.UnaryOp():
            node.op, node.operand = ast.Not(), ast.UnaryOp(ast.Not(), node.operand)
        case ast.BinOp():
            node.op = OPERATORS[type(node.op)]()
        case ast.Constant(value=bool()):
            node.value = not node.value
        case ast.Constant(value=int() | float() as held):
            node.value = held + 1
        case ast.Call(func=ast.Name() as name):
            name.id = CALLS[name.id]
        case ast.IfExp() | ast.If():
            node.test = ast.UnaryOp(ast.Not(), node.test)
        case ast.comprehension():
            node.ifs = []
        case ast.Continue() | ast.Break():
            node.__class__ = ast.Break if isinstance(node, ast.Continue) else ast.Continue
        case ast.Expr():
            node.value = ast.Constant(None)
