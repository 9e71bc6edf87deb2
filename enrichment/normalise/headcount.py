"""Head counts as people and forms give them, to one number."""

import math
import re
from typing import Any

MOST = 5_000_000
_NUMBER = re.compile(
    r"(\d{1,3}(?:[,.'\u2019\u202f\u00a0 ]\d{3})+(?!\d)|\d+(?:[.,]\d+)?)\s*(k\b|m\b|mio\b|million\b|thousand\b)?"
)
_RANGE = re.compile(r"-|\u2013|\u2014|\bto\b|\bbis\b|\bund\b|\band\b|\b[aeyà]\b|\bet\b|\.\.+|~")
_UNDER = re.compile(r"^(?:<=?|under|less than|fewer than|up to|below|unter|bis|weniger als|moins de|menos de|meno di)")
_WORDS = {"one": 1, "just me": 1, "only me": 1, "me": 1, "myself": 1, "self employed": 1, "solo": 1, "freelancer": 1}
_TIMES = {"k": 1_000, "thousand": 1_000, "m": 1_000_000, "mio": 1_000_000, "million": 1_000_000}


def number(value: Any) -> int | None:
    """Return head count 1 to 5,000,000, or None where `value` says none.

    A range gives its middle ("51-200" -> 125), "1,000+" its start, "<50" half. Thousands separators of any
    country and "1.5k" are read. Zero and below are no head count.
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return int(value) if math.isfinite(value) and 1 <= value <= MOST else None
    if not isinstance(value, str):
        return None
    text = value[:120].strip().lower()
    if text.startswith("-"):
        return None
    word = _WORDS.get(text.replace("-", " "))
    if word is not None:
        return word
    found = _NUMBER.findall(text)
    if not found:
        return None
    first = _count(*found[0])
    if _UNDER.match(text):
        return _bounded(max(1, first / 2))
    if len(found) > 1 and _RANGE.search(text):
        unit = found[1][1]
        second = _count(*found[1])
        if unit and not found[0][1] and first * _TIMES[unit] <= second:  # "1-5k"
            first *= _TIMES[unit]
        return _bounded((first + second) / 2 if second > first else first)
    return _bounded(first)


def _count(digits: str, unit: str) -> float:
    if re.fullmatch(r"\d{1,3}(?:[,.'\u2019\u202f\u00a0 ]\d{3})+", digits) and not (unit and digits.count(".") == 1):
        plain = re.sub(r"\D", "", digits)
    else:
        plain = digits.replace(",", ".")
    return float(plain) * _TIMES.get(unit, 1)


def _bounded(count: float) -> int | None:
    return int(count) if 1 <= count <= MOST else None
