"""Digests: what one recipient is told within a while, sent as one message; each notice keeps an outcome of its own."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from pydantic import AwareDatetime

from notifiers.delivery import ACCOUNTABLE, Ledger, is_digested, notice_named, row_for, slim
from notifiers.settings import ChannelSettings
from schemas.decision import Audience, Decision, Notice
from schemas.digest import DigestItem
from schemas.ids import derived_id
from schemas.model import Written

MOST = 200  # a digest that is full goes out before its time
NOTICE = "digest"


class Digest(Written):
    """What waits for one recipient. due_at: when it goes out."""

    items: tuple[DigestItem, ...]
    due_at: AwareDatetime


def items_of(decision: Decision) -> Iterator[DigestItem]:
    """Yield what a decision hands over to digests, one item a recipient and notice."""
    for notice in decision.notices:
        channels = tuple(name for name in notice.channels if is_digested(notice, name))
        waits = [at for name, at in notice.release_at.items() if name in channels]
        for recipient in notice.recipients if channels else ():
            yield DigestItem(
                decision=slim(decision),
                notice=notice.id,
                recipient=recipient,
                channels=channels,
                seconds=notice.digest_seconds or 0.0,
                not_before=max(waits, default=None),
                counts_first=notice.audience in ACCOUNTABLE and len(channels) == len(notice.channels),
            )


def collected(known: Digest | None, item: DigestItem, now: datetime) -> Digest:
    """Return the digest with `item`; one that is there already changes nothing."""
    items = known.items if known is not None else ()
    if any((one.decision.decision_id, one.notice) == (item.decision.decision_id, item.notice) for one in items):
        assert known is not None
        return known
    due_at = known.due_at if known is not None else now + timedelta(seconds=item.seconds)
    if item.not_before is not None:
        due_at = max(due_at, item.not_before)
    items = (*items, item)
    return Digest(items=items, due_at=now if len(items) >= MOST else due_at)


def closed(digest: Digest, settings: ChannelSettings, now: datetime) -> Ledger:
    """Return the ledger that takes a digest out. Its decision stands for all: only its ids and its text are used."""
    first, last = digest.items[0], digest.items[-1]
    channels = tuple({name: None for item in digest.items for name in item.channels})
    notice = Notice(
        id=NOTICE, audience=Audience.OWNER, recipients=(last.recipient,), channels=channels, template=NOTICE
    )
    decision = last.decision.model_copy(
        update={
            "decision_id": derived_id(first.decision.decision_id, NOTICE, f"{first.notice}\x1f{first.recipient}"),
            "lead_id": f"{NOTICE}.{last.recipient}",
            "epoch": 0,
            "notices": (notice,),
        }
    )
    rows = tuple(row_for(decision, notice, last.recipient, channel, settings, now) for channel in channels)
    alarm_at = None
    if any(item.counts_first for item in digest.items):
        alarm_at = now + timedelta(seconds=settings.unacknowledged_seconds)
    return Ledger(decision=decision, rows=rows, alarm_at=alarm_at, items=digest.items)


def audience_of(item: DigestItem) -> Audience:
    """Return whom an item's notice is for."""
    return notice_named(item.decision, item.notice).audience
