"""What a provider is: one async function that says what it knows of a company."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from schemas.lead import Company


@dataclass(frozen=True, slots=True)
class Query:
    """What is known of the lead. domain: registrable, of its business mail or site. email: canonical.

    company, country: as its form has them. At least one of domain, email and company is set.
    """

    domain: str | None = None
    email: str | None = None
    company: str | None = None
    country: str | None = None


@dataclass(frozen=True, slots=True)
class Firmographics:
    """What a provider knows. company: canonical, unknown fields None. confidence: 0 to 1.

    others: further companies that fit the query as well, for example on the same domain. emails: other addresses
    of the same person. found_by: domain, email or name; a name alone never decides on an account. company_phone: E.164;
    company_profiles: URLs of its pages on social networks.
    """

    company: Company
    confidence: float = 1.0
    others: tuple[Company, ...] = ()
    emails: tuple[str, ...] = ()
    found_by: str = "domain"
    company_phone: str | None = None
    company_profiles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NotFound:
    """The provider answered and knows nothing. Kept in the cache like an answer."""


Answer = Firmographics | NotFound

Lookup = Callable[[Query, float], Awaitable[Answer]]
"""`await lookup(query, deadline)`, deadline in event-loop seconds. Raises ProviderFailed and nothing else."""


class ProviderFailed(Exception):
    """The provider did not answer as it should; another one is asked. The message holds no part of the query."""


class ProviderBusy(ProviderFailed):
    """The provider is limiting us (429), or our own limit is reached. retry_after_seconds: when it may be asked."""

    def __init__(self, retry_after_seconds: float | None = None) -> None:
        super().__init__("the provider is limiting its callers")
        self.retry_after_seconds = retry_after_seconds


class ProviderDown(ProviderFailed):
    """The provider refused the connection, broke off, answered 5xx or did not answer in time."""


class NoAnswer(ProviderDown):
    """The provider did not answer in time."""


class ProviderWrong(ProviderFailed):
    """The provider answered what it never should: no JSON, too long, another shape, 401. Asking again is no use."""
