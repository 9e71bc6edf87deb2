"""The one org-level file: which division takes a lead, and how leads are enriched. Written by people, in YAML."""

from collections.abc import Iterator
from typing import Literal

from pydantic import Field, JsonValue, model_validator

from schemas.ids import is_division
from schemas.model import Typed

DAY_SECONDS = 86_400


class DivisionRule(Typed):
    """Leads for which `when` (CEL over the lead) holds go to division `name`. An empty `when` always holds."""

    name: str
    when: str = ""

    @model_validator(mode="after")
    def _name_is_a_division(self) -> "DivisionRule":
        if not is_division(self.name):
            raise ValueError("a division is lower case letters, digits and dashes, 31 at most")
        return self


class Deadlines(Typed):
    """Seconds. fast: a whole batch in ENRICH; call: one request; full: all requests of a lead in PENDING."""

    fast_seconds: float = Field(default=0.3, gt=0, le=5)
    call_seconds: float = Field(default=2.0, gt=0, le=30)
    full_seconds: float = Field(default=5.0, gt=0, le=60)

    @model_validator(mode="after")
    def _in_order(self) -> "Deadlines":
        if not self.fast_seconds <= self.call_seconds <= self.full_seconds:
            raise ValueError("fast_seconds <= call_seconds <= full_seconds must hold")
        return self


class Auth(Typed):
    """How a request proves who asks. `env` names the environment variable that holds the secret, never the secret.

    kind header: `name: <prefix><secret>`; query: `?name=<secret>`; basic: the secret as user, no password.
    """

    kind: Literal["none", "header", "query", "basic"] = "none"
    name: str = "Authorization"
    prefix: str = ""
    env: str | None = None

    @model_validator(mode="after")
    def _secret_is_named(self) -> "Auth":
        if self.kind != "none" and not self.env:
            raise ValueError("auth needs env: the name of the environment variable with the secret")
        return self


class HttpProvider(Typed):
    """A provider that answers JSON over HTTP.

    url: a template with {domain}, {email}, {company} and {country}, values percent-encoded. body: the same templates
    in a body, sent by POST. mapping: field of `Company`, or phone, linkedin, twitter, facebook, -> dotted path in the
    answer ("company.metrics.employees"; a number picks from a list; "a|b" takes the first that is there). found: a path
    that must be there and not empty.
    confidence: dotted path to a number up to `confidence_scale`, or to high, medium or low; else `default_confidence`.
    allow_hosts: hosts that may be private or loopback addresses, by name. max_bytes: the longest answer read.
    """

    url: str
    method: Literal["GET", "POST"] = "GET"
    headers: dict[str, str] = Field(default_factory=dict)
    body: dict[str, JsonValue] | None = None
    body_format: Literal["json", "form"] = "json"
    auth: Auth = Auth()
    mapping: dict[str, str]
    found: str | None = None
    confidence: str | None = None
    confidence_scale: float = Field(default=1, gt=0)
    default_confidence: float = Field(default=0.8, ge=0, le=1)
    needs: Literal["domain", "email", "company"] = "domain"
    allow_hosts: tuple[str, ...] = ()
    max_bytes: int = Field(default=262_144, gt=0, le=4_194_304)


class CsvProvider(Typed):
    """A file of one's own: CSV with a header row, or Parquet by its name. columns: field of `Company` -> column.

    Rows are found by domain, else by name.
    """

    path: str
    columns: dict[str, str] = Field(default_factory=dict)


class ProviderSettings(Typed):
    """One provider in the waterfall. Order in the file is order of asking.

    kind: a key of `enrichment.providers.PROVIDERS`. preset: start from a shipped file, `http` overrides it.
    quota_per_hour: calls per clock hour over the whole org (shared out over partitions), None: no limit.
    share: only this share of companies (0 to 1) is asked of it: an A/B of two providers.
    price_per_call, price_per_found: what a request, and a company found, cost in your currency; for the metrics only.
    """

    name: str = Field(min_length=1, max_length=40, pattern=r"^[a-z0-9][a-z0-9_-]*$")
    kind: Literal["directory", "http", "csv", "accounts"]
    preset: str | None = None
    http: HttpProvider | None = None
    csv: CsvProvider | None = None
    quota_per_hour: int | None = Field(default=None, ge=0)
    per_second: float | None = Field(default=None, gt=0)
    min_confidence: float = Field(default=0.5, ge=0, le=1)
    breaker_failures: int = Field(default=5, ge=1)
    breaker_seconds: float = Field(default=30, gt=0)
    share: float = Field(default=1.0, ge=0, le=1)
    price_per_call: float = Field(default=0.0, ge=0)
    price_per_found: float = Field(default=0.0, ge=0)
    is_enabled: bool = True

    @model_validator(mode="after")
    def _has_what_its_kind_needs(self) -> "ProviderSettings":
        if self.kind == "http" and self.http is None and self.preset is None:
            raise ValueError("an http provider needs preset or http")
        if self.kind == "csv" and self.csv is None:
            raise ValueError("a csv provider needs csv")
        return self


class CacheSettings(Typed):
    """How long answers are kept, in seconds: found ones and not-found ones."""

    found_seconds: float = Field(default=30 * DAY_SECONDS, gt=0)
    missing_seconds: float = Field(default=DAY_SECONDS, gt=0)


class Enrichment(Typed):
    """The waterfall. prefer: field of `Company` (or company_phone, company_profiles) -> provider names.

    Best first; others follow in file order.

    decay_days: older values are refreshed on use. retry_share: retries as a share of calls, at most.
    pending_quota_share: of each hourly quota, kept for leads that wait for a slow provider.
    """

    providers: tuple[ProviderSettings, ...] = (ProviderSettings(name="directory", kind="directory"),)
    prefer: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    deadlines: Deadlines = Deadlines()
    cache: CacheSettings = CacheSettings()
    decay_days: int = Field(default=90, ge=1)
    retry_share: float = Field(default=0.1, ge=0, le=1)
    pending_quota_share: float = Field(default=0.1, ge=0, le=1)

    @model_validator(mode="after")
    def _names_are_known(self) -> "Enrichment":
        names = [provider.name for provider in self.providers]
        if len(set(names)) != len(names):
            raise ValueError("provider names must differ")
        for field, wanted in self.prefer.items():
            unknown = set(wanted) - set(names)
            if unknown:
                raise ValueError(f"prefer.{field} names unknown providers: {', '.join(sorted(unknown))}")
        return self


class MailLists(Typed):
    """Mail domains beyond the shipped lists, lower case. business: never personal, whatever the lists say.

    competitors: flagged "mail.competitor". blocked: domains or whole addresses that are suspect.
    """

    personal: tuple[str, ...] = ()
    disposable: tuple[str, ...] = ()
    business: tuple[str, ...] = ()
    competitors: tuple[str, ...] = ()
    blocked: tuple[str, ...] = ()
    look_alike_of: tuple[str, ...] = ()


class SpamLimits(Typed):
    """min_fill_seconds: a form filled faster is suspect. per_hour: submissions per address or IP in a clock hour."""

    min_fill_seconds: float = Field(default=1.5, ge=0)
    per_hour: int = Field(default=20, ge=1)


class Org(Typed):
    """All of it. divisions: first match wins; a lead that matches none goes to the last one.

    default_country: for phones whose country nothing else tells, ISO alpha-2.
    actions, sources: a writer's word -> ours.
    """

    divisions: tuple[DivisionRule, ...] = Field(default=(DivisionRule(name="main"),), min_length=1)
    enrichment: Enrichment = Enrichment()
    mail: MailLists = MailLists()
    spam: SpamLimits = SpamLimits()
    default_country: str | None = Field(default=None, pattern=r"^[A-Z]{2}$")
    max_clock_skew_seconds: float = Field(default=300, ge=0)
    max_age_days: int = Field(default=365, ge=1)
    actions: dict[str, str] = Field(default_factory=dict)
    sources: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _division_names_differ(self) -> "Org":
        names = list(self.division_names())
        if len(set(names)) != len(names):
            raise ValueError("division names must differ")
        return self

    def division_names(self) -> Iterator[str]:
        """Yield the names of all divisions, in order."""
        return (rule.name for rule in self.divisions)
