"""Text as people type it, made plain: one line, no control characters, bounded."""

import html
import math
import re
import unicodedata
from typing import Any

FIELD_CHARACTERS = 500
_TAGS = re.compile(
    r"</?(?:a|b|i|u|p|br|hr|h[1-6]|div|span|script|style|font|em|strong|small|su[bp]|img|iframe|svg|[uo]l|li|t[rdh]|table)"
    r"(?:\s[^<>]*)?/?>",
    re.IGNORECASE,
)
_ENTITY = re.compile(r"&(?:[a-z]{2,8}|#\d{1,7});", re.IGNORECASE)
_SKIN_TONES = frozenset(map(chr, range(0x1F3FB, 0x1F400)))
_SPACES = re.compile(r"\s+")
_NOT_A_WORD = re.compile(r"[^a-z0-9]+")

# What a form's list offers to those who do not find themselves in it, folded.
NOT_SAID = frozenset(
    {
        *("other", "others", "misc", "miscellaneous", "various", "all", "none", "select", "please select"),
        *("please choose", "sonstige", "sonstiges", "andere", "keine angabe", "bitte wahlen", "autre", "autres"),
        *("otro", "otros", "otra", "outro", "outros", "altro", "overig", "anders"),
    }
)
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
    if "<" in text or "&" in text:  # pasted from a page, or escaped by a form
        text = _TAGS.sub(" ", _unescaped(text))
    if not (text.isascii() and text.isprintable()):
        text = "".join(_visible(character) for character in text)
        text = unicodedata.normalize("NFC", text)  # at last: what goes may have stood between two marks
    if "  " in text or text[:1] == " " or text[-1:] == " ":
        text = _SPACES.sub(" ", text).strip()
    text = text[:FIELD_CHARACTERS].strip()
    return None if text.lower() in _EMPTY else text


def _unescaped(text: str) -> str:
    """Return text that was escaped once, or again and again."""
    while _ENTITY.search(text) and (once := html.unescape(text)) != text:
        text = once
    return text


def _visible(character: str) -> str:
    category = unicodedata.category(character)
    if category[0] == "Z" or character in "\t\n\r\v\f":
        return " "
    return "" if category[0] == "C" else character


def without_symbols(text: str) -> str | None:
    """Return `text` without emoji and signs such as ™, or None where nothing else is in it."""
    if text.isascii():
        return text
    kept = (c for c in text if unicodedata.category(c) != "So" and c != "\ufe0f" and c not in _SKIN_TONES)
    return _SPACES.sub(" ", "".join(kept)).strip() or None


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
