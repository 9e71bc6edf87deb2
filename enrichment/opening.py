"""Puts the providers of an org file behind their guards."""

from collections.abc import Callable
from datetime import datetime

from enrichment.guard import Guarded, RetryBudget, Unwatched, Watch
from enrichment.normalise import mail
from enrichment.providers.registry import AT_HAND, PROVIDERS, Tools
from enrichment.quota import HourlyQuota
from enrichment.waterfall import Waterfall
from schemas.ids import person_id
from schemas.org import Org


def opened(
    org: Org,
    tools: Tools,
    secret: bytes,
    clock: Callable[[], datetime],
    quota_share: float = 1.0,
    watch: Watch | None = None,
) -> Waterfall:
    """Return the waterfall of `org`. watch: hears of every question (`metrics.ProviderMetrics`).

    quota_share: this stage's part of each hourly quota (`enrich_share`, `pending_share`). Raises ValueError for an
    unknown preset, ValidationError for an incomplete HTTP provider.
    """
    guarded = [
        Guarded(
            settings=row,
            lookup=PROVIDERS[row.kind](row, tools),
            quota=HourlyQuota(None if row.quota_per_hour is None else int(row.quota_per_hour * quota_share)),
            budget=RetryBudget(org.enrichment.retry_share),
            call_seconds=org.enrichment.deadlines.call_seconds,
            clock=clock,
            watch=watch or Unwatched(),
            is_at_hand=row.kind in AT_HAND and row.quota_per_hour is None and row.per_second is None,
        )
        for row in org.enrichment.providers
        if row.is_enabled
    ]
    rules = mail.mail_rules(org.mail)

    def person_of(email: str) -> str:
        box = mail.parse(email, rules)
        return person_id(secret, f"mail:{box.identity if box else email.lower()}")

    return Waterfall(guarded, clock, person_of, tools.pool)


def enrich_share(org: Org) -> float:
    """Return the part of each quota that all processes of ENRICH have together."""
    return 1 - org.enrichment.pending_quota_share


def pending_share(org: Org) -> float:
    """Return the part of each quota that all processes of PENDING have together."""
    return org.enrichment.pending_quota_share
