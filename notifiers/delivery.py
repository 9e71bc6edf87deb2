"""The plan: which deliveries a decision asks for, and the ledger that follows each one to its single outcome."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import AwareDatetime

from notifiers.outcome import Attempt, Try
from notifiers.settings import ChannelSettings
from schemas.decision import Audience, Decision, Notice
from schemas.delivery import NoticeSettled, Outcome
from schemas.ids import derived_id
from schemas.model import Written

PEOPLE = frozenset({Audience.OWNER, Audience.PREVIOUS_OWNER, Audience.MANAGER, Audience.LEADERSHIP, Audience.QUEUE})
# Those whose reading makes the assignment count as announced (NOT-1, NOT-5).
ACCOUNTABLE = frozenset({Audience.OWNER, Audience.QUEUE})


LEAD_CHANNELS = ("email",)  # nothing else is sent to a lead without being asked for


class Row(Written):
    """One delivery under way. next_at: not tried before. tries: calls made; waits: times put off without a call.

    may_have_arrived: an earlier call got no answer. settled: the outcome, once known.
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
    settled: Outcome | None = None
    reason: str = ""


class Ledger(Written):
    """All deliveries of one decision until the last is settled; the decision is kept for its text.

    alarm_at: when the accountable person counts as not told (NOT-5). is_told: one of their channels acknowledged.
    is_alarmed: that they were not told is on record.
    """

    decision: Decision
    rows: tuple[Row, ...]
    alarm_at: AwareDatetime | None = None
    is_told: bool = False
    is_alarmed: bool = False

    @property
    def is_open(self) -> bool:
        return any(row.settled is None for row in self.rows)


@dataclass(frozen=True, slots=True)
class Step:
    """A ledger moved on: its new value and the outcomes that became known."""

    ledger: Ledger
    settled: tuple[NoticeSettled, ...]


def delivery_key(decision: str, notice: str, recipient: str, channel: str) -> str:
    """Return the idempotency key of a delivery: made of ids alone, the same for ever."""
    return derived_id(decision, "notify", f"{notice}\x1f{recipient}\x1f{channel}")


def notice_of(decision: Decision, row: Row) -> Notice:
    """Return the notice that `row` delivers."""
    return next(notice for notice in decision.notices if notice.id == row.notice)


def opened(decision: Decision, settings: ChannelSettings, now: datetime) -> Ledger:
    """Return the ledger of a decision at its first sight: one row per notice, recipient and channel."""
    rows: dict[str, Row] = {}
    for notice in decision.notices:
        for recipient in _recipients(notice, settings):
            for channel in _channels(notice):
                row = _row(decision, notice, recipient, channel, settings, now)
                rows.setdefault(row.key, row)
    planned = tuple(rows.values())
    accountable = [row.next_at for row in planned if notice_of(decision, row).audience in ACCOUNTABLE]
    alarm_at = None
    if accountable:
        alarm_at = max(min(accountable), decision.at) + timedelta(seconds=settings.unacknowledged_seconds)
    return Ledger(decision=decision, rows=planned, alarm_at=alarm_at)


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


def _row(
    decision: Decision, notice: Notice, recipient: str, channel: str, settings: ChannelSettings, now: datetime
) -> Row:
    starts_at = max(notice.release_at.get(channel, now), now)
    lifetime = settings.lifetime_seconds.get(channel, settings.default_lifetime_seconds)
    return Row(
        key=delivery_key(decision.decision_id, notice.id, recipient, channel),
        notice=notice.id,
        recipient=recipient,
        channel=channel,
        next_at=starts_at,
        ends_at=notice.expires_at or starts_at + timedelta(seconds=lifetime),
    )


def due(ledger: Ledger, now: datetime) -> tuple[Row, ...]:
    """Return the rows to try at `now`."""
    return tuple(row for row in ledger.rows if row.settled is None and row.next_at <= now < row.ends_at)


def advanced(ledger: Ledger, attempts: Mapping[str, Attempt], settings: ChannelSettings, now: datetime) -> Step:
    """Return the ledger after `attempts` (by key): what settled, what is tried again and when.

    A row that is due and has no attempt waits for the next try. One that ran out of time expires.
    """
    decision, rows, settled = ledger.decision, [], []
    is_told = ledger.is_told
    for row in sorted(ledger.rows, key=lambda r: _known_at(attempts.get(r.key), now)):
        if row.settled is not None:
            rows.append(row)
            continue
        moved = _moved(row, attempts.get(row.key), settings, now)
        rows.append(moved)
        if moved.settled is None:
            continue
        record = _record(decision, moved, attempts.get(row.key), now, is_told)
        is_told = is_told or record.is_first
        settled.append(record)
    places = {row.key: place for place, row in enumerate(ledger.rows)}
    after = ledger.model_copy(update={"rows": tuple(sorted(rows, key=lambda r: places[r.key])), "is_told": is_told})
    after = _with_fallback(after, settings, now)
    return _with_alarm(after, tuple(settled), now)


def wakes_at(ledger: Ledger) -> datetime | None:
    """Return when the ledger must be looked at again; None once everything is settled and said."""
    times = [min(row.next_at, row.ends_at) for row in ledger.rows if row.settled is None]
    if not times:
        return None
    if ledger.alarm_at is not None and not ledger.is_told and not ledger.is_alarmed:
        times.append(ledger.alarm_at)
    return min(times)


def back_off_seconds(key: str, count: int, settings: ChannelSettings) -> float:
    """Return the wait before try `count` + 1: doubled each time up to the cap, half of it spread by the key.

    The spread comes from a hash, so that the same arguments give the same effects.
    """
    full = min(settings.retry_cap_seconds, settings.retry_first_seconds * 2 ** min(max(count - 1, 0), 16))
    digest = hashlib.sha256(f"{key}/{count}".encode()).digest()
    return float(full * (0.5 + int.from_bytes(digest[:4]) / 2**33))


def _known_at(attempt: Attempt | None, now: datetime) -> datetime:
    return attempt.at if attempt is not None else now


def _moved(row: Row, attempt: Attempt | None, settings: ChannelSettings, now: datetime) -> Row:
    match attempt:
        case Attempt(result=Try.DELIVERED):
            return row.model_copy(update={"settled": Outcome.DELIVERED, "tries": row.tries + 1, "reason": ""})
        case Attempt(result=Try.REFUSED):
            return row.model_copy(update={"settled": Outcome.FAILED, "tries": row.tries + 1, "reason": attempt.reason})
        case Attempt(result=Try.SUPPRESSED):
            return row.model_copy(update={"settled": Outcome.SUPPRESSED, "reason": attempt.reason})
        case Attempt(result=Try.OVERTAKEN):
            return row.model_copy(update={"settled": Outcome.EXPIRED, "reason": attempt.reason})
        case Attempt(result=Try.LATER | Try.WAITING):
            row = _put_off(row, attempt, settings, now)
        case None if row.next_at <= now:
            row = row.model_copy(
                update={"waits": row.waits + 1, "next_at": now + timedelta(seconds=settings.retry_first_seconds)}
            )
        case _:
            pass
    if now >= row.ends_at:
        return _out_of_time(row)
    return row


def _put_off(row: Row, attempt: Attempt, settings: ChannelSettings, now: datetime) -> Row:
    was_tried = attempt.result is Try.LATER
    tries, waits = (row.tries + 1, row.waits) if was_tried else (row.tries, row.waits + 1)
    wait = back_off_seconds(row.key, tries if was_tried else waits, settings)
    if attempt.after_seconds is not None:
        # Never before what was asked for; the spread keeps all that waited from coming at once.
        spread = back_off_seconds(row.key, 1, settings) / 2
        wait = max(wait, attempt.after_seconds + (spread if was_tried else 0.0))
    return row.model_copy(
        update={
            "tries": tries,
            "waits": waits,
            "next_at": now + timedelta(seconds=wait),
            "may_have_arrived": row.may_have_arrived or attempt.may_have_arrived,
            "reason": attempt.reason or row.reason,
        }
    )


def _out_of_time(row: Row) -> Row:
    # Tried and never taken is a failure of the channel; never tried means the notice was of no use any more.
    outcome = Outcome.FAILED if row.tries else Outcome.EXPIRED
    return row.model_copy(update={"settled": outcome, "reason": row.reason or "its time ran out"})


def _record(decision: Decision, row: Row, attempt: Attempt | None, now: datetime, is_told: bool) -> NoticeSettled:
    notice = notice_of(decision, row)
    is_first = row.settled is Outcome.DELIVERED and notice.audience in ACCOUNTABLE and not is_told
    return NoticeSettled(
        decision_id=decision.decision_id,
        lead_id=decision.lead_id,
        division=decision.division,
        person=decision.person,
        epoch=decision.epoch,
        notice=row.notice,
        audience=notice.audience.value,
        template=notice.template,
        recipient=row.recipient,
        channel=row.channel,
        outcome=row.settled or Outcome.FAILED,
        reason=row.reason,
        key=row.key,
        attempts=row.tries,
        at=min(_known_at(attempt, now), now),
        possible_repeat=attempt is not None and attempt.was_repeat,
        is_first=is_first,
    )


def _with_fallback(ledger: Ledger, settings: ChannelSettings, now: datetime) -> Ledger:
    """Add the next fallback channel for each accountable recipient none of whose channels can deliver any more."""
    added: list[Row] = []
    for notice in ledger.decision.notices:
        if notice.audience not in PEOPLE:
            continue
        for recipient in {row.recipient: None for row in ledger.rows if row.notice == notice.id}:
            theirs = [row for row in ledger.rows if row.notice == notice.id and row.recipient == recipient]
            if any(row.settled in (None, Outcome.DELIVERED) for row in theirs):
                continue
            if not any(row.settled is Outcome.FAILED for row in theirs):
                continue  # all suppressed or expired on purpose
            tried = {row.channel for row in theirs}
            channel = next((name for name in settings.fallback if name not in tried), None)
            if channel is not None:
                added.append(_row(ledger.decision, notice, recipient, channel, settings, now))
    return ledger.model_copy(update={"rows": (*ledger.rows, *added)}) if added else ledger


def _with_alarm(ledger: Ledger, settled: tuple[NoticeSettled, ...], now: datetime) -> Step:
    """Say once, on one record, that the accountable person was not told: all channels failed, or NOT-5's time is up.

    The record is the last settled one of theirs; where none settles in time, one for the channel "all".
    """
    if ledger.alarm_at is None or ledger.is_told or ledger.is_alarmed:
        return Step(ledger, settled)
    theirs = [row for row in ledger.rows if notice_of(ledger.decision, row).audience in ACCOUNTABLE]
    if any(row.settled is None for row in theirs) and now < ledger.alarm_at:
        return Step(ledger, settled)
    alarm = _alarm(ledger.decision, theirs, now)
    return Step(ledger.model_copy(update={"is_alarmed": True}), (*settled, alarm))


def _alarm(decision: Decision, rows: Iterable[Row], now: datetime) -> NoticeSettled:
    row = next(iter(rows))
    reasons = sorted({f"{r.channel}: {r.reason or 'no answer'}" for r in rows})
    return _record(decision, row.model_copy(update={"settled": Outcome.FAILED}), None, now, True).model_copy(
        update={
            "channel": ALL_CHANNELS,
            "reason": "no channel acknowledged; " + "; ".join(reasons),
            "key": delivery_key(decision.decision_id, row.notice, row.recipient, ALL_CHANNELS),
            "attempts": sum(r.tries for r in rows),
            "all_failed": True,
            "expected": 1,
        }
    )


ALL_CHANNELS = "all"
