"""Company names: without the legal form, and a key to compare by."""

from functools import cache

import cleanco
from rapidfuzz import fuzz

from enrichment.normalise.text import folded

_EDGES = " \t,;|-\u2013\u2014\"'\u201c\u201d"
_Terms = list[tuple[int, list[str]]]


@cache
def _terms() -> tuple[_Terms, frozenset[str]]:
    terms = cleanco.prepare_default_terms()
    return terms, frozenset(parts[-1] for _, parts in terms)


def name(text: str) -> str:
    """Return the name without legal forms at its end, "Acme Robotics GmbH & Co. KG" -> "Acme Robotics"."""
    text = text.strip(_EDGES)
    _, endings = _terms()
    for _ in range(3):
        last = text.rsplit(" ", 1)[-1].strip(".,()").replace(".", "").lower()
        if last not in endings and not text.endswith((".", ")", ",")):
            return text
        shorter = cleanco.basename(text).strip(_EDGES + "&") or text
        if shorter == text:
            return text
        text = shorter
    return text


def key(text: str) -> str:
    """Return what two spellings of one name share: folded, no legal form, no leading "the"."""
    words = folded(name(text).replace("&", " and ")).removeprefix("the ")
    return words.replace(" and ", " ")


def likeness(one: str, other: str) -> float:
    """Return 0 to 1: how alike two names are, whatever their order of words and legal forms."""
    return fuzz.token_sort_ratio(key(one), key(other)) / 100
