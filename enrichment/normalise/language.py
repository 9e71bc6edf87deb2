"""Languages as stated, to ISO 639-1."""

from collections.abc import Mapping
from functools import cache, lru_cache

from enrichment.normalise import iso
from enrichment.normalise.text import folded

_OWN_NAMES: Mapping[str, str] = {
    "deutsch": "de", "espanol": "es", "castellano": "es", "francais": "fr", "italiano": "it", "portugues": "pt",
    "nederlands": "nl", "polski": "pl", "svenska": "sv", "norsk": "no", "dansk": "da", "suomi": "fi", "turkce": "tr",
    "mandarin": "zh", "cantonese": "zh", "farsi": "fa", "greek": "el", "flemish": "nl", "brazilian portuguese": "pt",
    "nb": "no", "nn": "no", "iw": "he", "cestina": "cs", "magyar": "hu", "romana": "ro", "bahasa": "id",
    "english us": "en", "english uk": "en", "american english": "en", "british english": "en",
}  # fmt: skip
_LOCAL = {"日本語": "ja", "中文": "zh", "한국어": "ko", "русский": "ru", "українська": "uk"}


@cache
def _known() -> Mapping[str, str]:
    rows: dict[str, str] = {}
    for language in iso.languages():
        two = getattr(language, "alpha_2", None)
        if two:
            rows |= {folded(language.name): two, language.alpha_3: two, two: two}
            rows.setdefault(folded(language.name).split(" ")[0], two)
    return {**rows, **_OWN_NAMES}


@lru_cache(maxsize=4_096)  # forms offer lists: the same words come again and again
def code(text: str) -> str | None:
    """Return ISO 639-1 of "en-US", "eng", "English", "Deutsch", "fr_CA,fr;q=0.9"; None where it is no language."""
    local = _LOCAL.get(text.strip().lower())
    if local:
        return local
    first = text.split(",")[0].split(";")[0]
    words = folded(first)
    found = _known().get(words)
    if found or not words:
        return found
    head = words.split(" ")[0]
    return _known().get(head) if len(head) in (2, 3) or "(" in first else None
