"""URL and body templates: {domain}, {email}, {company}, {country}."""

import re
from collections.abc import Mapping
from urllib.parse import quote

from pydantic import JsonValue
from yarl import URL

from enrichment.providers.provider import Query

_HOLE = re.compile(r"\{(domain|email|company|country)\}")


def values_of(query: Query) -> Mapping[str, str]:
    """Return what the holes are filled with; what is not known is empty."""
    return {
        "domain": query.domain or "",
        "email": query.email or "",
        "company": query.company or "",
        "country": query.country or "",
    }


def url(template: str, values: Mapping[str, str]) -> URL:
    """Return the URL with percent-encoded values: none can leave its place in path or query."""
    return URL(_HOLE.sub(lambda hole: quote(values[hole[1]], safe=""), template), encoded=True)


def body(template: JsonValue, values: Mapping[str, str]) -> JsonValue:
    """Return a copy of a JSON template with every text filled."""
    if isinstance(template, str):
        return _HOLE.sub(lambda hole: values[hole[1]], template)
    if isinstance(template, list):
        return [body(row, values) for row in template]
    if isinstance(template, dict):
        return {key: body(value, values) for key, value in template.items()}
    return template


def picked(answer: JsonValue, path: str) -> JsonValue:
    """Return what a dotted path points at, or None. "a.0.b": a number picks from a list; "a|b": the first there is."""
    for way in path.split("|"):
        found = _walk(answer, way.strip().split("."))
        if found not in (None, "", [], {}):
            return found
    return None


def _walk(value: JsonValue, keys: list[str]) -> JsonValue:
    for key in keys:
        if isinstance(value, dict):
            value = value.get(key)
        elif isinstance(value, list) and key.isdigit() and int(key) < len(value):
            value = value[int(key)]
        else:
            return None
    return value
