"""Outcomes by one dimension at a time (MET-1): sums, not products, so that the number of series has a bound."""

from collections.abc import Mapping

from prometheus_client import Counter

OTHER = "other"
NONE = "none"
MOST_VALUES = 200  # of one dimension: sources and campaigns come from outside
DIMENSIONS = ("tier", "segment", "pool", "rep", "source", "rule", "path", "policy")


class Slices:
    """Counts under (outcome, by, of), `by` a dimension and `of` its value; past MOST_VALUES a value is "other"."""

    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self._known: dict[str, set[str]] = {name: set() for name in DIMENSIONS}

    def count(self, outcome: str, of: Mapping[str, str | None]) -> None:
        """Count one lead's outcome once in each dimension of `of`."""
        for by, value in of.items():
            self._counter.labels(outcome, by, self._bounded(by, value)).inc()

    def _bounded(self, by: str, value: str | None) -> str:
        if not value:
            return NONE
        known = self._known[by]
        if value in known:
            return value
        if len(known) >= MOST_VALUES:
            return OTHER
        known.add(value)
        return value
