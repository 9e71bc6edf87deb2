"""The accounts table as a provider: what the CRM says of a company that it knows."""

from enrichment.account import ACCOUNTS, Accounts
from enrichment.normalise import company, country, industry, subdivision
from enrichment.providers.provider import Answer, Firmographics, Lookup, NotFound, Query
from schemas.account import Account
from schemas.lead import Company
from schemas.region import region_of

_CONFIDENCE = 0.9


def opened(accounts: Accounts) -> Lookup:
    """Return the provider over `accounts`."""

    async def lookup(query: Query, deadline: float) -> Answer:
        known = accounts.get(ACCOUNTS, query.domain) if query.domain else None
        return Firmographics(_company(known), _CONFIDENCE) if known else NotFound()

    return lookup


def _company(account: Account) -> Company:
    where = country.code(account.country) if account.country else None
    place = subdivision.place(account.state, where) if account.state else None
    where = where or (place[0] if place else None)
    return Company(
        name=company.name(account.name) if account.name else None,
        domain=account.domain,
        employees=account.employees,
        industry=industry.slug(account.industry) if account.industry else None,
        country=where,
        state=place[1] if place else None,
        region=region_of(where) if where else None,
        parent_domain=account.parent,
    )
