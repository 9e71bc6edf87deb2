"""One CEL condition: compiled once, evaluated against one context a lead, explained from its tree."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import cel

from routing.expression import Comparison, Facts, Node, Op, Opaque, conjuncts, leaves, truth
from routing.expression_parser import parse
from routing.plain_test import PlainTest, plain_test, plain_tests

LONGEST_TEXT = 2_000
DEEPEST = 20
# Comprehensions nest to any cost; `"x" in list` says what policies need.
MACROS = ("all", "exists", "exists_one", "map", "filter", "transformList", "transformMap")

_QUOTED = re.compile(r""""(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'""")
_UNDEFINED = re.compile(r"Undefined variable or function: '([^']+)'")
_MACRO = re.compile(rf"\.({'|'.join(MACROS)})\s*\(")


class ConditionInvalid(ValueError):
    """A condition that does not compile; the message says what is wrong and what is allowed. offset: from 0."""

    def __init__(self, what: str, allowed: str = "", offset: int = 0) -> None:
        super().__init__(what)
        self.what = what
        self.allowed = allowed
        self.offset = offset


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """One of the things that must all hold for a condition. field, expected: of its first comparison, as shown.

    plain: what answers without CEL where the part is a comparison of `field` alone, and its value of the type written.
    plain_any: the same for a part where any of several comparisons is enough, with the fact of each.
    """

    text: str
    program: cel.Program
    node: Node
    fields: tuple[str, ...]
    field: str
    expected: str
    plain: PlainTest | None
    plain_any: tuple[tuple[str, PlainTest], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Condition:
    """A compiled condition. fields: the facts it asks for. parts: what must all hold."""

    text: str
    program: cel.Program
    node: Node
    fields: tuple[str, ...]
    parts: tuple[Part, ...]


Asked = tuple[tuple[str, tuple[str, ...] | None], ...]
"""The facts that some conditions ask for: (group, names in it); None for names: the variable as a whole."""


class Verdict(NamedTuple):
    """Whether a condition holds. unknown: the facts for want of which it counts as false."""

    matched: bool
    unknown: tuple[str, ...] = ()


class Compared(NamedTuple):
    """One comparison with the lead's value. actual: None when unknown. expected: as written, "in [...]", "known"."""

    field: str
    actual: Any
    expected: str
    held: bool | None


MATCHED = Verdict(True)
FAILED = Verdict(False)


def compile_condition(text: str) -> Condition:
    """Return the compiled condition. Raises ConditionInvalid."""
    _refuse_excess(text)
    try:
        program = cel.compile(text)
    except ValueError as error:
        raise _syntax(text, str(error)) from error
    node = parse(text)
    fields = tuple(dict.fromkeys(name for leaf in leaves(node) for name in fields_of(leaf)))
    return Condition(text, program, node, fields, tuple(_part(each) for each in conjuncts(node)))


def asked(names: Iterable[str]) -> Asked:
    """Return facts by dotted name as groups, so that a context holds no more than is asked for."""
    groups: dict[str, list[str] | None] = {}
    for name in sorted(set(names)):
        group, _, inner = name.partition(".")
        if not inner:
            groups[group] = None
        elif (held := groups.setdefault(group, [])) is not None:
            held.append(inner)
    return tuple((group, None if inner is None else tuple(inner)) for group, inner in groups.items())


def fields_of(leaf: Comparison | Opaque) -> tuple[str, ...]:
    """Return the facts that one comparison asks for."""
    return (leaf.field,) if isinstance(leaf, Comparison) else leaf.fields


def context_of(facts: Mapping[str, Any], wanted: Asked | None = None) -> cel.Context:
    """Return the one context of a lead, for all conditions that ask for `wanted` at most (None: for any).

    facts: nested, as routing/facts.py makes them. Each value costs half a microsecond to hand over, so the others
    stay behind. A group that the lead does not have is there, empty.
    """
    if wanted is None:
        return cel.Context(dict(facts))
    handed: dict[str, Any] = {}
    for group, names in wanted:
        if names is None:
            if group in facts:
                handed[group] = facts[group]
        else:
            held = facts.get(group, {})
            handed[group] = {name: held[name] for name in names if name in held}
    return cel.Context(handed)


def evaluate(condition: Condition | Part, context: cel.Context) -> Verdict:
    """Return whether the condition holds. An unknown fact, or values of types that do not compare, make it false."""
    try:
        return MATCHED if condition.program.execute(context) is True else FAILED
    except KeyError as error:
        return Verdict(False, _ending(condition, str(error.args[0])))
    except (RuntimeError, TypeError, ValueError, ArithmeticError, IndexError) as error:
        found = _UNDEFINED.search(str(error))
        return Verdict(False, (found[1],) if found else condition.fields)


def compared(condition: Condition, facts: Facts) -> tuple[Compared, ...]:
    """Return every comparison of the condition with the lead's values, for the trace. facts: by dotted name."""
    return tuple(comparison(leaf, facts) for leaf in leaves(condition.node))


def comparison(leaf: Comparison | Opaque, facts: Facts) -> Compared:
    """Return one comparison with the lead's value."""
    if isinstance(leaf, Opaque):
        known = {name: facts[name] for name in leaf.fields if name in facts}
        return Compared(", ".join(leaf.fields), known or None, leaf.text, None)
    return Compared(leaf.field, facts.get(leaf.field), expectation(leaf), truth(leaf, facts))


def expectation(test: Comparison) -> str:
    """Return what a comparison expects, without the field: '>= 50', 'in ["US", "CA"]', 'known', 'true'."""
    if test.op is Op.KNOWN:
        return "known"
    if test.op is Op.TRUE:
        return "true"
    if isinstance(test.expected, tuple):
        return f"in [{', '.join(written(value) for value in test.expected)}]"
    return f"{test.op.value} {written(test.expected)}"


def written(value: object) -> str:
    """Return a value as CEL writes it."""
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return str(value).lower() if isinstance(value, bool) else f"{value}"


def _part(node: Node) -> Part:
    first = next(leaves(node))
    shown = expectation(first) if node is first and isinstance(first, Comparison) else node.text
    fields = tuple(dict.fromkeys(name for leaf in leaves(node) for name in fields_of(leaf)))
    return Part(
        node.text,
        cel.compile(node.text),
        node,
        fields,
        fields[0] if fields else "",
        shown,
        plain_test(node),
        plain_tests(node),
    )


def _ending(condition: Condition | Part, key: str) -> tuple[str, ...]:
    return tuple(name for name in condition.fields if key in name.split(".")) or (key,)


def _refuse_excess(text: str) -> None:
    if len(text) > LONGEST_TEXT:
        raise ConditionInvalid(f"the condition is {len(text)} characters long", f"{LONGEST_TEXT} at most.")
    bare = _QUOTED.sub(_blank, text)
    depth = 0
    for at, mark in enumerate(bare):
        depth += (mark in "([{") - (mark in ")]}")
        if depth > DEEPEST:
            raise ConditionInvalid(f"the condition is nested more than {DEEPEST} deep", "Split the rule.", at)
    macro = _MACRO.search(bare)
    if macro:
        allowed = 'Write "word" in the_list instead.'
        raise ConditionInvalid(f"{macro[1]}() is not allowed in a policy", allowed, macro.start(1))
    single = re.search(r"(?<![=!<>])=(?!=)", bare)
    if single:
        raise ConditionInvalid("a single = does not compare", "Write == to compare.", single.start())
    curly = re.search("[\u201c\u201d\u201e\u2018\u2019\u00ab\u00bb]", bare)
    if curly:
        raise ConditionInvalid(
            f"{curly[0]} is no quote of a program", 'Write straight ones: "enterprise".', curly.start()
        )
    unequal = bare.find("<>")
    if unequal >= 0:
        raise ConditionInvalid("<> does not compare", "Write != for is not.", unequal)
    parted = re.search(r"(?<![\[\w.,\s])\s*\b\d{1,3},\d{3}\b|\b\d+(?:\.\d+)?%", re.sub(r"\[[^\]]*\]", _blank, bare))
    if parted:
        allowed = "Write it without commas and signs: 1000; a score of 80 is 80."
        raise ConditionInvalid(f"{parted[0].strip()} is no number", allowed, parted.start())
    word = re.search(r"\b(and|or|not|AND|OR|NOT)\b", bare)
    if word:
        sign = {"and": "&&", "or": "||", "not": "!"}[word[1].lower()]
        raise ConditionInvalid(f"{word[1]!r} is no operator", f"Write {sign} instead.", word.start())


def _blank(found: re.Match[str]) -> str:
    return " " * len(found[0])


def _syntax(text: str, said: str) -> ConditionInvalid:
    spot = re.search(r"<input>:(\d+):(\d+): ([^\n]*)", said)
    allowed = 'Conditions are CEL, such as company.employees >= 50 && company.country in ["US", "CA"].'
    if not spot:
        return ConditionInvalid("the condition does not parse", allowed)
    lines = text.split("\n")
    offset = sum(len(line) + 1 for line in lines[: int(spot[1]) - 1]) + int(spot[2]) - 1
    reason = spot[3].removeprefix("Syntax error: ").split(" expecting ")[0]
    reason = "it ends too early" if "<EOF>" in reason else reason
    return ConditionInvalid(f"the condition does not parse: {reason}", allowed, max(min(offset, len(text)), 0))
