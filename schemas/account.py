"""Accounts by domain: customers, named accounts and open opportunities, with their owners."""

from datetime import datetime, timedelta
from typing import Final

from pydantic import AwareDatetime, Field

from schemas.model import Typed
from schemas.rep import Backup

STALE_AFTER: Final = timedelta(days=90)
"""A named account without activity for longer is stale: on the board, in `accounts check`, in the monthly audit."""


class Account(Typed):
    """One account. domain: registrable domain, the key. aliases: further domains. parent: parent's domain.

    owner, opportunity_owner: rep ids. last_activity_at settles between several hits (latest wins).
    """

    domain: str = Field(min_length=1)
    name: str | None = None
    aliases: tuple[str, ...] = ()
    parent: str | None = None
    owner: str | None = None
    opportunity_owner: str | None = None
    backup: Backup | None = None
    is_named: bool = False
    is_customer: bool = False
    has_open_opportunity: bool = False
    last_activity_at: AwareDatetime | None = None
    employees: int | None = None
    industry: str | None = None
    country: str | None = None
    state: str | None = None


def is_stale(last_activity_at: datetime | None, now: datetime) -> bool:
    """Tell whether nothing has happened with an account for longer than STALE_AFTER, as far as is known."""
    return last_activity_at is not None and now - last_activity_at > STALE_AFTER
