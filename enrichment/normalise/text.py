"""Text as people type it, made plain: one line, no control characters, bounded."""

import math
import re
import unicodedata
from typing import Any

FIELD_CHARACTERS = 500
_SPACES = re.compile(r"\s+")
_NOT_A_WORD = re.compile(r"[^a-z0-9]+")
_EMPTY = frozenset(
    {"", "-", "--", ".", "?", "n/a", "na", "none", "null", "nil", "undefined", "unknown", "not provided", "tbd", "xxx"}
)


def plain(value: Any) -> str | None:
    """Return `value` as one line of NFC text of 500 characters at most, or None where it says nothing.

    Numbers become text. Lists, objects and booleans say nothing: callers flag them.
    """
    if isinstance(value, str):
        text = value
    elif isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        text = str(value)
    else:
        return None
    text = text[: FIELD_CHARACTERS * 2]
    if not (text.isascii() and text.isprintable()):
        text = unicodedata.normalize("NFC", text)
        text = "".join(_visible(character) for character in text)
    if "  " in text or text[:1] == " " or text[-1:] == " ":
        text = _SPACES.sub(" ", text).strip()
    text = text[:FIELD_CHARACTERS].strip()
    return None if text.lower() in _EMPTY else text


def _visible(character: str) -> str:
    category = unicodedata.category(character)
    if category[0] == "Z" or character in "\t\n\r\v\f":
        return " "
    return "" if category[0] == "C" else character


def is_blank(value: Any) -> bool:
    """Tell whether `value` says nothing on purpose (absent, empty, "n/a"), which is no problem to flag."""
    return value is None or (isinstance(value, str) and plain(value) is None)


def folded(text: str) -> str:
    """Return lower-case ASCII words with single spaces: the form that look-ups compare. "Québec " -> "quebec"."""
    if not text.isascii():
        text = text.replace("ß", "ss").replace("ø", "o").replace("Ø", "o").replace("ł", "l").replace("æ", "ae")
        text = unicodedata.normalize("NFKD", text)
        text = "".join(character for character in text if not unicodedata.combining(character))
    return _NOT_A_WORD.sub(" ", text.lower()).strip()


def token(text: str) -> str | None:
    """Return a slug of 40 characters at most, "Request a Demo" -> "request_a_demo"; None where nothing is left."""
    return folded(text).replace(" ", "_")[:40].strip("_") or None
