"""How a company is reached besides its site: its switchboard and its pages on social networks (ENR-1).

A sole trader's number is personal, so both travel in the lead's contact, which rules, logs and traces never read; the
lead keeps who said it, when and how sure.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from enrichment.answer import Said
from enrichment.normalise import phone
from enrichment.normalise.text import plain
from schemas.lead import Contact, Fact, Lead
from schemas.org import Enrichment

FIELDS = ("company_phone", "company_profiles")
_NETWORKS = {
    "linkedin": ("linkedin.com", re.compile(r"(?:company|school|showcase)/[\w%.&-]{1,100}", re.IGNORECASE)),
    "twitter": ("x.com", re.compile(r"\w{1,15}")),
    "facebook": ("facebook.com", re.compile(r"(?:pages/[\w%.-]{1,80}/)?[\w%.-]{1,80}")),
}
_HOST = re.compile(
    r"^(?:https?:)?(?://)?(?:[a-z]{2,3}\.|www\.|m\.)?(?:linkedin|twitter|x|facebook)\.com/", re.IGNORECASE
)
MAPPED = frozenset({"phone", *_NETWORKS})
"""What a provider's mapping may name beside the fields of `Company`."""


@dataclass(frozen=True, slots=True)
class Heard:
    """One provider's word on one field, and whether it has a value."""

    value: Any
    fact: Fact


def reach(values: Mapping[str, Any], country: str | None) -> tuple[str | None, tuple[str, ...]]:
    """Return the number as E.164 and the pages as https URLs, LinkedIn first. What cannot be read is left out.

    values: raw, by name of `MAPPED`; a page is a URL with or without its scheme, or the name behind the network's host.
    country: where a number without prefix is.
    """
    text = plain(values.get("phone")) if values.get("phone") else None
    number = phone.parse(text, country) if text else None
    pages = (_page(name, plain(values[name])) for name in _NETWORKS if values.get(name))
    return number.e164 if number else None, tuple(page for page in pages if page)


def reached(lead: Lead, contact: Contact, answers: Sequence[Said], settings: Enrichment) -> tuple[Lead, Contact]:
    """Return both with what providers said, the preferred one first (`settings.prefer`, else the order of asking).

    A company found by its name alone, or one of several, may be another one: its number is not taken.
    """
    trusted = {row.name: row.min_confidence for row in settings.providers}
    sure = [
        said
        for said in answers
        if said.confidence >= trusted.get(said.provider, 0) and not said.others and said.found_by != "name"
    ]
    facts: dict[str, Fact] = {}
    known: dict[str, Any] = {}
    for field in FIELDS:
        heard = [*_before(lead, contact, field), *_now(sure, field)]
        if not heard:
            continue
        wanted = settings.prefer.get(field, ())
        places = [wanted.index(name) if (name := one.fact.provider) in wanted else len(wanted) for one in heard]
        best = heard[places.index(min(places))]
        known[field], facts[f"contact.{field}"] = best.value, best.fact
    if not known:
        return lead, contact
    return lead.model_copy(update={"facts": lead.facts | facts}), contact.model_copy(update=known)


def _before(lead: Lead, contact: Contact, field: str) -> Iterator[Heard]:
    fact = lead.facts.get(f"contact.{field}")
    if fact is not None and (value := getattr(contact, field)):
        yield Heard(value, fact)


def _now(answers: Sequence[Said], field: str) -> Iterator[Heard]:
    for said in answers:
        if value := getattr(said, field):
            yield Heard(value, Fact(provider=said.provider, at=said.at, confidence=said.confidence))


def _page(network: str, text: str | None) -> str | None:
    host, shape = _NETWORKS[network]
    path = _HOST.sub("", text or "").split("?")[0].split("#")[0].strip("/@ ")
    return f"https://{'www.' if host != 'x.com' else ''}{host}/{path}" if shape.fullmatch(path) else None
