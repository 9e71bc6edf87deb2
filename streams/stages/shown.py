"""Gauges with labels that come and go: what is not shown again is taken away."""

from prometheus_client import Gauge


class Shown:
    """What stands on the page now. One for all gauges that are set anew in one go."""

    def __init__(self) -> None:
        self._now: set[tuple[Gauge, tuple[str, ...]]] = set()
        self._before: set[tuple[Gauge, tuple[str, ...]]] = set()

    def begin(self) -> None:
        """Begin to set all anew. Nothing is cleared first: a scrape in between would see nothing."""
        self._before, self._now = self._now, set()

    def show(self, gauge: Gauge, value: float, *labels: str) -> None:
        """Set one value."""
        gauge.labels(*labels).set(value)
        self._now.add((gauge, labels))

    def end(self) -> None:
        """Take away what was there before and was not set since `begin`."""
        for gauge, labels in self._before - self._now:
            gauge.remove(*labels)
