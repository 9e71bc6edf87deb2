"""Which account a lead belongs to (ACC-3), and which one it may belong to."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from rapidfuzz import fuzz

from enrichment.answer import Said
from enrichment.normalise import domain as domains
from enrichment.normalise.company import key as company_key
from schemas.account import Account
from schemas.lead import AccountMatch, AccountRef, Company, Lead, MailKind

ACCOUNTS = "accounts"
_ALIKE_PERCENT = 90.0


class Accounts(Protocol):
    """The part of `streams.tables` that is needed here."""

    def get(self, table: str, key: str) -> Account | None: ...

    def scan(self, table: str, prefix: str) -> Iterator[tuple[str, Account]]: ...


@dataclass(slots=True)
class AccountIndex:
    """The accounts table with what it is not keyed by: aliases and names. `refresh` reads the table anew."""

    accounts: Accounts
    _by_alias: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _by_word: dict[str, list[tuple[str, str]]] = field(default_factory=dict)  # first word -> (name as a key, domain)

    def refresh(self) -> None:
        """Read all aliases and names again. Costs a scan of the table."""
        found: dict[str, tuple[str, ...]] = {}
        names: dict[str, list[tuple[str, str]]] = {}
        for key, account in self.accounts.scan(ACCOUNTS, ""):
            for alias in account.aliases:
                found[alias.lower()] = (*found.get(alias.lower(), ()), key)
            name = company_key(account.name) if account.name else ""
            if name:
                names.setdefault(name.split(" ", 1)[0], []).append((name, key))
        self._by_alias, self._by_word = found, names

    def likely(self, name: str) -> str | None:
        """Return the domain of the account whose name is most like `name`; None where none is alike enough.

        A proposal for a person, who decides (ACC-3). Names are compared with those of the same first word.
        """
        if not self._by_word:
            return None
        asked = company_key(name)
        rows = self._by_word.get(asked.split(" ", 1)[0], [])
        best = max(((fuzz.token_sort_ratio(asked, known), domain) for known, domain in rows), default=(0.0, ""))
        return best[1] if best[0] >= _ALIKE_PERCENT else None

    def matches(self, host: str) -> Iterator[tuple[Account, AccountMatch]]:
        """Yield the accounts of a host: on it, by alias, then on the hosts above it (subdomain)."""
        for at, name in enumerate(domains.parents(host)):
            exact = self.accounts.get(ACCOUNTS, name)
            if exact:
                yield exact, AccountMatch.SUBDOMAIN if at else AccountMatch.DOMAIN
            for key in self._by_alias.get(name, ()):
                account = self.accounts.get(ACCOUNTS, key)
                if account and account is not exact:
                    yield account, AccountMatch.ALIAS

    def parent_of(self, account: Account) -> Account | None:
        return self.accounts.get(ACCOUNTS, account.parent) if account.parent else None


def bound(lead: Lead, mail_host: str | None, answers: Sequence[Said], index: AccountIndex) -> Lead:
    """Return the enriched lead with its account, or with a hint for a reviewer.

    The account of a business address stands (OPT-3). After enrichment the company's domain and its parent's decide,
    where the address or a provider proves that the lead belongs there; a name alone, or a site that somebody with a
    personal address typed, is a hint (ACC-3, ACC-5).
    """
    early = early_match(index, mail_host, lead.mail.kind)
    if early:
        return lead.model_copy(update={"account": early})
    is_business = lead.mail.kind is MailKind.BUSINESS
    tied = {said.company.domain for said in answers if said.company and said.found_by == "email"}
    by_provider = not is_business and lead.company.domain in tied
    found = late_match(index, lead.company, by_provider=by_provider)
    if found and (is_business or by_provider):
        return lead.model_copy(update={"account": found})
    named = index.likely(lead.company.name) if not found and lead.company.name else None
    if is_business and not found:
        return lead.model_copy(update={"account_hint": named}) if named else lead
    if named is not None:
        return lead.model_copy(update={"account_hint": named})
    return lead.model_copy(update={"account_hint": found.domain if found else lead.company.domain or lead.company.name})


def early_match(index: AccountIndex, mail_host: str | None, kind: MailKind) -> AccountRef | None:
    """Return the account of a business address, before any look-up. A confirmed early match stands."""
    if mail_host is None or kind is not MailKind.BUSINESS:
        return None
    return _best(index, index.matches(mail_host))


def late_match(index: AccountIndex, company: Company, *, by_provider: bool) -> AccountRef | None:
    """Return the account of the enriched company: its domain, else its parent's.

    by_provider: only the provider ties the lead to this company (a personal address).
    """
    for host, by_parent in ((company.domain, False), (company.parent_domain, True)):
        found = _best(index, index.matches(host)) if host else None
        if found and by_provider:
            return found.model_copy(update={"match": AccountMatch.PROVIDER})
        if found:
            return found.model_copy(update={"match": AccountMatch.PARENT}) if by_parent else found
    return None


def _best(index: AccountIndex, found: Iterator[tuple[Account, AccountMatch]]) -> AccountRef | None:
    """Several hits: an open opportunity, then a named account, then the latest activity. The closest host first."""
    rows = list(found)
    if not rows:
        return None
    account, match = max(rows, key=lambda row: _rank(row[0]))
    if _owner(account) is None:
        parent = index.parent_of(account)
        if parent and _owner(parent):
            return _ref(parent, AccountMatch.PARENT)
    return _ref(account, match)


def _rank(account: Account) -> tuple[bool, bool, float]:
    latest = account.last_activity_at.timestamp() if account.last_activity_at else 0.0
    return account.has_open_opportunity, account.is_named, latest


def _owner(account: Account) -> str | None:
    """Return whose the account is: its owner, else whoever has its open opportunity (ACC-4)."""
    return account.owner or account.opportunity_owner


def _ref(account: Account, match: AccountMatch) -> AccountRef:
    return AccountRef(
        domain=account.domain,
        name=account.name,
        owner=_owner(account),
        opportunity_owner=account.opportunity_owner,
        backup=account.backup.rep if account.backup else None,
        backup_from=account.backup.start if account.backup else None,
        backup_until=account.backup.until if account.backup else None,
        is_named=account.is_named,
        is_customer=account.is_customer,
        has_open_opportunity=account.has_open_opportunity,
        match=match,
    )
