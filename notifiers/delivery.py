"""The plan: which deliveries a decision asks for, and the ledger that follows each one to its single outcome."""

from datetime import UTC, datetime, timedelta

from pydantic import AwareDatetime

from notifiers.settings import ChannelSettings
from schemas.decision import Audience, Decision, Notice
from schemas.delivery import Outcome
from schemas.digest import DigestItem
from schemas.ids import derived_id
from schemas.model import Written
from schemas.resend import Resend

PEOPLE = frozenset({Audience.OWNER, Audience.PREVIOUS_OWNER, Audience.MANAGER, Audience.LEADERSHIP, Audience.QUEUE})
# Those whose reading makes the assignment count as announced (NOT-1, NOT-5).
ACCOUNTABLE = frozenset({Audience.OWNER, Audience.QUEUE})


_NEVER = datetime.max.replace(tzinfo=UTC)
# Not held back for a digest: nobody is disturbed by them.
_AT_ONCE = frozenset({"in_app", "webhook", "crm"})
LEAD_CHANNELS = ("email",)  # nothing else is sent to a lead without being asked for


class Row(Written):
    """One delivery under way. next_at: not tried before. tries: calls made; waits: times put off without a call.

    may_have_arrived: an earlier call got no answer. place: where it waits for its lane (then next_at is its end);
    settled: the outcome, once known.
    """

    key: str
    notice: str
    recipient: str
    channel: str
    next_at: AwareDatetime
    ends_at: AwareDatetime
    tries: int = 0
    waits: int = 0
    may_have_arrived: bool = False
    place: str = ""
    settled: Outcome | None = None
    reason: str = ""


class Ledger(Written):
    """All deliveries of one decision until the last is settled; the decision is kept for its text.

    alarm_at: when the accountable person counts as not told (NOT-5). is_told: one of their channels acknowledged.
    is_alarmed: that they were not told is on record. items: what a digest tells; empty for a decision's own ledger.
    resend: id of the order to send again that opened it, "" for a decision's own; resent_by: who gave it.
    """

    decision: Decision
    rows: tuple[Row, ...]
    alarm_at: AwareDatetime | None = None
    is_told: bool = False
    is_alarmed: bool = False
    items: tuple[DigestItem, ...] = ()
    resend: str = ""
    resent_by: str = ""

    @property
    def id(self) -> str:
        return self.resend or self.decision.decision_id

    @property
    def is_open(self) -> bool:
        return any(row.settled is None for row in self.rows)


def delivery_key(decision: str, notice: str, recipient: str, channel: str) -> str:
    """Return the idempotency key of a delivery: made of ids alone, the same for ever."""
    return derived_id(decision, "notify", f"{notice}\x1f{recipient}\x1f{channel}")


def is_digested(notice: Notice, channel: str) -> bool:
    """Tell whether a delivery waits for its recipient's digest."""
    return (
        notice.digest_seconds is not None
        and not notice.urgent
        and notice.audience in PEOPLE
        and bool(notice.recipients)
        and channel not in _AT_ONCE
    )


def notice_of(decision: Decision, row: Row) -> Notice:
    """Return the notice that `row` delivers."""
    return notice_named(decision, row.notice)


def notice_named(decision: Decision, notice_id: str) -> Notice:
    """Return a notice by its id. Raises KeyError for one that the decision does not have."""
    for notice in decision.notices:
        if notice.id == notice_id:
            return notice
    raise KeyError(notice_id)


def opened(decision: Decision, settings: ChannelSettings, now: datetime) -> Ledger:
    """Return the ledger of a decision at its first sight: one row per notice, recipient and channel."""
    rows: dict[str, Row] = {}
    for notice in decision.notices:
        for recipient in _recipients(notice, settings):
            for channel in _channels(notice):
                if is_digested(notice, channel):
                    continue
                row = row_for(decision, notice, recipient, channel, settings, now)
                rows.setdefault(row.key, row)
    planned = tuple(rows.values())
    accountable = [row for row in planned if notice_of(decision, row).audience in ACCOUNTABLE]
    alarm_at = None
    if accountable:
        said = [notice_of(decision, row).acknowledge_within_seconds for row in accountable]
        within = min((one for one in said if one is not None), default=settings.unacknowledged_seconds)
        alarm_at = max(min(row.next_at for row in accountable), decision.at) + timedelta(seconds=within)
    return Ledger(decision=slim(decision), rows=planned, alarm_at=alarm_at)


def reopened(order: Resend, settings: ChannelSettings, now: datetime) -> Ledger:
    """Return the ledger of an order to send again: the same keys, and each may have arrived before."""
    rows = {}
    for item in order.items:
        notice = notice_named(order.decision, item.notice)
        row = row_for(order.decision, notice, item.recipient, item.channel, settings, now)
        lifetime = settings.lifetime_seconds.get(item.channel, settings.default_lifetime_seconds)
        # Its own end is over, mostly; whoever sends it again wants it there all the same.
        rows[row.key] = row.model_copy(
            update={"may_have_arrived": True, "next_at": now, "ends_at": now + timedelta(seconds=lifetime)}
        )
    return Ledger(
        decision=order.decision,
        rows=tuple(rows.values()),
        is_told=order.was_told,
        resend=order.id,
        resent_by=order.by,
    )


def slim(decision: Decision) -> Decision:
    """Return the decision without what no message needs: the trace is long, and the raw submission is personal."""
    contact = decision.contact
    if not decision.trace and not (contact and contact.raw):
        return decision
    contact = contact.model_copy(update={"raw": {}}) if contact else None
    return decision.model_copy(update={"trace": {}, "contact": contact})


def _recipients(notice: Notice, settings: ChannelSettings) -> tuple[str, ...]:
    if notice.recipients:
        return notice.recipients
    match notice.audience:
        case Audience.WEBHOOK:
            return tuple(sorted(settings.webhooks)) or ("webhook",)
        case Audience.LEAD:
            return ("lead",)
        case Audience.CRM:
            return ("crm",)
        case _:
            return (notice.audience.value,)


def _channels(notice: Notice) -> tuple[str, ...]:
    match notice.audience:
        case Audience.CRM:
            return ("crm",)
        case Audience.WEBHOOK:
            return ("webhook",)
        case Audience.LEAD:
            return tuple(name for name in notice.channels if name in LEAD_CHANNELS) or LEAD_CHANNELS[:1]
        case _:
            return notice.channels


def row_for(
    decision: Decision, notice: Notice, recipient: str, channel: str, settings: ChannelSettings, now: datetime
) -> Row:
    """Return the delivery of `notice` to one recipient on one channel, to be tried from now or its release on."""
    starts_at = max(notice.release_at.get(channel, now), now)
    lifetime = settings.lifetime_seconds.get(channel, settings.default_lifetime_seconds)
    return Row(
        key=delivery_key(decision.decision_id, notice.id, recipient, channel),
        notice=notice.id,
        recipient=recipient,
        channel=channel,
        next_at=starts_at,
        ends_at=min(notice.expires_at or _NEVER, starts_at + timedelta(seconds=lifetime)),
    )


def due(ledger: Ledger, now: datetime) -> tuple[Row, ...]:
    """Return the rows to try at `now`."""
    return tuple(row for row in ledger.rows if row.settled is None and row.next_at <= now < row.ends_at)


def wakes_at(ledger: Ledger) -> datetime | None:
    """Return when the ledger must be looked at again; None once everything is settled and said."""
    times = [min(row.next_at, row.ends_at) for row in ledger.rows if row.settled is None]
    if not times:
        return None
    if ledger.alarm_at is not None and not ledger.is_told and not ledger.is_alarmed:
        times.append(ledger.alarm_at)
    return min(times)
