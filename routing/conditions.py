"""One CEL condition: compiled once, evaluated against one context a lead, explained from its tree."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import cel

from routing.expression import Facts, Node, Op, Opaque, Test, conjuncts, leaves, parse, truth

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
class Condition:
    """A compiled condition. fields: the facts it asks for. parts: what must all hold, each with a program of its own
    where the tree cannot decide it."""

    text: str
    program: cel.Program
    node: Node
    fields: tuple[str, ...]
    parts: tuple[tuple[Node, cel.Program | None], ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a condition holds. unknown: the facts for want of which it counts as false."""

    matched: bool
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Compared:
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
    parts = tuple((part, cel.compile(part.text) if _is_opaque(part) else None) for part in conjuncts(node))
    return Condition(text, program, node, fields, parts)


def fields_of(leaf: Test | Opaque) -> tuple[str, ...]:
    """Return the facts that one comparison asks for."""
    return (leaf.field,) if isinstance(leaf, Test) else leaf.fields


def context_of(facts: Mapping[str, Any]) -> cel.Context:
    """Return the one context of a lead, for all its conditions. facts: nested, as routing/facts.py makes them."""
    return cel.Context(dict(facts))


def evaluate(condition: Condition, context: cel.Context) -> Verdict:
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


def first_failing(condition: Condition, facts: Facts, context: cel.Context) -> Compared | None:
    """Return the first part that does not hold, as one comparison; None when all parts hold."""
    for part, program in condition.parts:
        held = truth(part, facts) if program is None else _executed(program, context)
        if held is not True:
            return _failing_leaf(part, facts, held)
    return None


def comparison(leaf: Test | Opaque, facts: Facts) -> Compared:
    """Return one comparison with the lead's value."""
    if isinstance(leaf, Opaque):
        known = {name: facts[name] for name in leaf.fields if name in facts}
        return Compared(", ".join(leaf.fields), known or None, leaf.text, None)
    return Compared(leaf.field, facts.get(leaf.field), expectation(leaf), truth(leaf, facts))


def expectation(test: Test) -> str:
    """Return what a comparison expects, without the field: '>= 50', 'in ["US", "CA"]', 'known', 'true'."""
    if test.op is Op.KNOWN:
        return "known"
    if test.op is Op.TRUE:
        return "true"
    if test.op is Op.IN and isinstance(test.expected, tuple):
        return f"in [{', '.join(written(value) for value in test.expected)}]"
    return f"{test.op.value} {written(test.expected)}"


def written(value: object) -> str:
    """Return a value as CEL writes it."""
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return str(value).lower() if isinstance(value, bool) else f"{value}"


def _failing_leaf(part: Node, facts: Facts, held: bool | None) -> Compared:
    leaf = next(leaves(part))
    shown = comparison(leaf, facts)
    if part is leaf:
        return shown
    return Compared(shown.field, shown.actual, part.text, held)


def _executed(program: cel.Program, context: cel.Context) -> bool | None:
    try:
        return program.execute(context) is True
    except (KeyError, RuntimeError, TypeError, ValueError, ArithmeticError, IndexError):
        return None


def _is_opaque(part: Node) -> bool:
    return any(isinstance(leaf, Opaque) for leaf in leaves(part))


def _ending(condition: Condition, key: str) -> tuple[str, ...]:
    return tuple(name for name in condition.fields if key in name.split(".")) or (key,)


def _refuse_excess(text: str) -> None:
    if len(text) > LONGEST_TEXT:
        raise ConditionInvalid(f"the condition is {len(text)} characters long", f"{LONGEST_TEXT} at most.")
    bare = _QUOTED.sub(lambda found: " " * len(found[0]), text)
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
    word = re.search(r"\b(and|or|not|AND|OR|NOT)\b", bare)
    if word:
        sign = {"and": "&&", "or": "||", "not": "!"}[word[1].lower()]
        raise ConditionInvalid(f"{word[1]} is no operator", f"Write {sign} instead.", word.start())


def _syntax(text: str, said: str) -> ConditionInvalid:
    spot = re.search(r"<input>:(\d+):(\d+): ([^\n]*)", said)
    allowed = 'Conditions are CEL, such as company.employees >= 50 && company.country in ["US", "CA"].'
    if not spot:
        return ConditionInvalid("the condition does not parse", allowed)
    lines = text.split("\n")
    offset = sum(len(line) + 1 for line in lines[: int(spot[1]) - 1]) + int(spot[2]) - 1
    reason = spot[3].removeprefix("Syntax error: ")
    return ConditionInvalid(f"the condition does not parse: {reason}", allowed, max(min(offset, len(text)), 0))
