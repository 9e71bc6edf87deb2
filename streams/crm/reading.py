"""One round of reading a CRM back: what changed there since the bookmarks, as records for leadstream's topics."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pydantic import BaseModel

from enrichment.normalise import country, domain, headcount, industry, subdivision
from notifiers.crm.change import LOAD_STAGES, CrmChange, activity_of
from notifiers.crm.mirror import HeldAccount, HeldDeal, HeldUser, RemoteCrm
from schemas.account import Account
from schemas.activity import ActivityKind, ActivityReported
from schemas.bookmark import Bookmark
from schemas.ids import derived_id
from schemas.rep import Rep
from schemas.wire import encode
from streams.cli.writer import Outgoing

# A CRM's index and clock lag behind its changes: so much is read again, and recognised by its ids.
OVERLAP = timedelta(minutes=2)
FIRST = timedelta(days=1)  # how far back the first round looks for changes of leads
_BEGINNING = timedelta(days=3_650)  # accounts and open deals: all there are


@dataclass(frozen=True, slots=True)
class Known:
    """leadstream's tables as they are now. xref: foreign id -> lead id."""

    reps: Mapping[str, Rep]
    accounts: Mapping[str, Account]
    bookmarks: Mapping[str, datetime]
    xref: Mapping[str, str]
    stages: Mapping[str, str]

    def rep_of_crm(self, user: str) -> Rep | None:
        """Return the rep who is `user` in the CRM."""
        return next((rep for rep in self.reps.values() if rep.crm_id == user), None) if user else None


@dataclass(slots=True)
class Round:
    """What a round found. records: to write, bookmarks last. counts: what of; unknown: users not on the roster."""

    records: list[Outgoing] = field(default_factory=list)
    bookmarks: list[Outgoing] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    unknown: list[HeldUser] = field(default_factory=list)

    def take(self, what: str, record: Outgoing) -> None:
        self.records.append(record)
        self.counts[what] = self.counts.get(what, 0) + 1


def read_back(remote: RemoteCrm, known: Known, now: datetime) -> Round:
    """Return one round's records. Raises what the remote raises; then nothing is written and the bookmarks stay."""
    found = Round(counts=dict.fromkeys(("reps", "activity", "deals", "accounts"), 0))
    known = _users(remote, known, found)
    since = known.bookmarks.get(f"crm/{remote.system}/leads", now - FIRST)
    for change in remote.changes(since):
        activity = _activity(change, known)
        if activity is not None:
            found.take("activity", reported(activity))
    _moved_on(found, remote, "leads", since, now)
    touched = _deals(remote, known, found, now)
    _accounts(remote, known, found, touched, now)
    return found


def newcomers(users: Iterable[HeldUser], known: Known) -> list[Rep]:
    """Return the CRM's active users who are not on the roster, as entries that get no lead until somebody says more.

    What a CRM does not know of a person (role, team, hours, limit) is the roster's to say.
    """
    mails = {rep.email.lower() for rep in known.reps.values() if rep.email}
    ids = {rep.crm_id for rep in known.reps.values()}
    strangers = [user for user in users if user.is_active and user.id not in ids and user.email.lower() not in mails]
    return [
        Rep(id=_id_of(user.id), name=user.name or user.id, email=user.email or None, crm_id=user.id, active=False)
        for user in strangers
    ]


def _id_of(user: str) -> str:
    return "crm-" + "".join(one if one.isalnum() else "-" for one in user)[:60]


def reported(activity: ActivityReported) -> Outgoing:
    """Return an activity as a record. Its own id is the change's: SCORE knows one that has come by webhook too."""
    key = activity.lead_id or activity.foreign_id or activity.opportunity_id or ""
    record_id = derived_id(activity.id or key, "intake/crm", "activity")
    return Outgoing(record_id, "leads.activity", key, "activity.reported", encode(activity))


def _users(remote: RemoteCrm, known: Known, found: Round) -> Known:
    """Take users' ids and deactivations over; return what is known with them."""
    reps = dict(known.reps)
    by_mail = {rep.email.lower(): rep.id for rep in reps.values() if rep.email}
    by_crm = {rep.crm_id: rep.id for rep in reps.values() if rep.crm_id}
    for user in remote.users():
        rep_id = by_crm.get(user.id) or by_mail.get(user.email.lower())
        if rep_id is None:
            if user.is_active:
                found.unknown.append(user)
            continue
        after = _as_user(reps[rep_id], user)
        if after != reps[rep_id]:
            reps[rep_id] = after
            found.take("reps", _row("reps", rep_id, "rep.put", after))
    return Known(reps, known.accounts, known.bookmarks, known.xref, known.stages)


def _as_user(rep: Rep, user: HeldUser) -> Rep:
    changes: dict[str, object] = {} if rep.crm_id else {"crm_id": user.id}
    if rep.active and not user.is_active:
        changes |= {"active": False, "deactivated_at": user.at}  # back on again is for people: the roster owns it
    return rep.model_copy(update=changes)


def _activity(change: CrmChange, known: Known) -> ActivityReported | None:
    lead_id = change.lead_id or known.xref.get(change.foreign_id or "")
    activity = activity_of(change, known.rep_of_crm, known.stages) if lead_id is not None else None
    return None if activity is None else activity.model_copy(update={"lead_id": lead_id})


def _deals(remote: RemoteCrm, known: Known, found: Round, now: datetime) -> set[str]:
    """Take open and closed deals over; return the companies whose deals changed."""
    bookmark = known.bookmarks.get(f"crm/{remote.system}/deals")
    since = bookmark or now - _BEGINNING
    touched: set[str] = set()
    for deal in remote.deals(since):
        if bookmark is None and deal.is_closed:
            continue
        touched |= {deal.account} - {""}
        rep = known.rep_of_crm(deal.owner)
        if rep is not None:
            found.take("deals", reported(_opportunity(deal, rep, known.stages)))
    _moved_on(found, remote, "deals", since, now)
    return touched


def _opportunity(deal: HeldDeal, rep: Rep, stages: Mapping[str, str]) -> ActivityReported:
    return ActivityReported(
        id=f"{deal.id}/{int(deal.at.timestamp() * 1_000)}",
        kind=ActivityKind.OPPORTUNITY_CHANGED,
        at=deal.at,
        opportunity_id=deal.id,
        rep=rep.id,
        stage=_stage(deal, stages),
        value=deal.amount,
        by="crm",
    )


def _stage(deal: HeldDeal, stages: Mapping[str, str]) -> str:
    """Return early, mid, late or closed: by the settings' names, else by the CRM's own probability."""
    if deal.is_closed:
        return "closed"
    named = stages.get(deal.stage.lower())
    if named in LOAD_STAGES:
        return named or "mid"
    if deal.probability is None:
        return "mid"
    return "early" if deal.probability < 1 / 3 else "mid" if deal.probability < 2 / 3 else "late"


def _accounts(remote: RemoteCrm, known: Known, found: Round, touched: Iterable[str], now: datetime) -> None:
    since = known.bookmarks.get(f"crm/{remote.system}/accounts", now - _BEGINNING)
    for held in remote.accounts(since, touched):
        site = domain.of_site(held.site)
        if site is None:
            continue
        before = known.accounts.get(site)
        after = _account(site, held, before, known)
        if after != before:
            found.take("accounts", _row("accounts", site, "account.put", after))
    _moved_on(found, remote, "accounts", since, now)


def _account(site: str, held: HeldAccount, before: Account | None, known: Known) -> Account:
    """Return the account's row: what the CRM knows, over what only the table has (aliases, backup)."""
    owner, deal_owner = known.rep_of_crm(held.owner), known.rep_of_crm(held.deal_owner)
    code = country.code(held.country) if held.country else None
    place = subdivision.place(held.state, code) if held.state else None
    values = {
        "name": held.name or None,
        "parent": domain.of_site(held.parent_site) if held.parent_site else None,
        "owner": owner.id if owner else None,
        "is_named": held.is_named or None,
        "last_activity_at": held.active_at,
        "employees": headcount.number(held.employees) if held.employees else None,
        "industry": industry.slug(held.industry.replace("_", " ")) if held.industry else None,
        "country": code,
        "state": place[1] if place else None,
    }
    said = {name: value for name, value in values.items() if value is not None}
    base = before or Account(domain=site)
    return base.model_copy(
        update={
            **said,
            "is_customer": held.is_customer,
            "has_open_opportunity": held.has_open_deal,
            "opportunity_owner": deal_owner.id if deal_owner else None,
        }
    )


def _moved_on(found: Round, remote: RemoteCrm, what: str, since: datetime, now: datetime) -> None:
    """Set the bookmark a little before the round's start. now: when the round began."""
    source = f"crm/{remote.system}/{what}"
    mark = Bookmark(source=source, at=max(since, now - OVERLAP))
    found.bookmarks.append(_row("bookmarks", source, "bookmark.put", mark))


def _row(topic: str, key: str, event_type: str, row: BaseModel) -> Outgoing:
    value = encode(row) or b""
    return Outgoing(f"{topic}/{hashlib.sha256(key.encode() + value).hexdigest()[:32]}", topic, key, event_type, value)
