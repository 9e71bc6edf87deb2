"""The intake's metrics, on a registry that is passed in."""

from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Histogram


@dataclass(frozen=True, slots=True)
class IntakeMetrics:
    """What the intake counts. Labels are closed sets: never a client, a lead or a field."""

    requests: Counter
    records: Counter
    acknowledged: Histogram


def intake_metrics(registry: CollectorRegistry) -> IntakeMetrics:
    """Return the metrics, registered once on `registry`."""
    return IntakeMetrics(
        # Requests by route and outcome. Many 503: Kafka does not acknowledge, see the broker. Many 401: a lost key.
        requests=Counter(
            "leadstream_intake_requests_total", "Requests by route and status.", ("route", "status"), registry=registry
        ),
        # Records that Kafka has acknowledged. Flat while requests rise: callers send what is refused.
        records=Counter(
            "leadstream_intake_records_total", "Records acknowledged by Kafka.", ("topic",), registry=registry
        ),
        # From the last byte of the body to Kafka's acknowledgement. Rising: the broker's disk or network.
        acknowledged=Histogram(
            "leadstream_intake_acknowledge_seconds",
            "Seconds until Kafka acknowledged.",
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
            registry=registry,
        ),
    )
