"""What has aged in the list of accounts (ACC-6): for people to settle, nothing is changed by itself."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from enrichment.normalise import company
from schemas.account import STALE_AFTER, Account, is_stale
from schemas.lead import Lead
from schemas.rep import Rep

_SAME_NAME = 0.6  # below, the company is called otherwise now


@dataclass(frozen=True, slots=True)
class AccountFinding:
    """domain: of the account. kind: a word for programs. what, fix: a sentence each."""

    domain: str
    kind: str
    what: str
    fix: str


@dataclass(slots=True)
class Seen:
    """What leads told of companies lately. of_account: domain -> the latest lead bound to it. proposed: domain ->
    leads that may belong to it, by name or by a hint."""

    of_account: dict[str, Lead] = field(default_factory=dict)
    proposed: dict[str, int] = field(default_factory=dict)

    def add(self, lead: Lead) -> None:
        """Take in a lead; later ones of an account replace earlier ones."""
        if lead.account is not None:
            before = self.of_account.get(lead.account.domain)
            if before is None or before.received_at <= lead.received_at:
                self.of_account[lead.account.domain] = lead
        elif lead.account_hint is not None:
            self.proposed[lead.account_hint] = self.proposed.get(lead.account_hint, 0) + 1


def account_findings(
    accounts: Sequence[Account], roster: Iterable[Rep], seen: Seen, now: datetime
) -> list[AccountFinding]:
    """Return what people should look at, by account."""
    known = {account.domain: account for account in accounts}
    reps = {rep.id: rep for rep in roster}
    found: list[AccountFinding] = []
    for account in accounts:
        found += _people(account, reps)
        found += _company(account, known, seen.of_account.get(account.domain))
        found += _age(account, now)
        leads = seen.proposed.get(account.domain)
        if leads:
            what = f"{leads} {'lead' if leads == 1 else 'leads'} without an account may belong to it."
            fix = "Look at them; add the domain they came from as an alias if they do."
            found.append(AccountFinding(account.domain, "proposed", what, fix))
    found += _doubles(accounts)
    return sorted(found, key=lambda one: (one.domain, one.kind, one.what))


def _people(account: Account, reps: Mapping[str, Rep]) -> Iterator[AccountFinding]:
    roles = (("owner", account.owner), ("opportunity owner", account.opportunity_owner))
    for role, rep_id in (*roles, ("backup", account.backup.rep if account.backup else None)):
        rep = reps.get(rep_id or "")
        if rep_id is None or (rep is not None and rep.active):
            continue
        why = "is not in the roster" if rep is None else "has left"
        fix = "Name another; until then its leads go to whoever covers."
        yield AccountFinding(account.domain, "owner_left", f"Its {role} {rep_id} {why}.", fix)
    if account.owner is None and (account.is_named or account.is_customer or account.has_open_opportunity):
        what = "It is a customer or named account and has no owner."
        yield AccountFinding(account.domain, "no_owner", what, "Name one; its leads follow the rules until then.")


def _company(account: Account, known: Mapping[str, Account], lead: Lead | None) -> Iterator[AccountFinding]:
    if account.parent is not None and account.parent not in known:
        what = f"Its parent {account.parent} is no account."
        yield AccountFinding(account.domain, "parent_unknown", what, "Add the parent, or take it out.")
    if lead is None:
        return
    now = lead.company
    if account.name and now.name and company.likeness(account.name, now.name) < _SAME_NAME:
        what = f"It is called {now.name} now, not {account.name}."
        yield AccountFinding(account.domain, "renamed", what, "Correct the name; look whether it was bought.")
    for word, before, after in (("country", account.country, now.country), ("state", account.state, now.state)):
        if before and after and before != after:
            what = f"Its {word} is {after} now, not {before}."
            yield AccountFinding(account.domain, "moved", what, "Correct it; another territory may own it.")
            break
    if now.parent_domain and now.parent_domain not in (account.parent, account.domain):
        owner = known[now.parent_domain].owner if now.parent_domain in known else None
        whose = f", which {owner} owns" if owner and owner != account.owner else ""
        what = f"It belongs to {now.parent_domain}{whose}."
        yield AccountFinding(account.domain, "acquired", what, "Set the parent and settle who owns both.")


def _age(account: Account, now: datetime) -> Iterator[AccountFinding]:
    last = account.last_activity_at
    if account.is_named and last is not None and is_stale(last, now):
        what = f"Nothing has happened since {last.date().isoformat()}, {STALE_AFTER.days} days are the limit."
        yield AccountFinding(account.domain, "stale", what, "Decide whether it stays a named account.")


def _doubles(accounts: Sequence[Account]) -> Iterator[AccountFinding]:
    domains = {account.domain for account in accounts}
    names: dict[str, str] = {}
    for account in sorted(accounts, key=lambda one: one.domain):
        for alias in sorted(set(account.aliases) & domains - {account.domain}):
            what = f"Its alias {alias} is an account of its own."
            yield AccountFinding(account.domain, "double", what, "Merge the two, or take the alias out.")
        name = company.key(account.name) if account.name else ""
        if name and name in names:
            what = f"It has the name of {names[name]}."
            yield AccountFinding(account.domain, "double", what, "Merge the two, or tell them apart by name.")
        elif name:
            names[name] = account.domain
