"""A lead at each step: as it came, canonical, scored. Rules see `Lead`; a person's data is in `Contact` alone."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pydantic import AwareDatetime, Field

from schemas.model import Read, Written


@dataclass(frozen=True, slots=True)
class RawLead:
    """A submission as it came: one JSON object, nothing checked yet. What its fields may be: `SubmittedLead`."""

    fields: dict[str, Any]


class SubmittedLead(Read):
    """The fields that leadstream understands in a submission. All are optional, others are kept raw.

    A field that does not parse is flagged and never blocks the lead. submitted_at: ISO 8601 with a zone.
    """

    id: str | None = Field(default=None, description="the writer's own id; makes a repeated publish recognisable")
    email: str | None = None
    phone: str | None = None
    name: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    title: str | None = None
    linkedin: str | None = None
    company: str | None = None
    website: str | None = None
    employees: int | str | None = None
    industry: str | None = None
    country: str | None = None
    state: str | None = None
    city: str | None = None
    postcode: str | None = None
    action: str | None = Field(
        default=None, description="what the person did: demo, pricing, trial, content, webinar, …"
    )
    source: str | None = Field(default=None, description="where it came from: web, chat, ads, social, import, api, …")
    channel: str | None = None
    campaign: str | None = None
    form: str | None = None
    step: str | None = Field(
        default=None, description="a step of a multi-step form; only 'final' or none starts the clock"
    )
    session: str | None = Field(
        default=None, description="one filling of a form of several steps: its steps become one lead"
    )
    submitted_at: str | None = None
    message: str | None = None
    language: str | None = None
    product_interest: str | None = None
    service_type: str | None = None
    behaviour: list[str] | None = Field(default=None, description="pages and acts before the submission")
    answers: dict[str, Any] | None = None
    transcript: str | list[dict[str, Any]] | None = Field(
        default=None, description="a chat, passed on to the rep: text, or messages of from and text"
    )
    bot_qualified: bool | None = Field(
        default=None, description="a bot has qualified the visitor: first in any wait, high intent where no action says"
    )
    consent: bool | None = None
    foreign_id: str | None = Field(
        default=None, description="the id in the system it came from, for example 'hubspot:1042'"
    )
    ip: str | None = None
    trap: str | None = Field(default=None, description="the hidden field; a value means a robot")
    fill_seconds: float | None = Field(default=None, description="how long filling the form took")
    division: str | None = None
    is_test: bool | None = Field(default=None, description="a test lead: the whole path, but no turn, load or metric")


class MailKind(StrEnum):
    BUSINESS = "business"
    PERSONAL = "personal"
    DISPOSABLE = "disposable"
    INVALID = "invalid"
    NONE = "none"


class MailFacts(Written):
    """What rules may know of an address: its registrable domain and kind. is_role: info@, sales@ and the like."""

    domain: str | None = None
    kind: MailKind = MailKind.NONE
    is_role: bool = False


class Company(Written):
    """Firmographics of the lead's company, headquarters for places. None: unknown.

    country: ISO 3166-1 alpha-2; state: the subdivision's code without the country ("TX"); region: amer, emea or
    apac; employees: head count; revenue: US dollars a year; postcode_area: the routing part only.
    """

    name: str | None = None
    domain: str | None = None
    employees: int | None = None
    industry: str | None = None
    country: str | None = None
    state: str | None = None
    region: str | None = None
    city: str | None = None
    postcode_area: str | None = None
    revenue: float | None = None
    parent_domain: str | None = None
    technologies: tuple[str, ...] = ()
    funding: str | None = None


class Fact(Written):
    """Where one value of `Company` (or of the lead) comes from. confidence: 0 to 1."""

    provider: str
    at: AwareDatetime
    confidence: float = 1.0


class AccountMatch(StrEnum):
    DOMAIN = "domain"
    ALIAS = "alias"
    SUBDOMAIN = "subdomain"
    PARENT = "parent"
    PROVIDER = "provider"


class AccountRef(Written):
    """The account that the lead belongs to, as the accounts table had it. owner, …: rep ids.

    backup: stands in for the owner from backup_from until backup_until (exclusive); None: always.
    """

    domain: str
    name: str | None = None
    owner: str | None = None
    opportunity_owner: str | None = None
    backup: str | None = None
    backup_from: AwareDatetime | None = None
    backup_until: AwareDatetime | None = None
    is_named: bool = False
    is_customer: bool = False
    has_open_opportunity: bool = False
    match: AccountMatch = AccountMatch.DOMAIN


class Contact(Written):
    """All personal data of a lead. Travels beside `Lead`; never in keys, headers, logs, metrics, traces, journal.

    company_phone: its switchboard, E.164. company_profiles: its pages on social networks, LinkedIn first. Both as
    providers say; who, when and how sure is in `Lead.facts` under "contact.company_phone" and so on.
    """

    email: str | None = None
    phone: str | None = None
    name: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    title: str | None = None
    linkedin: str | None = None
    message: str | None = None
    transcript: str | None = None
    company_phone: str | None = None
    company_profiles: tuple[str, ...] = ()
    raw: dict[str, Any] = Field(default_factory=dict)


class Lead(Written):
    """A canonical lead: everything a rule may ask, nothing personal. None: unknown.

    clock_at: where the SLA clocks start (submission, or the engagement that woke a nurtured lead), never later
    than received_at. flags: what was wrong with the input, as "field.problem", for example "phone.invalid".
    suspect: why the lead looks like spam; empty means it does not.
    """

    event_id: str
    person: str
    source: str | None = None
    channel: str | None = None
    campaign: str | None = None
    form: str | None = None
    action: str | None = None
    submitted_at: AwareDatetime
    received_at: AwareDatetime
    mail: MailFacts = MailFacts()
    has_phone: bool = False
    phone_country: str | None = None
    company: Company = Company()
    facts: dict[str, Fact] = Field(default_factory=dict)
    account: AccountRef | None = None
    account_hint: str | None = None
    seniority: str | None = None
    department: str | None = None
    language: str | None = None
    timezone: str | None = None
    product_interest: str | None = None
    service_type: str | None = None
    behaviour: tuple[str, ...] = ()
    answers: dict[str, str | int | float | bool] = Field(default_factory=dict)
    bot_qualified: bool = False
    has_consent: bool | None = None
    foreign_id: str | None = None
    division: str | None = None
    flags: tuple[str, ...] = ()
    suspect: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()
    is_test: bool = False
    is_bulk: bool = False


class LeadEnriched(Written):
    """On leads.enriched: a complete lead, keyed by person.

    is_late: providers answered after the lead had gone on; it updates the record and does not route again.
    alternates: other person ids of the same human, when enrichment found another known address.
    visited: person ids that SCORE has asked for an open lead already, on the way to the human's one home.
    """

    lead: Lead
    contact: Contact
    enriched_at: AwareDatetime
    is_late: bool = False
    alternates: tuple[str, ...] = ()
    visited: tuple[str, ...] = ()


class LeadPending(Written):
    """On leads.pending: a lead, canonical already, whose providers have not answered in the fast deadline."""

    lead: Lead
    contact: Contact
    asked: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


class Disqualified(Written):
    """The earlier end of a person's last lead, for recycling. rep: who disqualified."""

    lead_id: str
    rep: str | None = None
    at: AwareDatetime
    reason: str | None = None


class OpenDuplicate(Written):
    """The open lead that a new submission belongs to."""

    lead_id: str
    tier: str
    opened_at: AwareDatetime


class LeadScored(Written):
    """On leads.scored: all that a division needs to decide.

    touch: which submission of this lead, from 1. tier: policy's tier name. score: 0 to 100, parts sum to it.
    policy_hash: of the policy that SCORE used. contact travels beside the lead and is not journalled.
    duplicate: set when an open lead of the person exists; then lead_id is that lead's.
    """

    lead_id: str
    division: str
    lead: Lead
    contact: Contact | None = None
    touch: int
    intent: str
    icp: bool
    segment: str | None = None
    tier: str
    score: int
    score_parts: dict[str, int]
    score_model: str
    policy_hash: str
    scored_at: AwareDatetime
    duplicate: OpenDuplicate | None = None
    disqualified: Disqualified | None = None
    history: int = 0
    is_late: bool = False
