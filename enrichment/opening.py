"""Puts the providers of an org file behind their guards."""

from collections.abc import Callable
from datetime import datetime

from enrichment.guard import Guarded, HourlyQuota, RetryBudget
from enrichment.normalise import mail
from enrichment.providers.registry import PROVIDERS, Tools
from enrichment.waterfall import Waterfall
from schemas.ids import person_id
from schemas.org import Org


def opened(org: Org, tools: Tools, secret: bytes, clock: Callable[[], datetime], slots: int = 1) -> Waterfall:
    """Return the waterfall of `org`. slots: processes that share each hourly quota."""
    guarded = [
        Guarded(
            settings=row,
            lookup=PROVIDERS[row.kind](row, tools),
            quota=HourlyQuota(None if row.quota_per_hour is None else row.quota_per_hour // slots),
            budget=RetryBudget(org.enrichment.retry_share),
            call_seconds=org.enrichment.deadlines.call_seconds,
            clock=clock,
        )
        for row in org.enrichment.providers
        if row.is_enabled
    ]
    rules = mail.mail_rules(org.mail)

    def person_of(email: str) -> str:
        box = mail.parse(email, rules)
        return person_id(secret, f"mail:{box.identity if box else email.lower()}")

    return Waterfall(guarded, clock, person_of)
