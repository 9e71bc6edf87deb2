"""Words and comparisons of conditions that no lead ever meets: "Germany" for DE, dates as 01.12.2026, `== null`."""

import re
from collections.abc import Callable, Iterator
from datetime import date, time
from typing import Any

from routing.conditions import Condition, written
from routing.expression import Comparison, Fact, Op, Opaque, leaves
from routing.finding import Finding, Severity
from routing.policy import Policy, condition_texts
from routing.policy_errors import meant, place
from schemas.vocabulary import ACTIONS, DEPARTMENTS, INDUSTRIES, SENIORITIES, SOURCES, read_as

CLOSED = {"company.industry": INDUSTRIES, "lead.seniority": SENIORITIES, "lead.department": DEPARTMENTS}
READ = {"lead.action": ACTIONS, "lead.source": SOURCES}
_ORDERS = (Op.LESS, Op.AT_MOST, Op.MORE, Op.AT_LEAST)
_QUOTED = re.compile(r""""(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'""")
_CHAINED = re.compile(r"[<>]=?[^&|()<>=!?]+[<>]")
_IN_TEXT = re.compile(r"\bin\s+\"")
_NULL = re.compile(r"[=!]=\s*null\b|\bnull\s*[=!]=")

Refusal = tuple[str, str]
"""What is wrong with a word, and what to write."""


def word_findings(policy: Policy) -> Iterator[Finding]:
    """Yield, for every condition of the file, what can never hold though it parses."""
    for path, text in condition_texts(policy.file):
        for severity, code, what, allowed in _of(policy.conditions[text]):
            yield place(policy.document, path, severity, code, what, allowed)


def _of(condition: Condition) -> Iterator[tuple[Severity, str, str, str]]:
    for leaf in leaves(condition.node):
        if isinstance(leaf, Opaque):
            yield _beyond(leaf)
        elif leaf.op not in (Op.STARTS, Op.ENDS, Op.CONTAINS, Op.KNOWN, Op.TRUE):
            for value in leaf.expected if isinstance(leaf.expected, tuple) else (leaf.expected,):
                if value is not None and (wrong := refusal(leaf.field, value, leaf)) is not None:
                    severity = Severity.WARNING if leaf.field in READ else Severity.ERROR
                    yield severity, "condition.word", *wrong


def _beyond(leaf: Opaque) -> tuple[Severity, str, str, str]:
    bare = _QUOTED.sub('""', leaf.text)
    for pattern, what, allowed in (
        (_NULL, "a fact is never null: what is unknown is left out.", "Write has(x), or !has(x)."),
        (_CHAINED, "two comparisons in a row compare the first one's answer.", "Write x > 100 && x < 200."),
        (_IN_TEXT, "`in` looks into a list, not into a text.", 'Write x in ["a", "b"], or x.contains("a").'),
    ):
        if pattern.search(bare):
            return Severity.ERROR, "condition.never", f"{what[:-1]}; {leaf.text} can never hold.", allowed
    what = f"`{leaf.text}` is beyond what lint can look into; it is taken as possible, and told as it is written."
    return Severity.WARNING, "condition.beyond", what, "docs/policy.md says which operators are looked into."


def refusal(name: str, value: Fact, test: Comparison | None = None) -> Refusal | None:
    """Return why a fact never has this value, and what to write instead; None where it may.

    test: the comparison it stands in; what is only before or after a word need not be one.
    """
    if name == "hour":
        last = 24 if test is not None and test.op is Op.LESS else 23
        is_hour = isinstance(value, int | float) and 0 <= value <= last
        return None if is_hour else (f"hour is 0 to 23; {value} is none of them.", "Midnight is 0.")
    check = _FORMS.get(name)
    if not isinstance(value, str) or (test is not None and test.op in _ORDERS and name not in ("date", "time_of_day")):
        return None
    if name in CLOSED:
        words = CLOSED[name]
        known = value in words
        return None if known else (f"{name} is never {written(value)}.{meant(value.lower(), words)}", _listed(words))
    if name in READ:
        read = read_as(value.strip().lower(), READ[name])
        wrong = f"what is called {written(value)} comes as {written(read)}: {name} is never {written(value)}."
        kept = f"Write {written(read)}, or keep the word under `{name[5:]}s` of the org file."
        return None if read in (None, value) else (wrong, kept)
    return check(name, value) if check is not None else None


def _listed(words: tuple[str, ...]) -> str:
    return f"Allowed: {', '.join(words)}."


def _country(name: str, value: str) -> Refusal | None:
    import pycountry  # lists of a hundred kilobytes, for lint alone

    if value.isupper() and pycountry.countries.get(alpha_2=value) is not None:
        return None
    found = None if value.upper() == "UK" else _looked_up(pycountry.countries.lookup, value)
    code = "GB" if value.upper() == "UK" else found.alpha_2 if found is not None else None
    return f"{name} is never {written(value)}.{_meant(code)}", 'Countries are ISO 3166 codes, such as "DE".'


def _state(name: str, value: str) -> Refusal | None:
    import pycountry

    if re.fullmatch(r"[A-Z0-9]{1,3}", value):
        return None
    found = _looked_up(pycountry.subdivisions.lookup, value)
    code = found.code.partition("-")[2] if found is not None else None
    return f"{name} is never {written(value)}.{_meant(code)}", 'States are codes without the country, such as "TX".'


def _language(name: str, value: str) -> Refusal | None:
    import pycountry

    if value.islower() and pycountry.languages.get(alpha_2=value) is not None:
        return None
    found = _looked_up(pycountry.languages.lookup, value)
    code = getattr(found, "alpha_2", None)
    return f"{name} is never {written(value)}.{_meant(code)}", 'Languages are ISO 639-1 codes, such as "de".'


def _looked_up(lookup: Callable[[str], Any], value: str) -> Any:
    try:
        return lookup(value)
    except LookupError:
        return None


def _meant(code: str | None) -> str:
    return f" Did you mean {code!r}?" if code else ""


def _date(name: str, value: str) -> Refusal | None:
    try:
        is_date = date.fromisoformat(value).isoformat() == value
    except ValueError:
        is_date = False
    return None if is_date else (f"{name} is never {written(value)}.", 'Write dates as "2026-12-01".')


def _time(name: str, value: str) -> Refusal | None:
    try:
        is_time = time.fromisoformat(value).strftime("%H:%M") == value
    except ValueError:
        is_time = value == "24:00"
    return None if is_time else (f"{name} is never {written(value)}.", 'Write times as "09:30".')


_FORMS: dict[str, Callable[[str, str], Refusal | None]] = {
    "company.country": _country,
    "lead.phone_country": _country,
    "company.state": _state,
    "lead.language": _language,
    "date": _date,
    "time_of_day": _time,
}
