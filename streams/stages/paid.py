"""What was paid for: answers and calls, in the store, so that neither a restart nor a replay pays again."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import orjson

from enrichment.answer import Learnt
from enrichment.cache import Kept, decode_kept, usable, with_answers
from enrichment.quota import Used, decode_used, hour_of
from enrichment.waterfall import Waterfall
from schemas.effects import Delete, Put
from schemas.org import CacheSettings, Enrichment, Org
from schemas.state import StateView
from schemas.value import value
from streams.stage import Event, Kind

SWEEP_EVERY = 32  # events: a scan a lead would cost more than the lead
SWEPT_AT_ONCE = 64  # one answer a lead comes in, so old ones leave faster than new ones come


@value
class Expiry:
    """Under "expires/<day>/<key of the answers>": when to look whether answers may go."""

    key: str


@dataclass(frozen=True, slots=True)
class Terms:
    """Names of providers. local: on this machine, so that asking again costs nothing. limited: by a quota of calls."""

    local: frozenset[str]
    limited: frozenset[str]


def decode_expiry(data: bytes) -> Expiry:
    """Return the expiry of stored JSON."""
    return Expiry(orjson.loads(data)["key"])


KINDS: Mapping[str, Kind] = {
    "answers": Kind(decode_kept),
    "expires": Kind(decode_expiry),
    "quota": Kind(decode_used),
}
"""The kinds of state that this module keeps in a stage's store."""


class QuotaMemory:
    """Tells the waterfall what the stores of its partitions remember of this hour's calls, and what part is theirs."""

    def __init__(self, org: Org, waterfall: Waterfall) -> None:
        self._names = [row.name for row in org.enrichment.providers if row.quota_per_hour is not None]
        self._waterfall = waterfall
        self._recalled: set[int] = set()

    def assigned(self, states: Mapping[int, StateView], of: int, now: datetime) -> None:
        """Take the part of these partitions, of so many; the part and the calls of one go wherever it goes."""
        if self._names:
            self._waterfall.allot(len(states), of)
            for state in states.values():
                self._waterfall.remember({name: state.get(f"quota/{name}") for name in self._names}, now)
        self._recalled = set(states)

    def recall(self, batch: Sequence[Event], state: StateView, now: datetime) -> None:
        partitions = {event.partition for event in batch} - self._recalled
        if partitions and self._names:
            self._waterfall.remember({name: state.get(f"quota/{name}") for name in self._names}, now)
        self._recalled |= partitions


def kept(state: StateView, key: str | None, learnt: Learnt, org: Org, terms: Terms, now: datetime) -> list[Put]:
    """Return as state what must not be paid again: fresh answers, and the calls that count against quotas.

    key: what the answers are kept under, None where nobody was asked.
    """
    changes: list[Put] = []
    fresh = [said for said in learnt.answers if said.is_fresh and said.provider not in terms.local]
    if fresh and key is not None:
        changes.append(Put(f"answers/{key}", with_answers(state.get(f"answers/{key}"), fresh)))
        changes.append(Put(f"expires/{_last_day(org.enrichment.cache, now)}/{key}", Expiry(key)))
    for name in learnt.called:
        if name in terms.limited:
            used: Used | None = state.get(f"quota/{name}")
            hour = hour_of(now)
            calls = used.calls if used and used.hour == hour else 0
            changes.append(Put(f"quota/{name}", Used(hour, calls + 1)))
    return changes


def terms_of(org: Org) -> Terms:
    """Return the terms of the org file's providers."""
    local = frozenset(row.name for row in org.enrichment.providers if row.kind != "http")
    limited = frozenset(row.name for row in org.enrichment.providers if row.quota_per_hour is not None)
    return Terms(local, limited - local)


def _last_day(settings: CacheSettings, now: datetime) -> str:
    seconds = max(settings.found_seconds, settings.missing_seconds)
    return (now + timedelta(seconds=seconds)).date().isoformat()


def is_sweep_due(event: Event) -> bool:
    """Tell whether this event, by its offset, is one that sweeps: a replay sweeps at the same ones."""
    return event.offset % SWEEP_EVERY == 0


def swept(state: StateView, settings: Enrichment, now: datetime) -> Iterator[Delete]:
    """Yield answers past their day, the oldest first, a few at a time: the store stays as large as its answers live."""
    today = now.date().isoformat()
    for at, (key, expiry) in enumerate(state.scan("expires/")):
        if at >= SWEPT_AT_ONCE or key >= f"expires/{today}":
            return
        yield Delete(key)
        found: Kept | None = state.get(f"answers/{expiry.key}")
        if found is not None and not usable(found, settings, now):
            yield Delete(f"answers/{expiry.key}")
