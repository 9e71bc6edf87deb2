"""The health of the accounts on a cluster, once or daily."""

import time
from datetime import UTC, datetime

import structlog

from enrichment.account_health import AccountFinding, Seen, account_findings
from schemas.account import Account
from schemas.lead import LeadEnriched
from schemas.rep import Rep
from streams.cli.records import latest, parsed, read
from streams.kafka.config import ClusterSettings


def checked(cluster: ClusterSettings, *, with_leads: bool) -> list[AccountFinding]:
    """Return what is wrong with the accounts by the roster, each other, and the leads that are still kept."""
    accounts: list[Account] = [row.model for row in latest(cluster, "accounts").values()]
    roster: list[Rep] = [row.model for row in latest(cluster, "reps").values()]
    seen = Seen()
    if with_leads:
        for _, enriched in parsed(read(cluster, "leads.enriched"), LeadEnriched):
            seen.add(enriched.lead)
    return account_findings(accounts, roster, seen, datetime.now(UTC))


def check_again(cluster: ClusterSettings, seconds: float, *, with_leads: bool) -> None:
    """Check now and then every so often, a log line a finding, until stopped."""
    log = structlog.get_logger("accounts")
    while True:
        found = checked(cluster, with_leads=with_leads)
        log.info("accounts.checked", findings=len(found))
        for one in found:
            log.warning("account.aged", account=one.domain, kind=one.kind, what=one.what, fix=one.fix)
        time.sleep(seconds)
