"""The built-in directory: 1,800 real listed companies (pytickersymbols), found by site, mail domain or name."""

import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any
from urllib.parse import unquote

from rapidfuzz import fuzz, process

from enrichment.normalise import company, country, domain, headcount, industry, subdivision
from enrichment.normalise.text import folded
from enrichment.providers.provider import Answer, Firmographics, Lookup, NotFound, Query
from schemas.lead import Company
from schemas.region import region_of

_ASIDES = re.compile(r"\([^)]*\)|\[[^\]]*\]")
_DOLLARS = re.compile(r"(?<![A-Z])(?:US ?|USD ?)?\$ ?([\d,]+(?:\.\d+)?) ?(trillion|billion|million|bn|B|M)\b")
_TIMES = {"trillion": 1e12, "billion": 1e9, "bn": 1e9, "B": 1e9, "million": 1e6, "M": 1e6}
_BY_DOMAIN_CONFIDENCE = 0.95
_BY_NAME_CONFIDENCE = 0.85
_LIKENESS = 90  # of 100: below it other companies are met more often than misspellings
_SHORTEST_FUZZY = 5
_SHORTEST_SHORT = 4


@dataclass(frozen=True, slots=True)
class _Index:
    by_domain: Mapping[str, tuple[Company, ...]]
    by_name: Mapping[str, tuple[Company, ...]]
    names_by_initial: Mapping[str, tuple[str, ...]]


def opened() -> Lookup:
    """Return the provider, its index built (0.3 s), so that no lead waits for that."""
    _index()
    return lookup


async def lookup(query: Query, deadline: float) -> Answer:
    """Return what the directory knows. Asks nobody, so `deadline` is never reached."""
    return find(query)


def find(query: Query) -> Answer:
    """Return the company on the query's domain, else of its name. Several: the likest name and country first."""
    index = _index()
    rows = index.by_domain.get(query.domain, ()) if query.domain else ()
    confidence, by = _BY_DOMAIN_CONFIDENCE, "domain"
    if not rows and query.company:
        rows, confidence, by = _named(query.company), _BY_NAME_CONFIDENCE, "name"
    if not rows:
        return NotFound()
    return Firmographics(rows[0], confidence, others=rows[1:], found_by=by)


def companies() -> tuple[Company, ...]:
    """Return every company of the directory once."""
    return tuple(dict.fromkeys(row for rows in _index().by_name.values() for row in rows))


@lru_cache(maxsize=8_192)
def _named(name: str) -> tuple[Company, ...]:
    index = _index()
    key = company.key(name)
    squeezed = key.replace(" ", "")
    exact = index.by_name.get(key) or index.by_name.get(squeezed) or index.by_name.get(folded(name).replace(" ", ""))
    if exact or len(key) < _SHORTEST_FUZZY:
        return exact or ()
    names = index.names_by_initial.get(key[:2], ())
    near = process.extractOne(key, names, scorer=fuzz.ratio, score_cutoff=_LIKENESS)
    return index.by_name[near[0]] if near else ()


@cache
def _index() -> _Index:
    by_domain: dict[str, list[Company]] = {}
    by_name: dict[str, list[Company]] = {}
    rows: list[tuple[Mapping[str, Any], Company]] = []
    for row in _listed():
        known = _company(row)
        if known.domain:
            _add(by_domain, known.domain, known)
        for key in _keys(row):
            _add(by_name, key, known)
        rows.append((row, known))
    for row, known in rows:
        short = _short_key(row)
        if short and short not in by_name:  # a full name of another company wins
            by_name[short] = [known]
    initials: dict[str, list[str]] = {}
    for key in by_name:
        initials.setdefault(key[:2], []).append(key)
    return _Index(
        {key: tuple(rows) for key, rows in by_domain.items()},
        {key: tuple(rows) for key, rows in by_name.items()},
        {key: tuple(names) for key, names in initials.items()},
    )


def _listed() -> list[Mapping[str, Any]]:
    """Return the rows of pytickersymbols. Its modules, 5 MB of text that the index needs no more, go again."""
    from pytickersymbols import PyTickerSymbols

    rows = list(PyTickerSymbols().iter_all_stocks())
    for name in ("pytickersymbols.indices_data", "pytickersymbols"):
        sys.modules.pop(name, None)
    return rows


def _add(rows: dict[str, list[Company]], key: str, known: Company) -> None:
    """Share classes of one company are listed apart ("Alphabet Class A", "… Class C"): one site, one company."""
    there = rows.setdefault(key, [])
    if not any(_is_same(known, other) for other in there):
        there.append(known)


def _is_same(one: Company, other: Company) -> bool:
    if one.domain and one.domain == other.domain:
        return one.employees == other.employees or company.likeness(one.name or "", other.name or "") > 0.6
    return one.name == other.name


_CLASSES = re.compile(r"\(?(?:class|series) [a-c]\)?$|\((?:the|[a-c])\)$| [abc]$|\bord(?:inary)?(?: shares)?$|\badr$",
                      re.IGNORECASE)  # fmt: skip


def _keys(row: Mapping[str, Any]) -> Iterator[str]:
    name = str(row.get("name") or "")
    article = unquote(str(_facts(row).get("wikipedia_url") or "").rsplit("/", 1)[-1]).replace("_", " ")
    for text in (name, _CLASSES.sub("", name).strip(), _ASIDES.sub("", article).strip()):
        key = company.key(text)
        if key:
            yield key
            yield key.replace(" ", "")
            yield folded(text.replace("&", "and")).replace(" ", "")


_GENERIC = frozenset({"group", "holding", "holdings", "corporation", "companies", "international", "technologies"})


def _short_key(row: Mapping[str, Any]) -> str | None:
    """Return the name without a last word that people leave out ("Alzchem Group"), where enough is left of it."""
    words = company.key(str(row.get("name") or "")).split(" ")
    while len(words) > 1 and words[-1] in _GENERIC:
        words.pop()
    short = " ".join(words)
    return short if len(short) >= _SHORTEST_SHORT else None


def _facts(row: Mapping[str, Any]) -> Mapping[str, Any]:
    facts = row.get("metadata")
    return facts if isinstance(facts, dict) else {}


def _company(row: Mapping[str, Any]) -> Company:
    facts = _facts(row)
    site = str(facts.get("website") or "").replace(" ", "")
    where, state, city = _headquarters(str(facts.get("headquarters") or ""), str(row.get("country") or ""))
    own = domain.of_site(site) if site else None
    return Company(
        name=company.name(_CLASSES.sub("", str(row.get("name") or "")).strip()) or None,
        domain=None if own in domain.SHARED_SITES else own,
        employees=_employees(facts.get("employees")),
        industry=industry.slug_of_any(str(text) for text in row.get("industries") or ()),
        country=where,
        state=state,
        region=region_of(where) if where else None,
        city=city,
        revenue=_revenue(str(facts.get("revenue") or "")),
    )


def _employees(text: Any) -> int | None:
    return headcount.number(_ASIDES.sub(" ", text) if isinstance(text, str) else text)


def _revenue(text: str) -> float | None:
    found = _DOLLARS.search(text)
    return float(found[1].replace(",", "")) * _TIMES[found[2]] if found else None


def _headquarters(text: str, listed: str) -> tuple[str | None, str | None, str | None]:
    """Return (country, state, city) of "Maplewood, Minnesota, U.S." or "…, Osaka 541-0045, Japan"."""
    best: tuple[str | None, str | None, str | None] = (None, None, None)
    for source in (text, listed):
        parts = [part.strip() for part in _ASIDES.split(source)[0].split(",") if part.strip()]
        where, rest = _country(parts)
        if where is None:
            continue
        for at in range(len(rest) - 1, -1, -1):
            found = subdivision.place(rest[at], where) if where in ("US", "CA", "AU", "DE") else None
            if found:
                return where, found[1], rest[at - 1] if at else (best[2] or None)
        if best[0] is None:
            best = where, None, rest[-1] if rest and not any(map(str.isdigit, rest[-1])) else None
        if where != "US":
            return best
    return best


def _country(parts: list[str]) -> tuple[str | None, list[str]]:
    while parts:
        last = parts[-1]
        words = folded(last)
        short = words.split(" ")
        state = subdivision.place(last, "US") if len(parts) > 1 or len(words) > 3 else None
        if words == "georgia" and len(parts) > 1 and state:
            return "US", parts
        for candidate in (words, short[-1] if len(short[-1]) > 3 else "", " ".join(short[-2:])):
            where = country.code(candidate) if candidate else None
            if where and not (state and (len(candidate) < 4 or candidate != words)):
                return where, parts[:-1] if candidate == words else parts
        if state:
            return "US", parts
        parts = parts[:-1]
    return None, []
