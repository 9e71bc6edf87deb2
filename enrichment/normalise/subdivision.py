"""States, provinces and the like, to the subdivision's code without its country: "Texas" -> "TX"."""

from collections.abc import Mapping
from functools import cache, lru_cache

import us
from rapidfuzz import fuzz, process

from enrichment.normalise import iso
from enrichment.normalise.text import folded

_TYPO_SCORE = 85
_ALIASES = {
    ("US", "calif"): "CA", ("US", "cali"): "CA", ("US", "mass"): "MA", ("US", "penn"): "PA", ("US", "penna"): "PA",
    ("US", "washington dc"): "DC", ("US", "d c"): "DC", ("US", "washington d c"): "DC", ("US", "tex"): "TX",
    ("US", "fla"): "FL", ("US", "n y"): "NY", ("US", "n j"): "NJ", ("US", "n c"): "NC", ("US", "new york state"): "NY",
    ("US", "n carolina"): "NC", ("US", "s carolina"): "SC", ("US", "n dakota"): "ND", ("US", "s dakota"): "SD",
    ("US", "w virginia"): "WV", ("US", "n mexico"): "NM", ("US", "washington state"): "WA", ("US", "nyc"): "NY",
    ("US", "new york city"): "NY", ("CA", "pei"): "PE", ("CA", "newfoundland"): "NL",
    ("CA", "bc"): "BC", ("CA", "b c"): "BC", ("CA", "yukon territory"): "YT", ("DE", "bavaria"): "BY",
    ("DE", "north rhine westphalia"): "NW", ("DE", "nrw"): "NW", ("DE", "saxony"): "SN", ("DE", "hesse"): "HE",
    ("DE", "lower saxony"): "NI", ("DE", "rhineland palatinate"): "RP", ("DE", "thuringia"): "TH",
}  # fmt: skip


@cache
def _known() -> Mapping[tuple[str, str], str]:
    rows: dict[tuple[str, str], str] = {}
    for row in iso.subdivisions():
        short = row.code.partition("-")[2]
        rows.setdefault((row.country_code, folded(row.name)), short)
        rows[row.country_code, short.lower()] = short
    for state in us.states.STATES_AND_TERRITORIES:
        for text in (state.name, state.abbr, state.ap_abbr or state.name):
            rows["US", folded(text)] = state.abbr
    rows["US", "dc"] = "DC"
    return rows | _ALIASES


@cache
def _names(country: str) -> tuple[str, ...]:
    return tuple(name for where, name in _known() if where == country and len(name) > 4)


@cache
def _home_markets() -> Mapping[str, tuple[str, str]]:
    """What names one place: the country need not be said. Of the US and Canada codes too, there it is left out most."""
    homes: dict[str, set[tuple[str, str]]] = {}
    for (where, name), short in _known().items():
        if len(name) > 4 and where not in ("US", "CA"):
            homes.setdefault(name, set()).add((where, short))
    rows = {name: next(iter(places)) for name, places in homes.items() if len(places) == 1}
    for home in ("CA", "US"):
        rows |= {name: (home, short) for (where, name), short in _known().items() if where == home}
    return rows


@lru_cache(maxsize=4_096)  # forms offer lists: the same words come again and again
def place(text: str, country: str | None) -> tuple[str, str] | None:
    """Return (country, code) of a subdivision as typed, or None.

    Without `country` names that only one country has are read, and codes of the US and Canada: codes of two letters
    mean something in many countries.
    """
    words = folded(text)
    if country is None:
        head, _, tail = words.partition(" ")
        if head in ("us", "ca") and (head.upper(), tail) in _known():
            return head.upper(), _known()[head.upper(), tail]
        return _home_markets().get(words)
    known = _known()
    for candidate in (words, words.removeprefix(country.lower() + " "), *map(folded, text.split(",")[:3])):
        short = known.get((country, candidate))
        if short:
            return country, short
    if len(words) < 5:
        return None
    near = process.extractOne(words, _names(country), scorer=fuzz.ratio, score_cutoff=_TYPO_SCORE)
    return (country, known[country, near[0]]) if near else None
