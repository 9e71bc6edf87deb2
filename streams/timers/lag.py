"""How far the stages that bring activity are behind, measured beside the loop so that no fire waits for it."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson
import structlog
from confluent_kafka import OFFSET_INVALID, Consumer, KafkaError, KafkaException, TopicPartition

from streams.connecting import quiet
from streams.kafka.config import ClusterSettings, qualified, table_consumer_config, uncommitted_consumer_config
from streams.message import Incoming

# Who brings activity to a division: group and the topic it reads.
PATH = (("track", "leads.activity"), ("score", "leads.enriched"))
INTERVAL_SECONDS = 1.0
FRESH_SECONDS = 3.0  # a measurement older than this is no longer taken at its word
ASK_SECONDS = 5.0
READ_SECONDS = 2.0

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Measured:
    """seconds: age of the oldest activity that is not handled yet. at: monotonic."""

    seconds: float
    at: float


class LagUnknown(Exception):
    """The broker did not say in time how far a group is."""


class GroupLag:
    """One group on one topic. It never joins the group: it asks for its committed offsets and reads the topic."""

    def __init__(self, cluster: ClusterSettings, group: str, topic: str) -> None:
        # read_uncommitted: else `committed` waits for a transaction under way, and a busy group has one at all times.
        asking = uncommitted_consumer_config(cluster) | {"group.id": qualified(cluster.namespace, group)}
        self._asker = Consumer(asking | {"logger": quiet()})
        self._reader = Consumer(table_consumer_config(cluster) | {"logger": quiet()})
        self._topic = qualified(cluster.namespace, topic)
        self._has_begun = False
        self._nothing_at: dict[int, tuple[int, int]] = {}  # committed and end between which there was no record

    def seconds(self, now: datetime) -> float:
        """Return the age of the oldest record that the group has not committed, 0 where there is none.

        Raises LagUnknown, KafkaException.
        """
        behind = self._behind()
        if not behind:
            return 0.0
        oldest = self._oldest(behind)
        return max(0.0, now.timestamp() - oldest) if oldest is not None else 0.0

    def has_begun(self) -> bool:
        """Tell whether the group has ever committed; else nobody runs it here. Raises KafkaException."""
        if not self._has_begun:
            known = self._reader.list_topics(self._topic, timeout=ASK_SECONDS).topics[self._topic]
            asked = [TopicPartition(self._topic, number) for number in known.partitions]
            found = self._asker.committed(asked, timeout=ASK_SECONDS) if asked else []
            self._has_begun = any(row.offset != OFFSET_INVALID for row in found)
        return self._has_begun

    def close(self) -> None:
        self._asker.close()
        self._reader.close()

    def _behind(self) -> dict[int, tuple[int, int]]:
        known = self._reader.list_topics(self._topic, timeout=ASK_SECONDS).topics[self._topic]
        asked = [TopicPartition(self._topic, number) for number in known.partitions]
        behind = {}
        for found in self._asker.committed(asked, timeout=ASK_SECONDS):
            spot = TopicPartition(self._topic, found.partition)
            first, end = self._reader.get_watermark_offsets(spot, timeout=ASK_SECONDS, cached=False)
            span = (first if found.offset == OFFSET_INVALID else max(found.offset, first), end)
            # A transaction's end takes an offset too: a group at the last record is one short of the end.
            if span[0] < end and self._nothing_at.get(found.partition) != span:
                behind[found.partition] = span
        return behind

    def _oldest(self, behind: dict[int, tuple[int, int]]) -> float | None:
        """Return when the first record of each partition that is behind was learnt, the earliest of them."""
        self._reader.assign([TopicPartition(self._topic, number, span[0]) for number, span in behind.items()])
        waiting, oldest = set(behind), None
        deadline = time.monotonic() + READ_SECONDS
        try:
            while waiting:
                if time.monotonic() > deadline:
                    raise LagUnknown(self._topic)
                message = self._reader.poll(0.1)
                if message is None:
                    continue
                number = message.partition() or 0
                error = message.error()
                if error is None and number in waiting:
                    learnt = learnt_at(message)  # type: ignore[arg-type]
                    oldest = learnt if oldest is None else min(oldest, learnt)
                elif error is not None and error.code() != KafkaError._PARTITION_EOF:
                    raise KafkaException(error)
                elif error is not None and number in waiting:
                    self._nothing_at[number] = behind[number]
                waiting.discard(number)
        finally:
            self._reader.unassign()
        return oldest


def learnt_at(message: Incoming) -> float:
    """Return when leadstream learnt what a record says, in seconds since 1970.

    A bound activity says itself: after an outage it may lie an hour back, though TRACK has only just passed it on.
    """
    written = message.timestamp()[1] / 1_000
    if dict(message.headers() or ()).get("ce_type") == (b"activity.bound"):
        try:
            said = orjson.loads(message.value() or b"")["learned_at"]
            return min(written, datetime.fromisoformat(said).timestamp())
        except (ValueError, KeyError, TypeError):
            return written
    return written


class ActivityLag:
    """The lag of the whole path, measured once a second on a thread of its own while the block runs."""

    def __init__(self, cluster: ClusterSettings, path: Sequence[tuple[str, str]] = PATH) -> None:
        self._cluster = cluster
        self._path = path
        self._measured: Measured | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="activity-lag", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Stop measuring. Does not wait for a broker that does not answer."""
        self._stop.set()
        self._thread.join(READ_SECONDS)

    def seconds(self) -> float | None:
        """Return the lag in seconds, None before the first measurement. An old one grows by its age."""
        measured = self._measured
        if measured is None:
            return None
        age = time.monotonic() - measured.at
        return measured.seconds + (age if age > FRESH_SECONDS else 0.0)

    def _run(self) -> None:
        groups = [GroupLag(self._cluster, group, topic) for group, topic in self._path]
        try:
            while not self._stop.is_set():
                self._measure(groups)
                self._stop.wait(INTERVAL_SECONDS)
        finally:
            for group in groups:
                group.close()

    def _measure(self, groups: Sequence[GroupLag]) -> None:
        began = time.monotonic()
        try:
            now = datetime.now(UTC)
            self._measured = Measured(max(group.seconds(now) for group in groups), began)
        except (KafkaException, LagUnknown) as error:
            log.debug("activity_lag.not_measured", reason=str(error))
