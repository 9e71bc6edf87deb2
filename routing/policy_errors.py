"""The messages of a policy or roster file that is not of the right form: pydantic's findings in a person's words."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from routing.finding import Finding, Severity
from routing.policy_yaml import Document, Path
from schemas.policy_file import DIVISION, Place, PolicyFile

TARGETS = f"A target is {', '.join(place.value for place in Place)}, {{pool: NAME}} or {{queue: NAME}}."
MOST_SHOWN = 60  # characters of a value
_PLAIN = {None: "null", True: "true", False: "false"}  # as the file has them
MOST_LISTED = 12  # beside a guess what was meant, a longer list helps nobody
# Keys by which people try to name a person where only groups and roles may stand (RUL-4).
PERSONAL = ("rep", "reps", "person", "name", "names", "id", "ids", "email", "user", "users", "assignee")


def form_findings(
    error: ValidationError, document: Document, model: type[BaseModel] = PolicyFile, base: Path = ()
) -> list[Finding]:
    """Return one finding for each place that is wrong, with what is allowed there.

    model: what was read at `base` of the document, such as one entry of a roster.
    """
    found: dict[Path, Finding] = {}
    data = document.data
    for part in base:
        data = data[part]
    for row in error.errors(include_url=False, include_context=True):
        path = (*base, *_written_path(row["loc"], data))
        if _is_target(path):
            path = path[:3]
        if path not in found:
            beside, inside = (tuple(_allowed_keys(model, path[len(base) : end])) for end in (-1, None))
            found[path] = _finding(row, path, document, beside, inside)
    return list(found.values())


def _finding(
    row: Mapping[str, Any], path: Path, document: Document, keys: Sequence[str], inner: Sequence[str]
) -> Finding:
    code, (what, allowed) = "file.value", _value(row)
    last = path[-1] if path else ""
    if _is_target(path) and "to" in document.data[path[0]][path[1]]:
        code, what, allowed = _target(document, path)
    elif row["type"] == "extra_forbidden":
        code, what, allowed = _unknown_key(path, str(last), keys)
    elif row["type"] == "missing":
        code, what, allowed = "file.missing", f"{last!r} is missing.", _why_needed(str(last))
    elif row["type"] in ("enum", "literal_error"):
        word = str(row["input"])
        what = f"{row['input']!r} is not known here.{meant(_ELSEWHERE.get(word.lower(), word), _words(row))}"
        allowed = f"Allowed: {', '.join(_words(row))}."
    elif row["type"] in ("model_type", "dict_type") and inner:
        allowed = f"Write it as a mapping of {', '.join(inner)}."
    elif "." in row["type"]:  # one of ours: the type is the code, and the context says what is allowed
        code, allowed = row["type"], str(row["ctx"]["allowed"])
    where = document.where(path)
    return Finding(Severity.ERROR, code, where, what, allowed)


_ELSEWHERE = {"junior": "new", "mid": "normal", "regular": "normal", "weighted_round_robin": "weighted"}
"""What other products call one of our words, where spelling would guess another."""


def _value(row: Mapping[str, Any]) -> tuple[str, str]:
    """Return what is wrong with a value, in a person's words, and what may stand there."""
    kind, value = str(row["type"]), _shown(row.get("input"))
    for kinds, noun, allowed in _KINDS:
        if kind in kinds:
            is_shift = "week" in row["loc"]
            return f"{value} is no {noun}.", _SHIFTS if is_shift else _as_meant(kind, row.get("input")) or allowed
    bounds = {"greater_than_equal": "ge", "less_than_equal": "le", "greater_than": "gt", "less_than": "lt"}
    if kind in bounds:
        words = {"ge": "at least", "le": "at most", "gt": "more than", "lt": "less than"}[bounds[kind]]
        bound = row["ctx"][bounds[kind]]
        hint = _share(row["input"], "") if kind == "less_than_equal" and bound == 1 else ""
        return f"{value} is out of range.", f"It is {words} {bound:g}.{hint}"
    if kind in ("string_too_short", "too_short"):
        return ("this is empty." if not row["input"] else f"{value} is too short."), "Write it out."
    if kind in ("bool_parsing", "bool_type"):
        return f"{value} is neither true nor false.", "Write true or false."
    if kind == "string_pattern_mismatch":
        return f"{value} is not spelt as it must be.", _SPELLINGS.get(str(row["ctx"]["pattern"]), "")
    if kind == "timezone_aware":
        return f"{value} has no zone.", "Write instants as 2026-03-01T09:00:00Z or 2026-03-01T09:00:00-06:00."
    return f"{row['msg'].removeprefix('Value error, ')}.", ""


_SHIFTS = 'Write the shifts of a day as [["09:00", "12:30"], ["13:30", "18:00"]].'


def _as_meant(kind: str, value: Any) -> str:
    """Return how to write what a person has written in another way: 20%, 1,5 or a single word for a list."""
    if kind.startswith(("float", "int")) and isinstance(value, str):
        text = value.strip()
        if text.endswith("%"):
            return _share(text[:-1], "%").strip() or "Write it without a percent sign."
        if re.fullmatch(r"-?\d+,\d+", text):
            return f"Decimals have a point: {text.replace(',', '.')}."
    if kind.startswith("date") and re.fullmatch(r"[34]\d{4}", str(value)):
        day = date(1899, 12, 30) + timedelta(days=int(value))
        return f"It may be a spreadsheet's number for {day}: write it so, as text."
    if kind in ("tuple_type", "list_type"):
        if isinstance(value, Mapping):
            return "Put a - before it, or [ ] around it."
        if isinstance(value, str) and len(value) <= MOST_SHOWN:
            return f"Write it as [{value}]."
    return ""


def _share(value: Any, sign: str) -> str:
    try:
        share = float(value) / 100
    except (TypeError, ValueError):
        return ""
    return f" {value}{sign or '%'} is written {share:g}." if sign or share <= 1 else ""


_KINDS = (
    (("string_type", "string_sub_type"), "text", "Put it in quotes."),
    (("int_parsing", "int_type", "int_from_float"), "whole number", ""),
    (("float_parsing", "float_type"), "number", "Write it without quotes and units."),
    (("model_type", "dict_type", "model_attributes_type"), "mapping", "Write it as key: value."),
    (("tuple_type", "list_type"), "list", "Write it as [one, two]."),
    (
        ("date_type", "date_parsing", "date_from_datetime_parsing", "date_from_datetime_inexact"),
        "date",
        "Write it as 2026-03-01.",
    ),
    (
        ("datetime_type", "datetime_parsing", "datetime_from_date_parsing", "datetime_object_invalid"),
        "instant",
        "Write instants as 2026-03-01T09:00:00Z.",
    ),
)
"""Kinds of pydantic's errors by what the value should have been."""


_SPELLINGS = {
    DIVISION: "Use small letters, digits and hyphens, 31 at most.",
    "^[A-Z]{2}$": 'Write two capital letters, such as "DE".',
}
"""How to spell what a pattern refuses."""


def _is_target(path: Path) -> bool:
    return len(path) >= 3 and path[0] in ("rules", "examples") and path[2] == "to"


def _target(document: Document, path: Path) -> tuple[str, str, str]:
    value = document.data[path[0]][path[1]]["to"]
    if isinstance(value, Mapping) and any(key in PERSONAL for key in value):
        key = next(key for key in value if key in PERSONAL)
        what = f"{key}: {value[key]!r} names a person; rules name groups and roles."
        return "rule.names_person", what, TARGETS
    return "rule.target", f"{_shown(value)} is no target.{_meant_group(document, value)}", TARGETS


def _meant_group(document: Document, value: Any) -> str:
    """Return a guess where the name of a pool or queue stands bare, or with a word before it."""
    name = str(value).rpartition(" ")[2] if isinstance(value, str) else ""
    for noun in ("pool", "queue"):
        known = document.data.get(f"{noun}s")
        if isinstance(known, Mapping) and name in known:
            return f" Did you mean {{{noun}: {name}}}?"
    return ""


def _unknown_key(path: Path, key: str, allowed: Sequence[str]) -> tuple[str, str, str]:
    if key in PERSONAL and len(path) > 1 and path[-2] in ("members", "lead", "owner", "manager", "leadership"):
        what = f"{key!r} names a person; a group is chosen by what people are."
        return "selector.names_person", what, f"Allowed: {', '.join(allowed)}."
    near = meant(key, allowed)
    listed = "" if not allowed or (near and len(allowed) > MOST_LISTED) else f"Allowed: {', '.join(allowed)}."
    return "file.unknown_key", f"{key!r} is not known here.{near}", listed


def _why_needed(key: str) -> str:
    reasons = {
        "because": "Every rule says why it exists.",
        "say": "Every rule says in a plain sentence what it does.",
        "owner": "Every rule has one person or team who answers for it; every queue has an owner.",
        "manager": "Every queue has a manager, who gets what nobody claims.",
        "lead": "Every pool has a team lead, who is accountable for what waits.",
        "to": TARGETS,
        "timezone": "Write a zone such as America/New_York.",
        "id": "Everybody on the roster has an id of their own, which stays theirs.",
        "name": "Write the name that people know.",
    }
    return reasons.get(key, "")


def meant(word: str, allowed: Sequence[str]) -> str:
    """Return " Did you mean …?" where one of `allowed` is near, else nothing."""
    close = get_close_matches(word, allowed, n=1, cutoff=0.6)
    return f" Did you mean {close[0]!r}?" if close else ""


def _words(row: Mapping[str, Any]) -> tuple[str, ...]:
    said = str(row["ctx"]["expected"]).replace(" or ", ", ")
    return tuple(word.strip().strip("'") for word in said.split(","))


def _shown(value: Any) -> str:
    text = _PLAIN[value] if value is None or isinstance(value, bool) else repr(value)
    return text if len(text) <= MOST_SHOWN else text[: MOST_SHOWN - 3] + "..."


def _written_path(loc: Sequence[str | int], data: Any) -> Path:
    """Return `loc` without the steps that pydantic adds (names of union members), as far as the file goes."""
    path: list[str | int] = []
    here = data
    for at, part in enumerate(loc):
        if isinstance(here, dict) and part in here:
            here = here[part]
            path.append(part)
        elif isinstance(here, list) and isinstance(part, int):
            here = here[part] if part < len(here) else None
            path.append(part)
        elif at == len(loc) - 1 and part != "[key]" and isinstance(part, str) and isinstance(here, dict):
            path.append(part)
    return tuple(path)


def _allowed_keys(model: Any, path: Path) -> Iterator[str]:
    for part in path:
        model = _inside(model, part)
    for member in _models(model):
        for name, info in member.model_fields.items():
            yield info.alias or name


def _inside(model: Any, part: str | int) -> Any:
    for member in _models(model):
        for name, info in member.model_fields.items():
            if part in (name, info.alias):
                return info.annotation
    return model  # a name in a mapping, or a place in a list: the value's type has been unwrapped already


def _models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models(part)]


def place(document: Document, path: Path, severity: Severity, code: str, what: str, allowed: str = "") -> Finding:
    """Return a finding at a path of the file."""
    return Finding(severity, code, document.where(path), what, allowed)
