"""The shape of a condition: the part of CEL that policies use, as a tree one can explain, solve and count.

CEL itself decides (routing/conditions.py). This tree says which fact failed against what, puts conditions into
sentences, and gives lint the boundary values to solve over. Text beyond it (arithmetic, matches, ?:) is `Opaque`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

Fact = str | int | float | bool | tuple[str, ...]
Facts = Mapping[str, Fact]
"""Facts by dotted name, "company.employees"; unknown ones are absent."""


class Op(StrEnum):
    EQUAL = "=="
    NOT_EQUAL = "!="
    LESS = "<"
    AT_MOST = "<="
    MORE = ">"
    AT_LEAST = ">="
    IN = "in"
    HOLDS = "holds"  # "x" in lead.behaviour
    KNOWN = "has"
    TRUE = "true"
    STARTS = "startsWith"
    ENDS = "endsWith"
    CONTAINS = "contains"


@dataclass(frozen=True, slots=True)
class Comparison:
    """One comparison of one fact. expected: a value, a tuple of them for IN, None for KNOWN and TRUE."""

    field: str
    op: Op
    expected: Fact | tuple[Fact, ...] | None
    text: str


@dataclass(frozen=True, slots=True)
class Not:
    part: "Node"
    text: str


@dataclass(frozen=True, slots=True)
class And:
    parts: tuple["Node", ...]
    text: str


@dataclass(frozen=True, slots=True)
class Or:
    parts: tuple["Node", ...]
    text: str


@dataclass(frozen=True, slots=True)
class Opaque:
    """A part beyond the subset. Lint takes it as a fact of its own that may be true or false."""

    text: str
    fields: tuple[str, ...]


Node = Comparison | Not | And | Or | Opaque


def conjuncts(node: Node) -> tuple[Node, ...]:
    """Return the parts that must all hold."""
    return node.parts if isinstance(node, And) else (node,)


def leaves(node: Node) -> Iterator[Comparison | Opaque]:
    """Yield every comparison of the tree, from left to right."""
    if isinstance(node, Comparison | Opaque):
        yield node
    elif isinstance(node, Not):
        yield from leaves(node.part)
    else:
        for part in node.parts:
            yield from leaves(part)


def truth(node: Node, facts: Facts) -> bool | None:
    """Return whether the node holds, as CEL has it; None where an unknown fact decides.

    `a || b` holds if one does, however unknown the other; `a && b` fails if one does.
    """
    if isinstance(node, Comparison):
        return _tested(node, facts)
    if isinstance(node, Not):
        inner = truth(node.part, facts)
        return None if inner is None else not inner
    if isinstance(node, Opaque):
        value = facts.get(node.text)
        return value if isinstance(value, bool) else None
    settles = isinstance(node, Or)
    unknown = False
    for part in node.parts:
        held = truth(part, facts)
        if held is settles:
            return settles
        unknown = unknown or held is None
    return None if unknown else not settles


def _tested(test: Comparison, facts: Facts) -> bool | None:
    value = facts.get(test.field)
    if test.op is Op.KNOWN:
        return value is not None
    if value is None:
        return None
    if test.op is Op.TRUE:
        return value if isinstance(value, bool) else None
    expected = test.expected
    if test.op is Op.IN:
        return any(_same(value, each) for each in expected) if isinstance(expected, tuple) else None
    if test.op is Op.HOLDS:
        return expected in value if isinstance(value, tuple) else None
    if test.op in (Op.EQUAL, Op.NOT_EQUAL):
        return _same(value, expected) is (test.op is Op.EQUAL)
    if test.op in (Op.STARTS, Op.ENDS, Op.CONTAINS):
        return _worded(test.op, value, expected)
    return _ordered(test.op, value, expected)


def _same(value: object, expected: object) -> bool:
    return isinstance(value, bool) is isinstance(expected, bool) and value == expected


def _worded(op: Op, value: object, expected: object) -> bool | None:
    if not isinstance(value, str) or not isinstance(expected, str):
        return None
    if op is Op.STARTS:
        return value.startswith(expected)
    if op is Op.ENDS:
        return value.endswith(expected)
    return expected in value


def _ordered(op: Op, value: object, expected: object) -> bool | None:
    if isinstance(value, str) and isinstance(expected, str):
        order = (value > expected) - (value < expected)
    elif _is_number(value) and _is_number(expected):
        order = (value > expected) - (value < expected)  # type: ignore[operator]
    else:
        return None
    return {Op.LESS: order < 0, Op.AT_MOST: order <= 0, Op.MORE: order > 0, Op.AT_LEAST: order >= 0}[op]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
