"""What providers knew, counted a day and provider in the store, for 35 days: it outlives restarts, metrics do not."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta

import orjson

from enrichment.answer import Learnt
from enrichment.coverage import Counts, Worth, counts_of, worth
from schemas.effects import Delete, Put
from schemas.org import ProviderSettings
from schemas.state import StateView
from schemas.value import value

KEPT = timedelta(days=35)
SWEPT_AT_ONCE = 64
TOLD_EVERY_SECONDS = 60.0
PREFIX = "coverage/"

Told = Callable[[Sequence[Worth]], None]


@value
class Coverage:
    """Under "coverage/<day>/<provider>": `enrichment.coverage.Counts`."""

    counts: Mapping[str, int]


def decode_coverage(data: bytes) -> Coverage:
    """Return the counts of stored JSON."""
    return Coverage(orjson.loads(data)["counts"])


def counted(state: StateView, learnt: Learnt, at: datetime) -> list[Put]:
    """Return the counts after one more lead. at: when the record was taken in, so that a replay counts the same."""
    changes = []
    for provider, more in counts_of(learnt).items():
        key = f"{PREFIX}{at.date().isoformat()}/{provider}"
        earlier: Coverage | None = state.get(key)
        counts = dict(earlier.counts) if earlier else {}
        for name, count in more.items():
            if count:
                counts[name] = counts.get(name, 0) + count
        changes.append(Put(key, Coverage(counts)))
    return changes


def swept(state: StateView, at: datetime) -> Iterator[Delete]:
    """Yield the counts of days past their time, the oldest first, a few at a time."""
    oldest = f"{PREFIX}{(at - KEPT).date().isoformat()}"
    for place, (key, _) in enumerate(state.scan(PREFIX)):
        if place >= SWEPT_AT_ONCE or key >= oldest:
            return
        yield Delete(key)


def row_of(key: str, counts: Counts) -> tuple[date, str, Counts]:
    """Return day, provider and counts of a stored row."""
    _, day, provider = key.split("/", 2)
    return date.fromisoformat(day), provider, counts


class CoverageWatch:
    """Tells what providers are worth, once a minute, over all partitions of this process."""

    def __init__(self, providers: Sequence[ProviderSettings], told: Told) -> None:
        self._providers = providers
        self._told = told
        self._rows: dict[int, list[tuple[date, str, Counts]]] = {}
        self._due: dict[int, float] = {}

    def look(self, partition: int, state: StateView, today: date, loop_seconds: float) -> None:
        """Read a partition's counts where a minute has passed. loop_seconds: the event loop's clock."""
        if loop_seconds < self._due.get(partition, 0.0):
            return
        self._due[partition] = loop_seconds + TOLD_EVERY_SECONDS
        self._rows[partition] = [row_of(key, kept.counts) for key, kept in state.scan(PREFIX)]
        self._told(worth((row for rows in self._rows.values() for row in rows), today, self._providers))


def untold(_found: Sequence[Worth]) -> None:
    """Tell nobody."""
