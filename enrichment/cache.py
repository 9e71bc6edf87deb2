"""What providers said, kept in the stage's store so that a restart or a replay does not pay again."""

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime, timedelta
from typing import Any

import orjson

from enrichment.answer import Said
from enrichment.normalise import company
from enrichment.providers.provider import Query
from schemas.lead import Company, Lead, MailKind
from schemas.org import DAY_SECONDS, Enrichment
from schemas.value import value


@value
class Kept:
    """The latest answer of each provider to one query, as plain JSON data. No personal data."""

    rows: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def key_of(query: Query, lead: Lead) -> str:
    """Return what a query's answers are kept under: "domain/…", "person/…" (an id), or "name/…".

    Answers on a personal address are that person's, whatever site they typed.
    """
    if query.domain and lead.mail.kind is not MailKind.PERSONAL:
        return f"domain/{query.domain}"
    if query.email:
        return f"person/{lead.person}"
    return f"name/{company.key(query.company or '')}"


def usable(kept: Kept | None, settings: Enrichment, now: datetime) -> dict[str, Said]:
    """Return the answers that are young enough, by provider: within the cache's time, and not decayed (ENR-6)."""
    found_seconds = min(settings.cache.found_seconds, settings.decay_days * DAY_SECONDS)
    found: dict[str, Said] = {}
    for provider, row in (kept.rows if kept else {}).items():
        at = datetime.fromisoformat(row["at"])
        seconds = found_seconds if "company" in row else settings.cache.missing_seconds
        if now - at < timedelta(seconds=seconds):
            found[provider] = _said(provider, at, row)
    return found


def with_answers(kept: Kept | None, answers: list[Said]) -> Kept:
    """Return what is kept after `answers`; each replaces the same provider's earlier one."""
    rows = dict(kept.rows) if kept else {}
    for said in answers:
        rows[said.provider] = _row(said)
    return Kept(rows)


def decode_kept(data: bytes) -> Kept:
    """Return the answers of stored JSON."""
    return Kept(orjson.loads(data)["rows"])


def _row(said: Said) -> dict[str, Any]:
    row: dict[str, Any] = {"at": said.at.isoformat()}
    if said.company is not None:
        row |= {"company": _firm(said.company), "confidence": said.confidence, "found_by": said.found_by}
    if said.company_phone:
        row["phone"] = said.company_phone
    if said.company_profiles:
        row["profiles"] = list(said.company_profiles)
    if said.others:
        row["others"] = [_firm(other) for other in said.others]
    if said.alternates:
        row["alternates"] = list(said.alternates)
    return row


def _firm(firm: Company) -> dict[str, Any]:
    return firm.model_dump(mode="json", exclude_defaults=True)


def _said(provider: str, at: datetime, row: Mapping[str, Any]) -> Said:
    if "company" not in row:
        return Said(provider, at)
    return Said(
        provider,
        at,
        Company.model_validate(row["company"]),
        row["confidence"],
        tuple(Company.model_validate(other) for other in row.get("others", ())),
        tuple(row.get("alternates", ())),
        row["found_by"],
        company_phone=row.get("phone"),
        company_profiles=tuple(row.get("profiles", ())),
    )
