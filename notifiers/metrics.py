"""NOTIFY's metrics: one object a process, on a registry that is passed in."""

import collections
from collections.abc import Iterable, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from notifiers.channel import CHANNELS
from notifiers.delivery import Ledger, Row, notice_named
from notifiers.outcome import Attempt
from notifiers.settling import ALL_CHANNELS
from schemas.delivery import NoticeSettled

_SECONDS = (0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 30, 60, 300, 900, 3_600)
_TIERS = frozenset({"T1", "T2", "T3"})


class NotifyMetrics:
    """Counters and gauges of one slot. Labels are closed sets: channel, outcome, result, tier.

    What `handle` counts is counted again where its transaction was taken back.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        # Settled deliveries. Many failed or expired on one channel: it is down, or its token has run out. Any failed
        # on channel "all": an owner was not told in 30 s (NOT-5).
        self._deliveries = Counter(
            "leadstream_notifiers_deliveries_total", "Settled deliveries.", ["channel", "outcome"], registry=registry
        )
        # Decision to the owner's first acknowledged channel. T1 above 2 s: look at `pending` and at NOTIFY's lag.
        self._acknowledged = Histogram(
            "leadstream_notifiers_acknowledge_seconds",
            "From the decision to the first acknowledgement by the owner's channels.",
            ["tier"],
            buckets=_SECONDS,
            registry=registry,
        )
        # Tries by result: delivered, refused, later (a call failed), waiting (put off without a call). Rising later:
        # the other side fails; rising waiting: the channel's rate is too low for what is sent, or it is down.
        self._attempts = Counter(
            "leadstream_notifiers_attempts_total", "Tries to deliver.", ["channel", "result"], registry=registry
        )
        # 1 while the breaker of one of a channel's accounts is open: it is called once a period until it answers. See
        # the other side's status.
        self._breakers = Gauge(
            "leadstream_notifiers_breaker_open", "Whether the channel counts as down.", ["channel"], registry=registry
        )
        # Deliveries taken up and without an answer yet. At `channel_concurrency` all the time: the channel is slow.
        self._pending = Gauge(
            "leadstream_notifiers_pending_deliveries", "Deliveries under way.", ["channel"], registry=registry
        )
        for channel in CHANNELS:
            self._breakers.labels(channel)
            self._pending.labels(channel)

    def tried(self, rows: Iterable[Row], attempts: Mapping[str, Attempt]) -> None:
        """Count the attempts on `rows`."""
        for row in rows:
            if row.key in attempts:
                self._attempts.labels(_named(row.channel), attempts[row.key].result.value).inc()

    def settled(self, ledger: Ledger, records: Iterable[NoticeSettled]) -> None:
        """Count outcomes, and how long the owner's first took: from the decision, or from its release (quiet hours)."""
        decision = ledger.decision
        for record in records:
            self._deliveries.labels(_named(record.channel), record.outcome.value).inc()
            if record.is_first and not ledger.items:  # a digest waits on purpose
                tier = decision.tier if decision.tier in _TIERS else "other"
                since = max(
                    decision.at, notice_named(decision, record.notice).release_at.get(record.channel, decision.at)
                )
                self._acknowledged.labels(tier).observe(max(0.0, (record.at - since).total_seconds()))

    def under_way(self, channels: Iterable[str]) -> None:
        """Set how much is under way. channels: one entry a delivery."""
        counts = collections.Counter(channels)
        for channel in CHANNELS:
            self._pending.labels(channel).set(counts[channel])

    def breaker(self, channel: str) -> Gauge:
        """Return the gauge of one channel's breaker."""
        return self._breakers.labels(channel)


def _named(channel: str) -> str:
    return channel if channel in CHANNELS or channel == ALL_CHANNELS else "other"
