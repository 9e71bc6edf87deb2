"""The environments in which templates run: nothing but names, fields, conditions, loops and a few filters."""

import html
import re
import unicodedata
from collections.abc import Iterable
from typing import Any

import jinja2
from jinja2 import StrictUndefined, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

FILTERS = ("capitalize", "default", "first", "int", "join", "last", "length", "lower", "title", "trim", "upper")
LONGEST_SOURCE = 20_000
LONGEST_VALUE = 2_000
_DEEPEST = 12
_DEEPEST_LOOP = 2

# What is left out could build text of any size, call code, or read other files: `~`, `*`, `%`, set, macro, include.
_ALLOWED: tuple[type[nodes.Node], ...] = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.Name,
    nodes.Getattr,
    nodes.Const,
    nodes.Filter,
    nodes.Test,
    nodes.If,
    nodes.For,
    nodes.CondExpr,
    nodes.Compare,
    nodes.Operand,
    nodes.And,
    nodes.Or,
    nodes.Not,
    nodes.Tuple,
    nodes.List,
)
_TESTS = frozenset({"defined", "undefined", "none", "equalto", "eq", "ne", "in"})

# Cc and Cf but for new lines: escapes, zero-width and direction marks, tags; also lone surrogates and private use.
_FORBIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_LINE_BREAKS = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_JOINERS = frozenset({"\u200c", "\u200d"})  # Persian, Indic scripts and emoji need them


class TemplateRefused(ValueError):
    """A template asks for what templates may not do. The message says what, with the line."""


def plain(value: str) -> str:
    """Return `value` without control, direction and other invisible characters, at most LONGEST_VALUE long."""
    if value.isprintable() and len(value) <= LONGEST_VALUE:
        return value
    text = "".join(c for c in _LINE_BREAKS.sub("\n", value[: LONGEST_VALUE * 2]) if _is_shown(c))
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 1] + "…"


def _is_shown(char: str) -> bool:
    return char in "\n\t" or char in _JOINERS or unicodedata.category(char) not in _FORBIDDEN


def one_line(value: str) -> str:
    """Return `value` as one line: for subjects, names and anything that ends in a header."""
    return " ".join(plain(value).split())


def html_text(text: str, links: Iterable[str] = ()) -> str:
    """Return `text` as HTML that shows it. links: URLs of ours; where they stand in the text they can be clicked."""
    shown = html.escape(text, quote=True)
    for link in links:
        if link.startswith(("https://", "http://")):
            escaped = html.escape(link, quote=True)
            shown = shown.replace(escaped, f'<a href="{escaped}">{escaped}</a>')
    return shown.replace("\n", "<br>\n")


def slack_text(text: str) -> str:
    """Return `text` as Slack mrkdwn that shows it: no markup, no link, nobody mentioned.

    `<` carries mentions and links. A word joiner keeps `*`, `_`, `~` from opening or closing a format, a backtick
    from opening code, and `@here` and its like from being read as mentions.
    """
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    text = re.sub(r"@(?=here|channel|everyone)", "@\u2060", text)
    return re.sub(r"(?<!\w)[*_~]|[*_~](?!\w)|`", "\u2060\\g<0>\u2060", text)


def environment() -> ImmutableSandboxedEnvironment:
    """Return an environment that loads nothing, has no globals and puts every `{{ }}` through `plain`.

    It makes plain text; what the text becomes on a channel (HTML, mrkdwn) is decided on the whole of it, so neither
    a field nor a template can bring markup of its own.
    """
    made = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined,
        autoescape=False,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
        cache_size=0,
    )
    made.globals.clear()
    made.filters = {name: made.filters[name] for name in FILTERS}
    made.tests = {name: made.tests[name] for name in _TESTS | {"=="} if name in made.tests}
    return made


def _finalize(value: Any) -> Any:
    if isinstance(value, StrictUndefined):
        return value  # making text of it raises, with the name
    return plain(str(value))


def check(source: str) -> None:
    """Raise TemplateRefused unless `source` is a template of the allowed kind."""
    if len(source) > LONGEST_SOURCE:
        raise TemplateRefused(f"the template is {len(source)} characters long, at most {LONGEST_SOURCE} are allowed")
    try:
        tree = environment().parse(source)
    except (jinja2.TemplateSyntaxError, RecursionError, MemoryError) as error:
        line = getattr(error, "lineno", None) or 1
        raise TemplateRefused(f"line {line}: {getattr(error, 'message', None) or 'too deeply nested'}") from None
    _check(tree, 0, 0)


def _check(node: nodes.Node, depth: int, loops: int) -> None:
    line = getattr(node, "lineno", 1)
    name = type(node).__name__
    if depth > _DEEPEST:
        raise TemplateRefused(f"line {line}: nested too deeply, at most {_DEEPEST} levels are allowed")
    if not isinstance(node, _ALLOWED):
        raise TemplateRefused(f"line {line}: {name} is not allowed; use fields, if, for and: {', '.join(FILTERS)}")
    match node:
        case nodes.Getattr(attr=attr) if attr.startswith("_"):
            raise TemplateRefused(f"line {line}: a field cannot start with an underscore: {attr}")
        case nodes.Filter(name=used) if used not in FILTERS:
            raise TemplateRefused(f"line {line}: unknown filter {used}; there are {', '.join(FILTERS)}")
        case nodes.Test(name=used) if used not in _TESTS:
            raise TemplateRefused(f"line {line}: unknown test {used}; there are {', '.join(sorted(_TESTS))}")
        case nodes.For():
            loops += 1
            if loops > _DEEPEST_LOOP or node.recursive:
                raise TemplateRefused(f"line {line}: at most {_DEEPEST_LOOP} loops inside each other, none recursive")
        case _:
            pass
    for child in node.iter_child_nodes():
        _check(child, depth + 1, loops)
