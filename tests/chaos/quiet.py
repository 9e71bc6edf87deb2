"""Tells when nothing is under way any more: no lag, nothing due soon."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaException
from confluent_kafka.admin import AdminClient

from streams.kafka.config import ClusterSettings, admin_config, qualified
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

DUE_WITHIN = timedelta(seconds=45)  # ladders and retries of a run are due sooner, everything else much later


class Quiet:
    """Compares what each group has committed with the last record that a read_committed reader saw."""

    def __init__(self, cluster: ClusterSettings, observer: Observer, sent: Sent) -> None:
        self._cluster = cluster
        self._observer = observer
        self._sent = sent
        self._admin = AdminClient(admin_config(cluster))

    def lags(self) -> dict[str, int]:
        """Return stage -> records not yet committed, of stages that have any; "timers": wake-ups due soon."""
        last = {**self._sent.last, **self._observer.last}
        found = {stage: lag for stage in INPUTS if (lag := self._lag(stage, last))}
        soon = datetime.now(UTC) + DUE_WITHIN
        armed = list(self._observer.evidence.timers.values())
        due = sum(datetime.fromisoformat(at) <= soon for at in armed)
        return found | ({"timers": due} if due else {})

    def _lag(self, stage: str, last: Mapping[tuple[str, int], int]) -> int:
        committed = dict(self._committed(stage))
        mine = ((spot, offset) for spot, offset in last.items() if spot[0] in INPUTS[stage])
        return sum(max(offset + 1 - max(committed.get(spot, 0), 0), 0) for spot, offset in mine)

    def _committed(self, stage: str) -> Iterator[tuple[tuple[str, int], int]]:
        group = qualified(self._cluster.namespace, stage)
        prefix = qualified(self._cluster.namespace, "")
        asked = self._admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)], request_timeout=30)
        try:
            for one in asked[group].result().topic_partitions or ():
                yield (one.topic.removeprefix(prefix), one.partition), one.offset
        except KafkaException:
            return  # the group is being made, or moves: it has lag
