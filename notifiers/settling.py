"""How deliveries come to their one outcome: what settles, what is tried again and when, and when to raise the alarm."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from notifiers.delivery import ACCOUNTABLE, PEOPLE, Ledger, Row, delivery_key, notice_named, notice_of, row_for
from notifiers.outcome import Attempt, Try
from notifiers.settings import ChannelSettings
from schemas.decision import Decision
from schemas.delivery import NoticeSettled, Outcome
from schemas.digest import DigestItem

ALL_CHANNELS = "all"


@dataclass(frozen=True, slots=True)
class Step:
    """A ledger moved on: its new value and the outcomes that became known."""

    ledger: Ledger
    settled: tuple[NoticeSettled, ...]


def advanced(ledger: Ledger, attempts: Mapping[str, Attempt], settings: ChannelSettings, now: datetime) -> Step:
    """Return the ledger after `attempts` (by key): what settled, what is tried again and when.

    A row that is due and has no attempt waits for the next try. One that ran out of time expires.
    """
    rows: list[Row] = []
    settled: list[NoticeSettled] = []
    is_told = ledger.is_told
    for row in sorted(ledger.rows, key=lambda r: _known_at(attempts.get(r.key), now)):
        if row.settled is not None:
            rows.append(row)
            continue
        moved = _moved(row, attempts.get(row.key), settings, now)
        rows.append(moved)
        if moved.settled is None:
            continue
        records = _records(ledger, moved, attempts.get(row.key), now, is_told)
        is_told = is_told or any(record.is_first for record in records)
        settled.extend(records)
    places = {row.key: place for place, row in enumerate(ledger.rows)}
    after = ledger.model_copy(update={"rows": tuple(sorted(rows, key=lambda r: places[r.key])), "is_told": is_told})
    after = _with_fallback(after, settings, now)
    return _with_alarm(after, tuple(settled), now)


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
    if attempt.place and attempt.place == row.place:
        return row
    if attempt.place:
        waits, reason = row.waits + 1, attempt.reason or row.reason
        return row.model_copy(update={"waits": waits, "next_at": row.ends_at, "place": attempt.place, "reason": reason})
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
            "place": "",
            "may_have_arrived": row.may_have_arrived or attempt.may_have_arrived,
            "reason": attempt.reason or row.reason,
        }
    )


def _out_of_time(row: Row) -> Row:
    # Tried and never taken is a failure of the channel; never tried means the notice was of no use any more.
    outcome = Outcome.FAILED if row.tries else Outcome.EXPIRED
    return row.model_copy(update={"settled": outcome, "reason": row.reason or "its time ran out"})


def _records(
    ledger: Ledger, row: Row, attempt: Attempt | None, now: datetime, is_told: bool
) -> tuple[NoticeSettled, ...]:
    """Return what a settled row means: one outcome, or one for each notice of a digest that had this channel."""
    record = _record(ledger.decision, row, attempt, now, is_told)
    if ledger.resend:
        return (record.model_copy(update={"resent_by": ledger.resent_by}),)
    if not ledger.items:
        return (record,)
    asked = {channel for item in ledger.items for channel in item.channels}
    # A fallback channel that no item asked for tells of all of them.
    items = (item for item in ledger.items if row.channel in item.channels or row.channel not in asked)
    return tuple(_of_item(item, record) for item in items)


def _of_item(item: DigestItem, record: NoticeSettled) -> NoticeSettled:
    decision, notice = item.decision, notice_named(item.decision, item.notice)
    return record.model_copy(
        update={
            "decision_id": decision.decision_id,
            "lead_id": decision.lead_id,
            "division": decision.division,
            "person": decision.person,
            "epoch": decision.epoch,
            "notice": notice.id,
            "audience": notice.audience.value,
            "template": notice.template,
            "key": delivery_key(decision.decision_id, notice.id, record.recipient, record.channel),
            "is_first": record.is_first and item.counts_first,
        }
    )


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
                added.append(row_for(ledger.decision, notice, recipient, channel, settings, now))
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
    alarms = [_of_item(item, alarm) for item in ledger.items if item.counts_first] if ledger.items else [alarm]
    return Step(ledger.model_copy(update={"is_alarmed": True}), (*settled, *alarms))


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
        }
    )
