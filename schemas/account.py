"""Accounts by domain: customers, named accounts and open opportunities, with their owners."""

from pydantic import AwareDatetime, Field

from schemas.model import Typed
from schemas.rep import Backup


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
