"""Deliveries that came to nothing, and the orders to send them again."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from notifiers.delivery import slim
from notifiers.settling import ALL_CHANNELS
from schemas.decision import Decision
from schemas.delivery import NoticeSettled, Outcome
from schemas.resend import Resend, ResendItem
from schemas.wire import encode
from streams.cli.records import parsed, read, read_since
from streams.cli.writer import Outgoing, write
from streams.kafka.config import ClusterSettings

_BEFORE = timedelta(days=2)  # how long before its outcome a delivery's decision may have been


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which failures. Empty or None: any. since, until: when they failed, aware UTC."""

    lead: str = ""
    channel: str = ""
    recipient: str = ""
    since: datetime | None = None
    until: datetime | None = None
    outcomes: frozenset[Outcome] = frozenset({Outcome.FAILED, Outcome.EXPIRED})

    def has(self, one: NoticeSettled) -> bool:
        return (
            one.outcome in self.outcomes
            and one.channel != ALL_CHANNELS
            and self.lead in ("", one.lead_id)
            and self.channel in ("", one.channel)
            and self.recipient in ("", one.recipient)
            and (self.since is None or one.at >= self.since)
            and (self.until is None or one.at < self.until)
        )


@dataclass(frozen=True, slots=True)
class Failures:
    """What came to nothing and still stands so, and which owners were told by another channel (decision ids)."""

    rows: tuple[NoticeSettled, ...]
    told: frozenset[str]


def failures(cluster: ClusterSettings, wanted: Wanted) -> Failures:
    """Return what is wanted, oldest first. A delivery's last outcome counts: one delivered since is left out."""
    last: dict[str, NoticeSettled] = {}
    told: set[str] = set()
    for _, one in parsed(read(cluster, "leads.notified"), NoticeSettled):
        last[one.key] = one
        if one.is_first:
            told.add(one.decision_id)
    rows = sorted((one for one in last.values() if wanted.has(one)), key=lambda one: (one.at, one.key))
    return Failures(tuple(rows), frozenset(told))


def ordered(
    cluster: ClusterSettings, found: Failures, by: str, reason: str, now: datetime
) -> tuple[list[Resend], list[NoticeSettled]]:
    """Return an order a decision, and those whose decision Kafka does not keep any more.

    Two orders for the same failures have the same id: NOTIFY obeys the first alone.
    """
    if not found.rows:
        return [], []
    decisions = _decisions(cluster, {one.decision_id for one in found.rows}, found.rows[0].at - _BEFORE)
    orders, gone = [], []
    for decision_id in dict.fromkeys(one.decision_id for one in found.rows):
        rows = [one for one in found.rows if one.decision_id == decision_id]
        decision = decisions.get(decision_id)
        if decision is None:
            gone += rows
        else:
            orders.append(_order(decision, rows, decision_id in found.told, by, reason, now))
    return orders, gone


def _order(
    decision: Decision, rows: Sequence[NoticeSettled], was_told: bool, by: str, reason: str, now: datetime
) -> Resend:
    failed = "\x1f".join(f"{one.key}@{one.at.isoformat()}" for one in rows)
    return Resend(
        id=f"resend-{hashlib.sha256(failed.encode()).hexdigest()[:32]}",
        decision=slim(decision),
        items=tuple(ResendItem(notice=one.notice, recipient=one.recipient, channel=one.channel) for one in rows),
        was_told=was_told,
        by=by,
        reason=reason,
        at=now,
    )


def _decisions(cluster: ClusterSettings, ids: set[str], since: datetime) -> dict[str, Decision]:
    found: dict[str, Decision] = {}
    for _, decision in parsed(read_since(cluster, "leads.assigned", since), Decision):
        if decision.decision_id in ids:
            found[decision.decision_id] = decision
    return found


def sent(cluster: ClusterSettings, orders: Iterable[Resend]) -> int:
    """Write the orders to NOTIFY and return how many were acknowledged. Raises NotWritten."""
    topic, event_type = "leads.redeliver", "delivery.resend"
    return write(cluster, (Outgoing(one.id, topic, one.decision.person, event_type, encode(one)) for one in orders))
