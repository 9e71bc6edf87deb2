"""Reads the text of a condition into its tree (routing/expression.py)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from routing.expression import And, Comparison, Fact, Node, Not, Op, Opaque, Or

_TOKEN = re.compile(
    r"""\s*(?:(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?P<number>-?\d+(?:\.\d+)?)(?![\w.])|"""
    r"""(?P<name>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)|(?P<mark>&&|\|\||==|!=|<=|>=|[<>!()\[\],]))"""
)
_FIELD = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+|[A-Za-z_]\w*")
_FLIPPED = {Op.LESS: Op.MORE, Op.MORE: Op.LESS, Op.AT_MOST: Op.AT_LEAST, Op.AT_LEAST: Op.AT_MOST}
_COMPARISONS = {str(op): op for op in (Op.EQUAL, Op.NOT_EQUAL, Op.LESS, Op.AT_MOST, Op.MORE, Op.AT_LEAST)}
_METHODS = {str(op): op for op in (Op.STARTS, Op.ENDS, Op.CONTAINS)}
_ESCAPES = re.compile(r"\\(.)")
_LITERALS = ("true", "false", "null")


class _Beyond(Exception):
    """The text leaves the subset."""


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    start: int
    end: int


class _Parser:
    """Recursive descent over the tokens; the depth of its input is capped by routing/conditions.py."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = list(_tokens(text))
        self.at = 0

    def whole(self) -> Node:
        node = self._any()
        if self.at < len(self.tokens):
            raise _Beyond
        return node

    def _peek(self) -> str:
        return self.tokens[self.at].text if self.at < len(self.tokens) else ""

    def _next(self) -> _Token:
        if self.at >= len(self.tokens):
            raise _Beyond
        self.at += 1
        return self.tokens[self.at - 1]

    def _expect(self, mark: str) -> None:
        if self._next().text != mark:
            raise _Beyond

    def _since(self, start: int) -> str:
        return self.text[self.tokens[start].start : self.tokens[self.at - 1].end]

    def _any(self) -> Node:
        start = self.at
        parts = [self._all()]
        while self._peek() == "||":
            self.at += 1
            parts.append(self._all())
        return parts[0] if len(parts) == 1 else Or(tuple(parts), self._since(start))

    def _all(self) -> Node:
        start = self.at
        parts = [self._one()]
        while self._peek() == "&&":
            self.at += 1
            parts.append(self._one())
        if len(parts) == 1:
            return parts[0]
        flat = tuple(inner for part in parts for inner in (part.parts if isinstance(part, And) else (part,)))
        return And(flat, self._since(start))

    def _one(self) -> Node:
        start = self.at
        if self._peek() == "!":
            self.at += 1
            return Not(self._one(), self._since(start))
        if self._peek() == "(":
            self.at += 1
            node = self._any()
            self._expect(")")
            return node
        return self._test(start)

    def _test(self, start: int) -> Node:
        first = self._next()
        if first.kind in ("text", "number"):
            return self._turned(start, _literal(first))
        if first.kind != "name":
            raise _Beyond
        if first.text in _LITERALS:
            raise _Beyond
        if self._peek() == "(":
            return self._call(start, first.text)
        follows = self._peek()
        if follows in _COMPARISONS:
            self.at += 1
            return self._compared(start, first.text, _COMPARISONS[follows])
        if follows == "in":
            self.at += 1
            return Comparison(first.text, Op.IN, self._list(), self._since(start))
        return Comparison(first.text, Op.TRUE, None, first.text)

    def _compared(self, start: int, name: str, op: Op) -> Node:
        value = _literal(self._next())
        text = self._since(start)
        if isinstance(value, bool):
            test = Comparison(name, Op.TRUE, None, name)
            return test if value is (op is Op.EQUAL) else Not(test, text)
        return Comparison(name, op, value, text)

    def _turned(self, start: int, value: Fact) -> Node:
        """Parse `5 <= company.employees` and `"x" in lead.behaviour`."""
        mark = self._next().text
        name = self._next()
        if name.kind != "name" or name.text in _LITERALS:
            raise _Beyond
        if mark == "in":
            return Comparison(name.text, Op.HOLDS, value, self._since(start))
        if mark not in _COMPARISONS:
            raise _Beyond
        op = _COMPARISONS[mark]
        return Comparison(name.text, _FLIPPED.get(op, op), value, self._since(start))

    def _call(self, start: int, name: str) -> Node:
        self._expect("(")
        if name == "has":
            field = self._next()
            self._expect(")")
            if field.kind != "name":
                raise _Beyond
            return Comparison(field.text, Op.KNOWN, None, self._since(start))
        path, _, method = name.rpartition(".")
        if method not in _METHODS or not path:
            raise _Beyond
        value = _literal(self._next())
        self._expect(")")
        return Comparison(path, _METHODS[method], value, self._since(start))

    def _list(self) -> tuple[Fact, ...]:
        self._expect("[")
        values: list[Fact] = []
        while self._peek() != "]":
            values.append(_literal(self._next()))
            if self._peek() == ",":
                self.at += 1
            elif self._peek() != "]":
                raise _Beyond
        self._expect("]")
        return tuple(values)


def _tokens(text: str) -> Iterator[_Token]:
    at = 0
    end = len(text.rstrip())
    while at < end:
        found = _TOKEN.match(text, at)
        if found is None or found.lastgroup is None:
            raise _Beyond
        yield _Token(found.lastgroup, found[found.lastgroup], found.start(found.lastgroup), found.end())
        at = found.end()


def _literal(token: _Token) -> Fact:
    if token.kind == "text":
        return _ESCAPES.sub(r"\1", token.text[1:-1])
    if token.kind == "number":
        return float(token.text) if "." in token.text else int(token.text)
    if token.text in ("true", "false"):
        return token.text == "true"
    raise _Beyond


def parse(text: str) -> Node:
    """Return the tree of a condition; `Opaque` as a whole where it leaves the subset."""
    try:
        return _Parser(text).whole()
    except _Beyond:
        bare = re.sub(r""""(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'""", '""', text)
        return Opaque(text, tuple(sorted(set(_asked(bare)))))


def _asked(bare: str) -> Iterator[str]:
    """Yield the facts in a text whose quoted words are gone: names that are no functions, methods cut off."""
    for found in _FIELD.finditer(bare):
        name = found[0]
        if bare[found.end() :].lstrip().startswith("("):
            name = name.rpartition(".")[0]
        if name and name not in (*_LITERALS, "in"):
            yield name
