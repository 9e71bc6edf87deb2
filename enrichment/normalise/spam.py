"""Signs that a submission is spam. They make a lead suspect, for review; they never drop it."""

import re
from typing import Any

_LINK = re.compile(r"https?://|www\.|\[url|<a\s", re.IGNORECASE)
_CASE_CHANGE = re.compile(r"[a-z][A-Z]")
_KEYBOARD_ROW = re.compile(r"asdfgh|sdfghj|dfghjk|fghjkl|zxcvbn|xcvbnm|wertyu|ertyui|rtyuio|tyuiop", re.IGNORECASE)
_CONSONANTS = re.compile(r"[bcdfghjklmnpqrstvwxz]{8,}", re.IGNORECASE)
MOST_LINKS = 3


def is_gibberish(text: str) -> bool:
    """Tell whether a name looks drawn at random: "XkJhGtRwQz", "sdfghjkl". Short words and capitals never do."""
    for word in re.findall(r"[A-Za-z]{8,}", text[:200]):
        if len(_CASE_CHANGE.findall(word)) >= 3 and not word.isupper():
            return True
        if not word.isupper() and (_CONSONANTS.search(word) or _KEYBOARD_ROW.search(word)):
            return True
    return False


def signs(trap: Any, fill_seconds: float | None, names: tuple[str | None, ...], message: str | None,
          min_fill_seconds: float) -> tuple[str, ...]:  # fmt: skip
    """Return what looks like spam, as "field.problem": trap.filled, form.too_fast, name.gibberish, message.links."""
    found = []
    if trap not in (None, "", False, 0, [], {}):
        found.append("trap.filled")
    if fill_seconds is not None and 0 <= fill_seconds < min_fill_seconds:
        found.append("form.too_fast")
    if any(text and is_gibberish(text) for text in names):
        found.append("name.gibberish")
    if any(text and _LINK.search(text) for text in names):
        found.append("name.link")
    if message and len(_LINK.findall(message[:20_000])) >= MOST_LINKS:
        found.append("message.links")
    return tuple(found)
