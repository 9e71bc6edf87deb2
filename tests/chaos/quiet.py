"""Tells when nothing is under way any more: no lag, nothing due soon."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta

from confluent_kafka import Consumer, KafkaException, TopicPartition

from streams.kafka.config import ClusterSettings, qualified, table_consumer_config
from tests.chaos.observer import Observer
from tests.chaos.upstream import Sent

INPUTS: Mapping[str, tuple[str, ...]] = {
    "enrich": ("leads.raw",),
    "pending": ("leads.pending",),
    "track": ("leads.activity", "leads.notified"),
    "score": ("leads.enriched",),
    "assign": ("leads.scored",),
    "notify": ("leads.assigned", "leads.redeliver"),
}
"""Stage -> what it must have read whole. TIMERS is done when nothing is due."""

ASK_SECONDS = 10.0
DUE_WITHIN = timedelta(seconds=45)  # ladders and retries of a run are due sooner, everything else much later


class Quiet:
    """Compares what each group has committed with the last record that a read_committed reader saw."""

    def __init__(self, cluster: ClusterSettings, observer: Observer, sent: Sent) -> None:
        self._cluster = cluster
        self._observer = observer
        self._sent = sent
        # Kept: a new one finds its coordinator only after half a second, and there are six of them a look.
        self._askers: dict[str, Consumer] = {}

    def __enter__(self) -> "Quiet":
        return self

    def __exit__(self, *error: object) -> None:
        for asker in self._askers.values():
            asker.close()

    def lags(self) -> dict[str, int]:
        """Return stage -> records not yet committed, of stages that have any; "timers": wake-ups due soon."""
        last = {**self._sent.last, **self._observer.last}
        found = {stage: lag for stage in INPUTS if (lag := self._lag(stage, last))}
        soon = datetime.now(UTC) + DUE_WITHIN
        armed = list(self._observer.evidence.timers.values())
        due = sum(datetime.fromisoformat(at) <= soon for at in armed)
        return found | ({"timers": due} if due else {})

    def _lag(self, stage: str, last: Mapping[tuple[str, int], int]) -> int:
        mine = {spot: offset for spot, offset in last.items() if spot[0] in INPUTS[stage]}
        committed = dict(self._committed(stage, mine)) if mine else {}
        return sum(max(offset + 1 - max(committed.get(spot, 0), 0), 0) for spot, offset in mine.items())

    def _committed(self, stage: str, spots: Iterable[tuple[str, int]]) -> Iterator[tuple[tuple[str, int], int]]:
        """Ask as a consumer that never joins: an AdminClient's question kills the process (SIGSEGV in
        librdkafka 2.16) when the coordinator does not answer in time."""
        group, prefix = qualified(self._cluster.namespace, stage), qualified(self._cluster.namespace, "")
        if stage not in self._askers:
            self._askers[stage] = Consumer(table_consumer_config(self._cluster) | {"group.id": group})
        try:
            asked = [TopicPartition(prefix + name, number) for name, number in spots]
            for one in self._askers[stage].committed(asked, timeout=ASK_SECONDS):
                yield (one.topic.removeprefix(prefix), one.partition), one.offset
        except KafkaException:
            return  # a transaction is under way, or the group moves: it has lag
