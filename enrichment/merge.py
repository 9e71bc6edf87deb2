"""One company from a form and several providers, field by field."""

from collections.abc import Mapping, Sequence

from enrichment.answer import Said
from enrichment.normalise import company as names
from enrichment.normalise import timezone
from enrichment.provenance import FORM, MAIL
from schemas.lead import Company, Fact, Lead
from schemas.org import Enrichment
from schemas.region import region_of

# What "complete" means: the fields that routing needs (ENR-1).
NEEDED = ("domain", "employees", "industry", "country")
FIELDS = (*NEEDED, "name", "state", "city", "postcode_area", "revenue", "parent_domain", "technologies", "funding")
_PLACE = ("country", "state", "city", "postcode_area")
_SAME_NAME = 0.85


def merged(lead: Lead, answers: Sequence[Said], settings: Enrichment) -> Lead:
    """Return the lead with what providers said of its company.

    A provider wins over the form for every field of the company, the preferred one over others (`settings.prefer`,
    else file order); below its minimum confidence it is not heard. The place is taken as a whole, so that no state
    lands in another country. Fields on which two companies of one domain differ are unknown and named in `conflicts`.
    """
    answers = (*_said_before(lead), *answers)
    trusted = {row.name: row.min_confidence for row in settings.providers}
    heard = [said for said in answers if said.company and said.confidence >= trusted.get(said.provider, 0)]
    if not heard:
        return lead
    known: dict[str, object] = {}
    facts: dict[str, Fact] = dict(lead.facts)
    contested: set[str] = set()
    meant = {id(said): settled(said, lead.company) for said in heard}
    source = {id(said): Fact(provider=said.provider, at=said.at, confidence=said.confidence) for said in heard}
    speaker = _speaker_of_place(heard, settings)
    for field in FIELDS:
        for said in _ranked(heard, settings.prefer.get(field, ())):
            if field in _PLACE and field != "country" and speaker is not None and speaker is not said:
                continue
            firm, disputed = meant[id(said)]
            value = getattr(firm, field)
            if field in disputed:
                contested.add(field)
                known[field] = None
                facts.pop(f"company.{field}", None)
                break
            if value in (None, ()) or (field == "domain" and lead.company.domain and said.found_by == "name"):
                continue
            known[field] = value
            facts[f"company.{field}"] = source[id(said)]
            break
    return _with(lead, known, facts, contested)


def is_complete(company: Company) -> bool:
    """Tell whether nothing that routing needs is missing."""
    return all(getattr(company, field) is not None for field in NEEDED)


def settled(said: Said, form: Company) -> tuple[Company, frozenset[str]]:
    """Return the company that an answer with several means, and the fields that stay disputed.

    The name on the form decides, then its country; still tied, what differs is disputed (ENR-5).
    """
    assert said.company is not None
    rows = (said.company, *said.others)
    if len(rows) > 1 and form.name:
        rows = _likest(rows, form.name)
    if len(rows) > 1 and form.country:
        rows = tuple(row for row in rows if row.country == form.country) or rows
    if len(rows) == 1:
        return rows[0], frozenset()
    disputed = frozenset(field for field in FIELDS if len({getattr(row, field) for row in rows}) > 1)
    return rows[0], disputed


def _likest(rows: tuple[Company, ...], name: str) -> tuple[Company, ...]:
    scores = [names.likeness(row.name or "", name) for row in rows]
    best = max(scores)
    if best < _SAME_NAME:
        return rows
    return tuple(row for row, score in zip(rows, scores, strict=True) if score == best)


def _said_before(lead: Lead) -> list[Said]:
    """Return what providers said at an earlier merge, so that a later one may be compared with it."""
    rows: dict[str, dict[str, object]] = {}
    for name, fact in lead.facts.items():
        field = name.removeprefix("company.")
        if fact.provider not in (FORM, MAIL) and field in FIELDS:
            rows.setdefault(fact.provider, {})[field] = getattr(lead.company, field)
    return [_recalled(provider, values, lead) for provider, values in rows.items()]


def _recalled(provider: str, values: dict[str, object], lead: Lead) -> Said:
    fact = next(fact for fact in lead.facts.values() if fact.provider == provider)
    return Said(provider, fact.at, Company.model_validate(values), fact.confidence)


def _ranked(heard: Sequence[Said], preferred: Sequence[str]) -> Sequence[Said]:
    if len(heard) == 1:
        return heard
    return sorted(
        heard, key=lambda said: preferred.index(said.provider) if said.provider in preferred else len(preferred)
    )


def _speaker_of_place(heard: Sequence[Said], settings: Enrichment) -> Said | None:
    """Return the provider whose country counts: it alone is heard on state, city and postcode. None: any is."""
    ranked = _ranked(heard, settings.prefer.get("country", ()))
    return next((row for row in ranked if row.company and row.company.country), None)


def _with(lead: Lead, known: Mapping[str, object], facts: dict[str, Fact], contested: set[str]) -> Lead:
    values = dict(known)  # what changes: of the normalisers' types already, so nothing is validated again
    where = values.get("country", lead.company.country)
    if where != lead.company.country:  # the form's state and city lie in the form's country
        for field in ("state", "city", "postcode_area"):
            if field not in known:
                values[field] = None
                facts.pop(f"company.{field}", None)
    values["region"] = region_of(str(where)) if where else None
    changes: dict[str, object] = {
        "company": lead.company.model_copy(update=values),
        "facts": facts,
        "conflicts": tuple(sorted({*lead.conflicts, *(f"company.{field}" for field in contested)})),
    }
    if lead.timezone is None:
        state = values.get("state", lead.company.state)
        changes["timezone"] = timezone.of_place(_text(where), _text(state))
    return lead.model_copy(update=changes)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
