"""From a provider's words to a canonical company: the same normalisers as for forms."""

import math
from collections.abc import Mapping
from typing import Any

from enrichment.normalise import company, country, domain, headcount, industry, postcode, subdivision
from enrichment.normalise.text import plain
from schemas.lead import Company
from schemas.region import region_of

FIELDS = frozenset(Company.model_fields) - {"region"}
MOST_TECHNOLOGIES = 50


def firm(values: Mapping[str, Any]) -> Company | None:
    """Return the company of raw values by field of `Company`; None where they say nothing of one.

    A value that cannot be read counts as unknown.
    """
    text = {name: plain(value) for name, value in values.items()}
    where = country.code(text["country"] or "") if text.get("country") else None
    place = subdivision.place(text["state"] or "", where) if text.get("state") else None
    where = where or (place[0] if place else None)
    code = text.get("postcode_area")
    found = {
        "name": company.name(text["name"] or "") or None if text.get("name") else None,
        "domain": _site(text.get("domain")),
        "employees": headcount.number(values.get("employees")),
        "industry": _industry(values.get("industry")),
        "country": where,
        "state": place[1] if place else None,
        "region": region_of(where) if where else None,
        "city": text.get("city"),
        "postcode_area": postcode.area(code, where) if code else None,
        "revenue": _dollars(values.get("revenue")),
        "parent_domain": _site(text.get("parent_domain")),
        "technologies": _names(values.get("technologies")),
        "funding": text.get("funding"),
    }
    return Company(**found) if any(value not in (None, ()) for value in found.values()) else None


def _site(text: str | None) -> str | None:
    return domain.of_site(text) if text else None


def _industry(value: Any) -> str | None:
    rows = value if isinstance(value, list | tuple) else [value]
    return industry.slug_of_any(row for row in rows[:20] if isinstance(row, str))


def _dollars(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        amount = float(str(value).replace(",", "").lstrip("$"))
    except ValueError:
        return None
    return amount if math.isfinite(amount) and amount >= 0 else None


def _names(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        return ()
    rows = (plain(row.get("name") if isinstance(row, dict) else row) for row in value[:MOST_TECHNOLOGIES])
    return tuple(row for row in rows if row)
