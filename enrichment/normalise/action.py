"""What a person did and where the lead came from, as tokens that rules are written in."""

from collections.abc import Mapping

from enrichment.normalise.text import folded, token
from schemas.vocabulary import ACTIONS, SOURCES, read_as


def action(text: str, own: Mapping[str, str]) -> str | None:
    """Return the token of an act ("Request a Demo" -> "demo"). own: the org's words, which win."""
    return _found(text, own, ACTIONS)


def source(text: str, own: Mapping[str, str]) -> str | None:
    """Return the token of a source ("Google Ads" -> "ads"). own: the org's words, which win."""
    return _found(text, own, SOURCES)


def _found(text: str, own: Mapping[str, str], words_of: Mapping[str, tuple[str, ...]]) -> str | None:
    if text in words_of and not own:
        return text
    words = folded(text)
    stated = own.get(text) or own.get(words)
    return stated or read_as(words, words_of) or token(text)
