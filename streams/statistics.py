"""From librdkafka's statistics to lag and stable distance."""

import time

import orjson

from streams.metrics import RunnerMetrics

INTERVAL_MS = 5_000


def report(statistics: str, prefix: str, metrics: RunnerMetrics) -> None:
    """Set the gauges from the consumer's statistics. prefix: of the namespace, taken off topic names."""
    offsets: dict[tuple[str, str], tuple[int, int]] = {}
    for name, topic in orjson.loads(statistics).get("topics", {}).items():
        lag = 0
        for number, partition in topic["partitions"].items():
            if int(number) < 0 or partition.get("fetch_state") == "none":
                continue
            lag += max(0, partition.get("consumer_lag", 0))
            high, stable = partition.get("hi_offset", -1), partition.get("ls_offset", -1)
            if high >= 0 and stable >= 0:
                offsets[name, number] = (high, stable)
        metrics.set_lag(name.removeprefix(prefix), lag)
    metrics.set_stable(offsets, time.monotonic())
