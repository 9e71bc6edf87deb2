"""Company names: without the legal form, and a key to compare by."""

import re
from functools import cache, lru_cache

import cleanco
from cleanco.clean import custom_basename
from rapidfuzz import fuzz

from enrichment.normalise.text import folded, without_symbols

_EDGES = " \t,;|-\u2013\u2014\"'\u201c\u201d"
_MOST_FORMS = 6  # folding may lay bare another legal form: "Acme (Inc) S.A."
_BEFORE = re.compile(r"^(?:ООО|ЗАО|ОАО|ПАО|АО|株式会社|有限会社)\s*", re.IGNORECASE)  # noqa: RUF001
_UG = re.compile(r"\s+UG(?:\s*\(haftungsbeschr(?:ä|ae?)nkt\))?$", re.IGNORECASE)  # cleanco lacks it
_REMEMBERED = 8_192  # one lead's name is asked for three times, and many leads come from one company
_Terms = list[tuple[int, list[str]]]


@cache
def _terms_by_last_word() -> dict[str, _Terms]:
    """A name is compared with the legal forms that end like it: with all 321 it takes five times as long."""
    rows: dict[str, _Terms] = {}
    for size, parts in cleanco.prepare_default_terms():
        rows.setdefault(parts[-1], []).append((size, parts))
    return rows


@lru_cache(maxsize=_REMEMBERED)
def name(text: str) -> str:
    """Return the name without legal forms at its end, "Acme Robotics GmbH & Co. KG" -> "Acme Robotics"."""
    shorter = _without_form(text)
    if shorter[:4].lower() == "the " and text.rstrip(" .").lower() == f"{shorter} company".lower():
        return f"{shorter} {text.rstrip(' .')[-7:]}"  # "The Boring Company" is called so
    return shorter


def _without_form(text: str) -> str:
    text = _UG.sub("", (without_symbols(text) or text).strip(_EDGES))
    if not text.isascii():
        text = _BEFORE.sub("", text) or text
    terms_of = _terms_by_last_word()
    for _ in range(_MOST_FORMS):
        last = text.rsplit(" ", 1)[-1].strip(".,()").replace(".", "").lower()
        if not last.isascii():
            last = folded(last)
        terms = terms_of.get(last)
        if terms is None:
            return text
        shorter = custom_basename(text, terms).strip(_EDGES + "&") or text
        if shorter == text:
            return text
        text = shorter
    return text


@lru_cache(maxsize=_REMEMBERED)
def key(text: str) -> str:
    """Return what two spellings of one name share: folded, no legal form, no leading "the"."""
    words = text
    for _ in range(_MOST_FORMS):
        named = folded(_without_form(words).replace("&", " and "))
        shorter = " ".join(word for word in named.split(" ") if word != "and")
        shorter = shorter.removeprefix("the ")
        if shorter == words:
            break
        words = shorter
    return words


def likeness(one: str, other: str) -> float:
    """Return 0 to 1: how alike two names are, whatever their order of words and legal forms."""
    return fuzz.token_sort_ratio(key(one), key(other)) / 100
