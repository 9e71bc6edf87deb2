"""Countries as typed, to ISO 3166-1 alpha-2, and the sales region they lie in."""

from collections.abc import Mapping
from functools import cache, lru_cache

import pycountry
from rapidfuzz import fuzz, process

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
    "hellas": "GR", "magyarorszag": "HU", "romania": "RO", "maroc": "MA", "algerie": "DZ", "drc": "CD", "kosovo": "XK",
}  # fmt: skip

_APAC_WORDS = (
    "AF AS AU BD BN BT CC CK CN CX FJ FM GU HK HM ID IN IO JP KG KH KI KP KR KZ LA LK MH MM MN MO MP MV MY NC NF "
    "NP NR NU NZ PF PG PH PK PN PW SB SG TH TJ TK TL TM TO TV TW UM UZ VN VU WF WS"
)
_APAC = frozenset(_APAC_WORDS.split())
_AMER_WORDS = (
    "AG AI AR AW BB BL BM BO BQ BR BS BZ CA CL CO CR CU CW DM DO EC FK GD GF GL GP GS GT GY HN HT JM KN KY LC MF "
    "MQ MS MX NI PA PE PM PR PY SR SV SX TC TT US UY VC VE VG VI"
)
_AMER = frozenset(_AMER_WORDS.split())
_TYPO_SCORE = 88


@cache
def _known() -> Mapping[str, str]:
    rows: dict[str, str] = {}
    for country in pycountry.countries:
        for attribute in ("alpha_3", "name", "official_name", "common_name"):
            text = getattr(country, attribute, None)
            if text:
                rows[folded(text)] = country.alpha_2
        rows[country.alpha_2.lower()] = country.alpha_2
    return {**rows, **_ALIASES}


@cache
def _long_names() -> tuple[str, ...]:
    return tuple(name for name in _known() if len(name) > 4)


@lru_cache(maxsize=4_096)  # forms offer lists: the same words come again and again
def code(text: str) -> str | None:
    """Return alpha-2 of a country's name, code or common misspelling; None where it is none."""
    words = folded(text)
    found = _known().get(words)
    if found or len(words) < 5:
        return found
    near = process.extractOne(words, _long_names(), scorer=fuzz.ratio, score_cutoff=_TYPO_SCORE)
    return _known()[near[0]] if near else None


def region(country: str) -> str:
    """Return amer, apac or emea, the region that sells to alpha-2 `country`."""
    if country in _AMER:
        return "amer"
    return "apac" if country in _APAC else "emea"
