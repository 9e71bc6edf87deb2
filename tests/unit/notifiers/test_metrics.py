from datetime import timedelta
from pathlib import Path

from prometheus_client import CollectorRegistry

from notifiers.delivery import opened
from notifiers.metrics import NotifyMetrics
from notifiers.outcome import Attempt, Try
from notifiers.settings import ChannelSettings
from notifiers.settling import advanced
from tests.lab.decisions import NOW, decision, notice

NOTIFICATIONS = Path(__file__).parents[3] / "docs" / "notifications.md"


def told(registry: CollectorRegistry, name: str, **labels: str) -> float | None:
    return registry.get_sample_value(f"leadstream_notifiers_{name}", labels)


def test_a_delivery_counts_by_channel_and_outcome_with_the_owners_wait() -> None:
    registry = CollectorRegistry()
    metrics = NotifyMetrics(registry)
    ledger = opened(decision(notice()), ChannelSettings(), NOW)
    attempts = {ledger.rows[0].key: Attempt(Try.DELIVERED, NOW + timedelta(seconds=1.5))}
    step = advanced(ledger, attempts, ChannelSettings(), NOW + timedelta(seconds=2))
    metrics.tried(ledger.rows, attempts)
    metrics.settled(ledger, step.settled)
    assert told(registry, "deliveries_total", channel="email", outcome="delivered") == 1
    assert told(registry, "attempts_total", channel="email", result="delivered") == 1
    assert told(registry, "acknowledge_seconds_sum", tier="T1") == 1.5
    assert told(registry, "acknowledge_seconds_bucket", tier="T1", le="2.0") == 1


def test_time_in_quiet_hours_is_no_wait() -> None:
    registry = CollectorRegistry()
    release_at = NOW + timedelta(hours=8)
    quiet = opened(decision(notice(release_at={"email": release_at})), ChannelSettings(), NOW)
    attempts = {quiet.rows[0].key: Attempt(Try.DELIVERED, release_at + timedelta(seconds=1))}
    step = advanced(quiet, attempts, ChannelSettings(), release_at + timedelta(seconds=1))
    NotifyMetrics(registry).settled(quiet, step.settled)
    assert told(registry, "acknowledge_seconds_sum", tier="T1") == 1


def test_a_channel_that_only_a_policy_knows_is_counted_as_other() -> None:
    registry = CollectorRegistry()
    ledger = opened(decision(notice(channels=("pigeon",))), ChannelSettings(), NOW)
    attempts = {ledger.rows[0].key: Attempt(Try.SUPPRESSED, NOW)}
    NotifyMetrics(registry).tried(ledger.rows, attempts)
    assert told(registry, "attempts_total", channel="other", result="suppressed") == 1


def test_what_is_no_longer_under_way_counts_as_none() -> None:
    registry = CollectorRegistry()
    metrics = NotifyMetrics(registry)
    metrics.under_way(["slack", "slack"])
    metrics.under_way(["email"])
    assert told(registry, "pending_deliveries", channel="slack") == 0
    assert told(registry, "pending_deliveries", channel="email") == 1


def test_the_docs_explain_every_metric() -> None:
    registry = CollectorRegistry()
    NotifyMetrics(registry)
    text = NOTIFICATIONS.read_text()
    for metric in registry.collect():
        assert metric.name in text
