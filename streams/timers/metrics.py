"""What TIMERS measures beyond what every slot does, on the registry that is passed in."""

from bisect import bisect_right
from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge
from prometheus_client import Histogram as OneByOne

# SLA-8 promises a second; the alarm is at five.
_LATENESS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300, 1_800)


class Histogram(OneByOne):
    """One that takes many values at once: one by one took 2.5 us a fire, a tenth of it."""

    def observe_all(self, values: Sequence[float]) -> None:
        """Observe `values`, which ascend."""
        self._sum.inc(sum(values))
        before = 0
        for bucket, bound in zip(self._buckets, self._upper_bounds, strict=True):
            upto = bisect_right(values, bound, before)
            if upto > before:
                bucket.inc(upto - before)
            before = upto


class TimersMetrics:
    """Lateness, fires by topic, what is pending, the lag of activity. Labels: topic (logical name), a closed set."""

    def __init__(self, registry: CollectorRegistry) -> None:
        # Due to fired. Above 1 s while nothing was restarted: TIMERS is at its rate, or Kafka is slow to commit.
        self.lateness = Histogram(
            "leadstream_streams_timer_lateness_seconds",
            "Seconds from due to fired.",
            buckets=_LATENESS,
            registry=registry,
        )
        # Wake-ups fired, by the topic they went to.
        self._fired = Counter("leadstream_streams_timers_fired_total", "Wake-ups fired.", ["topic"], registry=registry)
        # Wake-ups waiting, as the disk estimates it. Growing without open leads: something arms and never cancels.
        self.pending = Gauge("leadstream_streams_timers_pending", "Wake-ups waiting, estimated.", registry=registry)
        # Age of the oldest activity that TRACK or SCORE has not handled. Above the policy's limit, reassign steps
        # are held: find out which of the two is behind.
        self.activity_lag = Gauge(
            "leadstream_streams_activity_lag_seconds", "Age of the oldest activity not handled.", registry=registry
        )
        # Records of leads.timers that can never fire; the arming before stands. Any: a fault of ours, see the log.
        self.rejected = Counter("leadstream_streams_timers_rejected_total", "Unreadable wake-ups.", registry=registry)

    def count_fired(self, topic: str, fires: int) -> None:
        self._fired.labels(topic).inc(fires)
