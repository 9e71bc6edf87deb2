"""What a CRM holds of leads, users, accounts and deals, in our words, and what can be asked of it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from notifiers.crm.change import CrmChange
from notifiers.crm.record import CrmRecord


@dataclass(frozen=True, slots=True)
class HeldLead:
    """A lead as the CRM has it. due: UTC, None where it is not set. is_deleted: it lies in the CRM's bin.

    owner_at, owner_by_us: when the owner was set last, and whether by leadstream; None where the CRM keeps no history.
    """

    lead_id: str
    foreign_id: str
    owner: str | None = None
    tier: str | None = None
    rule: str | None = None
    score: int | None = None
    due: datetime | None = None
    owner_at: datetime | None = None
    owner_by_us: bool | None = None
    is_deleted: bool = False


@dataclass(frozen=True, slots=True)
class HeldUser:
    """A user of the CRM. at: when the entry changed."""

    id: str
    name: str
    email: str
    is_active: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class HeldAccount:
    """A company with its open deals. owner, deal_owner: users there. Text is as the CRM has it."""

    id: str
    site: str
    name: str = ""
    parent_site: str = ""
    owner: str = ""
    deal_owner: str = ""
    has_open_deal: bool = False
    is_customer: bool = False
    is_named: bool = False
    employees: str = ""
    industry: str = ""
    country: str = ""
    state: str = ""
    active_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class HeldDeal:
    """An opportunity. stage: its name there. probability: 0 to 1, None where unknown. account: the company's id."""

    id: str
    owner: str
    stage: str
    at: datetime
    is_closed: bool = False
    probability: float | None = None
    amount: float | None = None
    account: str = ""


@dataclass(frozen=True, slots=True)
class Upserted:
    """What became of a record that was written. problem: "" or what the CRM said, without personal data."""

    lead_id: str
    foreign_id: str | None
    problem: str = ""


class RemoteCrm(Protocol):
    """A CRM behind its official client. Calls block, are paced below the CRM's limits and tried again.

    `since` is inclusive; what an adapter yields is ordered by time where the CRM can order it.
    Raises `notifiers.outcome.Retryable` when the CRM stays away, `Refused` when it will never answer.
    """

    system: str

    def users(self) -> Iterator[HeldUser]:
        """Yield every user, the deactivated ones too."""

    def changes(self, since: datetime) -> Iterator[CrmChange]:
        """Yield what others than leadstream changed on leads of ours: owner, stage, contact, deletion."""

    def deals(self, since: datetime) -> Iterator[HeldDeal]:
        """Yield the deals that changed."""

    def accounts(self, since: datetime, also: Iterable[str]) -> Iterator[HeldAccount]:
        """Yield the companies that changed, and those with the ids of `also`."""

    def leads(self, lead_ids: Sequence[str]) -> Iterator[HeldLead]:
        """Yield what the CRM has of these leads; those that it does not have are left out."""

    def upsert(self, records: Sequence[CrmRecord]) -> Iterator[Upserted]:
        """Write the records through the bulk endpoint and yield what became of each."""
