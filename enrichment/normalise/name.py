"""Names of people, in parts, without guessing more than the spelling says."""

import re
from dataclasses import dataclass

from enrichment.normalise.text import without_symbols

_HONORIFIC = re.compile(r"^(?:(?:mr|mrs|ms|miss|mx|dr|prof|herr|frau|sir|dame|m|mme)\.?\s+)+", re.IGNORECASE)
_ASIDE = re.compile(r"\s*\([^()]*\)\s*$")
_SUFFIX = re.compile(r",?\s+(?:jr|sr|ii|iii|iv|phd|ph\.d|md|m\.d|mba|esq|cpa)\.?$", re.IGNORECASE)
_PARTICLES_WORDS = "van von de der den del della di da dos das du la le ten ter bin ibn al el zu zum st"
_PARTICLES = frozenset(_PARTICLES_WORDS.split())


@dataclass(frozen=True, slots=True)
class Name:
    """Parts of a name. full: as to greet in a list; first, last: None where the spelling does not tell."""

    full: str | None
    first: str | None
    last: str | None


def parts(full: str | None, first: str | None, last: str | None) -> Name:
    """Return the name in parts from whatever parts the form had. Stated parts win over parts taken from `full`."""
    if full is None:
        first, last = _cased_together(first, last)
        return Name(" ".join(part for part in (first, last) if part) or None, first, last)
    plain = _ASIDE.sub("", without_symbols(full) or "")
    untitled = _HONORIFIC.sub("", plain)
    is_titled = untitled != plain
    full = _SUFFIX.sub("", untitled).strip(" ,") or plain or None
    if full is None:
        return parts(None, first, last)
    family, comma, given = full.partition(",")
    if comma and given.strip():
        full = f"{given.strip()} {family.strip()}"
    full = cased(full) or full
    words = full.split()
    at = next((i for i, word in enumerate(words[1:], 1) if word.lower() in _PARTICLES), len(words) - 1)
    taken_first = words[0] if len(words) > 1 else None
    taken_last = " ".join(words[at:]) if len(words) > 1 else None
    if len(words) == 1 and is_titled:  # "Mr. Smith"
        return Name(full, cased(first), cased(last) or full)
    return Name(full, cased(first) or taken_first or full, cased(last) or taken_last)


def _cased_together(first: str | None, last: str | None) -> tuple[str | None, str | None]:
    """Three capitals alone may be initials; beside another shouted part they are a name ("JANE" "DOE")."""
    if first and last and len(first) > 2 and first.isupper() and last.isupper():
        first, last = first.lower(), last.lower()
    return cased(first), cased(last)


def cased(text: str | None) -> str | None:
    """Return text in title case where it was typed in one case only; mixed case is somebody's own spelling."""
    if text is None or not (text.islower() or (text.isupper() and len(text) > 3)):
        return text
    words = text.lower().split(" ")
    return " ".join(word if word in _PARTICLES and at else _capital(word) for at, word in enumerate(words))


def _capital(word: str) -> str:
    return "".join(part.capitalize() for part in re.split(r"([-'\u2019])", word))
