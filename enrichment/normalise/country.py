"""Countries as typed, to ISO 3166-1 alpha-2."""

import re
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache

import phonenumbers
from rapidfuzz import fuzz, process

from enrichment.normalise import iso
from enrichment.normalise.text import folded

_ALIASES: Mapping[str, str] = {
    "usa": "US", "u s a": "US", "u s": "US", "america": "US", "united states of america": "US",
    "the united states": "US",
    "the us": "US", "us of a": "US", "estados unidos": "US", "etats unis": "US", "vereinigte staaten": "US",
    "uk": "GB", "u k": "GB", "england": "GB", "scotland": "GB", "wales": "GB", "great britain": "GB", "britain": "GB",
    "northern ireland": "GB", "united kingdom": "GB", "grossbritannien": "GB",
    "deutschland": "DE", "allemagne": "DE", "alemania": "DE", "brd": "DE", "osterreich": "AT", "oesterreich": "AT",
    "schweiz": "CH", "suisse": "CH", "svizzera": "CH", "holland": "NL", "nederland": "NL", "the netherlands": "NL",
    "espana": "ES", "italia": "IT", "brasil": "BR", "mexico": "MX", "polska": "PL", "sverige": "SE", "norge": "NO",
    "danmark": "DK", "suomi": "FI", "belgie": "BE", "belgique": "BE", "czech republic": "CZ", "ireland": "IE",
    "republic of ireland": "IE", "eire": "IE", "turkey": "TR", "turkiye": "TR", "russia": "RU",
    "russian federation": "RU",
    "south korea": "KR", "korea": "KR", "republic of korea": "KR", "north korea": "KP", "taiwan": "TW", "vietnam": "VN",
    "uae": "AE", "emirates": "AE", "dubai": "AE", "ksa": "SA", "hong kong": "HK", "macau": "MO", "iran": "IR",
    "syria": "SY", "tanzania": "TZ", "venezuela": "VE", "bolivia": "BO", "moldova": "MD", "laos": "LA", "brunei": "BN",
    "ivory coast": "CI", "cape verde": "CV", "swaziland": "SZ", "macedonia": "MK", "palestine": "PS", "vatican": "VA",
    "prc": "CN", "mainland china": "CN", "peoples republic of china": "CN", "people s republic of china": "CN",
    "nippon": "JP", "nihon": "JP", "bharat": "IN", "rsa": "ZA", "nz": "NZ", "aus": "AU", "aotearoa": "NZ", "el": "GR",
    "сша": "US", "россия": "RU", "рф": "RU", "росія": "RU", "великобритания": "GB", "англия": "GB", "米国": "US",
    "アメリカ": "US", "イギリス": "GB", "ee uu": "US", "eeuu": "US", "mejico": "MX", "hong kong sar": "HK",
    "hellas": "GR", "magyarorszag": "HU", "romania": "RO", "maroc": "MA", "algerie": "DZ", "drc": "CD", "kosovo": "XK",
    "xk": "XK", "xkx": "XK",  # no code of ISO 3166-1, but what everybody writes
}  # fmt: skip

_TYPO_SCORE = 88
_LANGUAGES = (
    *("de", "fr", "es", "it", "pt", "nl", "pl", "sv", "da", "nb_NO", "fi", "cs", "tr", "ru", "uk", "ja", "zh_CN", "ko"),
)
_ARTICLE = re.compile(r"^(?:the|die|der|das|la|le|les|el|los|il|gli|os|as?) ")
_DIAL_CODE = re.compile(r"\+(\d{1,3})")
_FLAG_A = 0x1F1E6  # the regional indicator "A": a flag is two of them


@cache
def _known() -> Mapping[str, str]:
    rows: dict[str, str] = {}
    for country in iso.countries():
        for attribute in ("alpha_3", "name", "official_name", "common_name"):
            text = getattr(country, attribute, None)
            if text:
                rows[folded(text)] = country.alpha_2
        rows[country.alpha_2.lower()] = country.alpha_2
    return {**rows, **_ALIASES}


@cache
def _long_names() -> tuple[str, ...]:
    return tuple(name for name in _known() if len(name) > 4)


@cache
def _in_other_words() -> Mapping[str, str]:
    """Names of countries in other languages, as their writers type them; the first language wins where two differ."""
    rows: dict[str, str] = {}
    countries = tuple(iso.countries())
    for language in _LANGUAGES:
        told = iso.country_names(language)
        for country in countries:
            for name in (country.name, getattr(country, "common_name", country.name)):
                local = told.gettext(name)
                rows.setdefault(local.casefold(), country.alpha_2)
                rows.setdefault(folded(local), country.alpha_2)
    rows.pop("", None)
    return rows


@lru_cache(maxsize=4_096)  # forms offer lists: the same words come again and again
def code(text: str) -> str | None:
    """Return alpha-2 of a country's name, code or common misspelling; None where it is none."""
    for words in _readings(text):
        found = _known().get(words) or _in_other_words().get(words)
        if found:
            return found
    words = folded(text)
    if len(words) < 5:
        return _by_sign(text)
    near = process.extractOne(words, _long_names(), scorer=fuzz.ratio, score_cutoff=_TYPO_SCORE)
    return _known()[near[0]] if near else None


def _readings(text: str) -> Iterator[str]:
    """Yield what may be a name in `text`: all of it, without an article, what follows a comma ("London, UK")."""
    words = folded(text)
    if words:
        yield words
        yield _ARTICLE.sub("", words)
    else:
        yield text.strip().casefold()
    if "," in text:
        yield folded(text.rpartition(",")[2])


def _by_sign(text: str) -> str | None:
    """Return the country of a flag, or of a dial code that only one country has."""
    flag = "".join(chr(ord("A") + ord(sign) - _FLAG_A) for sign in text if 0 <= ord(sign) - _FLAG_A < 26)
    if len(flag) == 2:
        return _known().get(flag.lower())
    dialled = _DIAL_CODE.fullmatch(text.strip())
    regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(int(dialled[1]), ()) if dialled else ()
    return _known().get(regions[0].lower()) if len(regions) == 1 else None
