"""What NOTIFY remembers of a lead: what was handled, answered, threaded and overtaken. Expires by itself."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import AwareDatetime, Field

from notifiers.delivery import Ledger, Row, notice_of
from notifiers.outcome import Attempt, Try
from notifiers.settings import ChannelSettings
from schemas.decision import Audience, Decision
from schemas.delivery import Outcome
from schemas.lead import MailKind
from schemas.model import Written

_MOST_REMEMBERED = 64


class Reply(Written):
    """An automatic answer, claimed by the decision that asked for it first."""

    decision_id: str
    at: AwareDatetime


class LeadNotes(Written):
    """One lead's memory, without personal data.

    handled: ledger id (a decision's or a resend's) -> when it was seen first. crm_at: decision time of the newest that
    the CRM must hear. epoch: the newest seen. replied: action -> its answer. threads: channel/recipient -> the receipt
    to thread on.
    """

    handled: dict[str, AwareDatetime] = Field(default_factory=dict)
    crm_at: AwareDatetime | None = None
    epoch: int = 0
    replied: dict[str, Reply] = Field(default_factory=dict)
    threads: dict[str, dict[str, str]] = Field(default_factory=dict)
    expires_at: AwareDatetime


@dataclass(frozen=True, slots=True)
class Screening:
    """Rows that are not sent, by key, and the notes after."""

    notes: LeadNotes
    held_back: Mapping[str, Attempt]


def fresh(settings: ChannelSettings, now: datetime) -> LeadNotes:
    """Return the notes of a lead seen first."""
    return LeadNotes(expires_at=now + timedelta(seconds=settings.notes_seconds))


def noted(notes: LeadNotes, ledger: Ledger, settings: ChannelSettings, now: datetime) -> Screening:
    """Return the notes after the first sight of a decision, and which of its rows must not be sent."""
    decision = ledger.decision
    held_back: dict[str, Attempt] = {}
    replied = dict(notes.replied)
    action = decision.lead.action or ""
    for row in _replies(ledger):
        claim = replied.get(action)
        reason = _why_no_reply(decision, claim, settings, now)
        if reason is None:
            replied[action] = Reply(decision_id=decision.decision_id, at=now)
        else:
            held_back[row.key] = Attempt(Try.SUPPRESSED, now, reason)
    has_crm = any(notice.audience is Audience.CRM for notice in decision.notices)
    after = LeadNotes(
        handled=_latest({**notes.handled, ledger.id: now}),
        crm_at=max(notes.crm_at or decision.at, decision.at) if has_crm else notes.crm_at,
        epoch=max(notes.epoch, decision.epoch),
        replied=replied,
        threads=notes.threads,
        expires_at=now + timedelta(seconds=settings.notes_seconds),
    )
    return Screening(after, held_back)


def overtaken(notes: LeadNotes | None, ledger: Ledger, now: datetime) -> Mapping[str, Attempt]:
    """Return the rows that a later decision made pointless, or harmful: a CRM would get an old owner back."""
    if notes is None:
        return {}
    decision = ledger.decision
    rows: dict[str, Attempt] = {}
    for row in ledger.rows:
        if row.settled is not None:
            continue
        audience = notice_of(decision, row).audience
        if audience is Audience.CRM and notes.crm_at is not None and notes.crm_at > decision.at:
            rows[row.key] = Attempt(Try.OVERTAKEN, now, "a later decision has gone to the CRM")
        elif audience is Audience.OWNER and notes.epoch > decision.epoch:
            rows[row.key] = Attempt(Try.OVERTAKEN, now, "the lead has moved on")
    return rows


def unsubscribed(ledger: Ledger, is_suppressed: Callable[[str], bool], now: datetime) -> Mapping[str, Attempt]:
    """Return the open answers to a person who wants no automatic mail. Asked at each look: it may come at any time."""
    rows = [row for row in _replies(ledger) if row.settled is None]
    if not rows or not is_suppressed(ledger.decision.person):
        return {}
    return {row.key: Attempt(Try.SUPPRESSED, now, "unsubscribed") for row in rows}


def settled_notes(notes: LeadNotes, ledger: Ledger, attempts: Mapping[str, Attempt]) -> LeadNotes:
    """Return the notes after attempts: threads that were opened, and claims of answers that failed given back."""
    threads = dict(notes.threads)
    for row in ledger.rows:
        attempt = attempts.get(row.key)
        if attempt is not None and attempt.receipt:
            threads[thread_name(row)] = dict(attempt.receipt)
    replied = dict(notes.replied)
    for row in _replies(ledger):
        claim = replied.get(ledger.decision.lead.action or "")
        is_mine = claim is not None and claim.decision_id == ledger.decision.decision_id
        if is_mine and row.settled in (Outcome.FAILED, Outcome.EXPIRED):
            del replied[ledger.decision.lead.action or ""]
    return notes.model_copy(update={"threads": dict(list(threads.items())[-_MOST_REMEMBERED:]), "replied": replied})


def thread_name(row: Row) -> str:
    """Return the name under which a row's thread is remembered."""
    return f"{row.channel}/{row.recipient}"


def _replies(ledger: Ledger) -> tuple[Row, ...]:
    return tuple(row for row in ledger.rows if notice_of(ledger.decision, row).audience is Audience.LEAD)


def _why_no_reply(decision: Decision, claim: Reply | None, settings: ChannelSettings, now: datetime) -> str | None:
    lead = decision.lead
    if lead.mail.kind in (MailKind.DISPOSABLE, MailKind.INVALID, MailKind.NONE):
        return f"the address is {lead.mail.kind.value}"
    if lead.suspect:
        return "the lead is suspect"
    if lead.has_consent is False:
        return "no consent"
    if decision.person in settings.unsubscribed:
        return "unsubscribed"
    is_recent = claim is not None and now - claim.at < timedelta(seconds=settings.marker_seconds)
    if is_recent and claim is not None and claim.decision_id != decision.decision_id:
        return "already answered"
    return None


def _latest(handled: dict[str, datetime]) -> dict[str, datetime]:
    return dict(sorted(handled.items(), key=lambda item: item[1])[-_MOST_REMEMBERED:])
