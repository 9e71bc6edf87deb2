"""YAML as policies and rosters use it: plain data, the place of every key and value, and nothing that could surprise.

Read by events in one pass, so that nothing is built before its size is known. Words are YAML 1.2's: `no` and `on`
are text (Norway stays NO), "09:00" is text. Anchors, aliases and tags are refused, as are duplicate keys.
"""

import re
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

import yaml

from routing.finding import Finding, Severity, Where, path_text

LARGEST_BYTES = 1 << 20
DEEPEST = 20
MOST_NODES = 100_000

Path = tuple[str | int, ...]
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_INTEGER = re.compile(r"[-+]?\d{1,18}")
_UNPRINTABLE = re.compile(r"[^\t\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NUMBER = re.compile(r"[-+]?(\d+\.\d*|\.\d+|\d+(\.\d*)?[eE][-+]?\d+)")
_WORDS = {"true": True, "True": True, "false": False, "False": False, "null": None, "~": None, "": None}


@dataclass(frozen=True, slots=True)
class Document:
    """A file's plain data. keys, values: path -> (line, column) from 1. lines: the text, parted as YAML parts it."""

    data: Any
    keys: dict[Path, tuple[int, int]]
    values: dict[Path, tuple[int, int]]
    lines: tuple[str, ...] = ()

    def where(self, path: Path) -> Where:
        """Return the place of `path`, else of its nearest parent that is written; of the key where it has one.

        What stands in no part of the file (a default) has a path only.
        """
        for end in range(len(path), 0, -1):
            spot = self.keys.get(path[:end]) or self.values.get(path[:end])
            if spot:
                return Where(*spot, path_text(path))
        return Where(path=path_text(path))

    def inside(self, path: Path, text: str, offset: int) -> Where:
        """Return the place of a character of a one-line text, else the place of `path`. offset: from 0."""
        line, column = self.values[path]
        written = self.lines[line - 1][column - 1 :]
        for quote in ("", '"', "'"):
            if written.startswith(quote + text):
                return Where(line, column + len(quote) + offset, path_text(path))
        return self.where(path)


class Unreadable(Exception):
    """The file is no YAML that a policy may be written in."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(str(finding))
        self.finding = finding


@dataclass(slots=True)
class _Level:
    """A mapping or list under construction."""

    holder: Any
    path: Path
    key: str | None = None

    def child_path(self) -> Path:
        if isinstance(self.holder, dict):
            return (*self.path, self.key or "")
        return (*self.path, len(self.holder))

    def put(self, value: Any) -> None:
        if isinstance(self.holder, dict):
            self.holder[self.key] = value
            self.key = None
        else:
            self.holder.append(value)


@dataclass(slots=True)
class _Reader:
    levels: list[_Level] = field(default_factory=list)
    keys: dict[Path, tuple[int, int]] = field(default_factory=dict)
    values: dict[Path, tuple[int, int]] = field(default_factory=dict)
    root: Any = None
    count: int = 0
    documents: int = 0
    most: int = MOST_NODES

    def take(self, event: Any) -> None:
        if isinstance(event, yaml.DocumentStartEvent):
            self.documents += 1
            if self.documents > 1:
                raise _unreadable(event, "a file is one document, here a second one starts", "Remove the ---.")
        elif isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise _unreadable(event, "anchors and aliases (& and *) are not used here", "Write the value out.")
        elif isinstance(event, yaml.ScalarEvent):
            self._scalar(event)
        elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            self._open(event, {} if isinstance(event, yaml.MappingStartEvent) else [])
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            self.levels.pop()

    def _awaits_key(self) -> bool:
        return bool(self.levels) and isinstance(self.levels[-1].holder, dict) and self.levels[-1].key is None

    def _scalar(self, event: Any) -> None:
        self._counted(event)
        if not self._awaits_key():
            self._place(event, _value(event))
            return
        level = self.levels[-1]
        if event.value in level.holder:
            first = self.keys[(*level.path, event.value)]
            raise _unreadable(event, f"{event.value!r} is written twice, first on line {first[0]}", "Keep one of them.")
        level.key = event.value
        self.keys[level.child_path()] = _spot(event)

    def _open(self, event: Any, holder: Any) -> None:
        self._counted(event)
        if self._awaits_key():
            raise _unreadable(event, "a key is a word, here a list or mapping stands for one", "Quote or rename it.")
        if len(self.levels) >= DEEPEST:
            raise _unreadable(event, f"this is nested more than {DEEPEST} deep", "No file needs such depth.")
        path = self.levels[-1].child_path() if self.levels else ()
        self._place(event, holder)
        self.levels.append(_Level(holder, path))

    def _place(self, event: Any, value: Any) -> None:
        path = self.levels[-1].child_path() if self.levels else ()
        self.values[path] = _spot(event)
        if self.levels:
            self.levels[-1].put(value)
        else:
            self.root = value

    def _counted(self, event: Any) -> None:
        self.count += 1
        if self.count > self.most:
            raise _unreadable(event, f"the file holds more than {self.most:,} values", "Split it.")
        if event.tag:
            raise _unreadable(event, f"the tag {event.tag} is not used here", _tag_hint(event) or "Write plain values.")


def read(text: str, largest_bytes: int = LARGEST_BYTES, most_nodes: int = MOST_NODES) -> Document:
    """Return the data and places of a YAML text. Raises Unreadable, which says line, column and what to do."""
    if len(text.encode()) > largest_bytes:
        what = f"the file has {len(text.encode()) >> 10:,} KiB; {largest_bytes >> 10:,} is the most."
        raise Unreadable(Finding(Severity.ERROR, "file.too_large", Where(), what, "Look whether it is the right file."))
    reader = _Reader(most=most_nodes)
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            reader.take(event)
    except yaml.YAMLError as error:
        raise Unreadable(_syntax(error, text)) from error
    return Document(reader.root, reader.keys, reader.values, tuple(_BREAK.split(text)))


def _value(event: Any) -> Any:
    text = event.value
    if event.style:  # quoted, or a block of text
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _NUMBER.fullmatch(text) and isfinite(float(text)) else text


def _spot(event: Any) -> tuple[int, int]:
    return event.start_mark.line + 1, event.start_mark.column + 1


def _unreadable(event: Any, what: str, allowed: str) -> Unreadable:
    return Unreadable(Finding(Severity.ERROR, "file.unreadable", Where(*_spot(event)), what + ".", allowed))


def _tag_hint(event: Any) -> str:
    """`when: !has(x)` is a tag to YAML."""
    return 'A text that starts with ! needs quotes around the whole: "!has(x)".' if event.tag[1:2].isalpha() else ""


def _syntax(error: yaml.YAMLError, text: str) -> Finding:
    what, allowed, where = _explained(error, text)
    return Finding(Severity.ERROR, "file.unreadable", where, f"this is no YAML: {what}.", allowed)


def _explained(error: yaml.YAMLError, text: str) -> tuple[str, str, Where]:
    """Return what the parser met, in the words of whoever wrote the file, what to do, and where."""
    mark, start = getattr(error, "problem_mark", None), getattr(error, "context_mark", None)
    problem = getattr(error, "problem", None) or str(error).splitlines()[0]
    if mark is None:
        return _unprintable(text)
    line = _BREAK.split(text)[mark.line : mark.line + 1] or [""]
    if "\t" in line[0][: mark.column + 1]:
        return "a tab stands where spaces must", "Indent with spaces.", Where(mark.line + 1, line[0].index("\t") + 1)
    if problem == "could not find expected ':'" and start is not None:
        what = "this line is neither a key with its value nor a part of the one before"
        return what, "Write key: value, with a space after the colon.", Where(start.line + 1, start.column + 1)
    if problem == "mapping values are not allowed in this context":
        what = (
            "a key starts here while the value before it goes on: a text has a colon, or the line is indented too far"
        )
        return what, f"Indent it as its neighbours. {_QUOTES}", Where(mark.line + 1, mark.column + 1)
    if problem in _INDENTATION:
        what = "this does not fit what stands before it: another indentation, or text after a closing quote"
        return what, f"Keys of one mapping have the same indentation. {_QUOTES}", Where(mark.line + 1, mark.column + 1)
    return problem, f"Check indentation, colons and quotes. {_QUOTES}", Where(mark.line + 1, mark.column + 1)


_INDENTATION = ("did not find expected key", "did not find expected '-' indicator", "did not find expected <block end>")
_QUOTES = (
    "A text with a colon, or with a quote, !, { or [ at its start, needs quotes around the whole: "
    "when: '\"pricing\" in lead.behaviour'."
)


def _unprintable(text: str) -> tuple[str, str, Where]:
    """Return where a character stands that no text has; the parser says no line for it."""
    for number, line in enumerate(_BREAK.split(text), start=1):
        found = _UNPRINTABLE.search(line)
        if found:
            what = f"a character that is not printed stands here (U+{ord(found[0]):04X})"
            return what, "Remove it, or save the file as UTF-8 text.", Where(number, found.start() + 1)
    return "it is not text", "Save it as UTF-8.", Where()
