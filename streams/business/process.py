"""`leadstream run meter`: a small process that reads decisions and outcomes and serves the business metrics.

It writes nothing, holds nobody up and needs no store. At a start it reads back two days without counting, so that it
knows the leads that later events belong to, and counts from its committed position on. A kill counts at most the last
few seconds twice. Run one: two would count everything twice.
"""

import time

import structlog
from confluent_kafka import Consumer, KafkaException, TopicPartition
from prometheus_client import CollectorRegistry

from streams.business.meter import Meter
from streams.business.metrics import BusinessMetrics
from streams.connecting import quiet, require_answer, until_reachable
from streams.ending import served
from streams.health import Health, Phase
from streams.inbox import Batch, Inbox
from streams.kafka.config import qualified, table_consumer_config
from streams.message import received
from streams.metrics import RunnerMetrics
from streams.positions import ASK_SECONDS, Keeping, positions
from streams.restore import Stopped
from streams.runner import RunnerSettings
from streams.statistics import INTERVAL_MS, report
from streams.stopping import Stop

STAGE = "meter"
INPUTS = ("leads.enriched", "leads.scored", "leads.assigned", "leads.notified")
RECALLED = ("leads.assigned", "leads.notified")
"""What is read back at a start, in this order: decisions before what became of them."""
RECALL_SECONDS = 50 * 3600.0
COMMIT_SECONDS = 2.0
READ_LIMIT = 1_000
IDLE_SECONDS = 0.2

log = structlog.get_logger()


def run(settings: RunnerSettings, registry: CollectorRegistry | None = None) -> int:
    """Run the meter until SIGTERM or SIGINT, or until Kafka fails; return the exit code. For the main thread."""
    registry = registry or CollectorRegistry()

    def serve(stop: Stop, health: Health) -> None:
        _Process(settings, health, registry, stop).serve()

    return served(STAGE, settings.slot, (settings.http_host, settings.http_port), registry, serve)


class _Process:
    """What the process holds. Partitions are assigned by hand: its group only keeps the position."""

    def __init__(self, settings: RunnerSettings, health: Health, registry: CollectorRegistry, stop: Stop) -> None:
        self._cluster = cluster = settings.cluster
        self._tracing = settings.tracing
        self._health = health
        self._stop = stop
        self._runner = RunnerMetrics(registry, STAGE)
        self._metrics = BusinessMetrics(registry)
        self._meter = Meter(BusinessMetrics(CollectorRegistry()))
        self._logical = {qualified(cluster.namespace, name): name for name in INPUTS}

    def serve(self) -> None:
        """Recall, then count until asked to end."""
        until_reachable(lambda: require_answer(self._cluster), STAGE, self._stop, self._health)
        consumer = Consumer(self._consumer_config())
        try:
            starts = positions(consumer, list(self._logical), STAGE, self._stop, self._health).all
            self._health.enter(Phase.RESTORING)
            began = time.monotonic()
            self._recall(consumer, starts)
            self._runner.restore_seconds.set(time.monotonic() - began)
            self._meter.metrics = self._metrics
            self._health.enter(Phase.RUNNING)
            self._runner.ready.set(1)
            self._count(consumer, starts)
        finally:
            consumer.close()
            if self._tracing is not None:
                self._tracing.close()

    def _consumer_config(self) -> dict[str, object]:
        prefix = qualified(self._cluster.namespace, "")
        return table_consumer_config(self._cluster) | {
            "group.id": qualified(self._cluster.namespace, STAGE),
            "statistics.interval.ms": INTERVAL_MS,
            "stats_cb": lambda text: report(text, prefix, self._runner),
            "logger": quiet(),
        }

    def _recall(self, consumer: Consumer, starts: list[TopicPartition]) -> None:
        """Read what was counted before, topic by topic, from RECALL_SECONDS ago up to `starts`."""
        since = int((time.time() - RECALL_SECONDS) * 1_000)
        for name in RECALLED:
            goals = {one.partition: one.offset for one in starts if self._logical[one.topic] == name}
            asked = [TopicPartition(qualified(self._cluster.namespace, name), number, since) for number in goals]
            found = consumer.offsets_for_times(asked, timeout=ASK_SECONDS)
            places = [one for one in found if 0 <= one.offset < goals[one.partition]]
            self._read_back(consumer, name, places, {one.partition: goals[one.partition] for one in places})

    def _read_back(self, consumer: Consumer, name: str, places: list[TopicPartition], goals: dict[int, int]) -> None:
        if not places:
            return
        inbox = Inbox(self._cluster.namespace, (name,))
        consumer.assign(places)
        while goals:
            self._look()
            messages = received(consumer, READ_LIMIT, IDLE_SECONDS)
            batch = inbox.open([one for one in messages if one.error() or one.offset() < goals.get(one.partition(), 0)])
            self._observe(batch)
            self._runner.restored_records.inc(len(batch))
            for message in messages:  # an end of partition has the offset behind the last record that can be seen
                place = message.offset() + (0 if message.error() else 1)
                if place >= goals.get(message.partition(), place + 1):
                    del goals[message.partition()]

    def _count(self, consumer: Consumer, starts: list[TopicPartition]) -> None:
        inbox = Inbox(self._cluster.namespace, INPUTS)
        consumer.assign(starts)
        keeping = Keeping(starts)
        commit_at = 0.0
        while not self._stop.is_requested():
            self._health.tick()
            began = time.perf_counter()
            batch = inbox.open(received(consumer, READ_LIMIT, IDLE_SECONDS))
            read = time.perf_counter()
            self._runner.time_step("consume", read - began)
            if batch.next_offsets:
                began_ns = time.time_ns()
                self._observe(batch)
                if self._tracing is not None:
                    self._tracing.committed(batch.events, began_ns, time.time_ns())
                self._tell(batch, time.perf_counter() - read)
                keeping.reached(batch.next_offsets)
            else:
                self._runner.set_watermark(None)
            if time.monotonic() >= commit_at:
                self._commit(consumer, keeping)
                commit_at = time.monotonic() + COMMIT_SECONDS
        self._health.enter(Phase.STOPPING)
        self._commit(consumer, keeping)

    def _commit(self, consumer: Consumer, keeping: Keeping) -> None:
        """Keep the position. One that could not be kept is kept later: Kafka's outage is no reason to stop counting."""
        if not (places := keeping.due()):
            return
        try:
            consumer.commit(offsets=places, asynchronous=False)
        except KafkaException as error:
            keeping.failed()
            log.warning("position.not_kept", stage=STAGE, reason=error.args[0].str())
            return
        keeping.kept()

    def _observe(self, batch: Batch) -> None:
        for event in batch.events:
            self._meter.observe(event)
        unreadable = len(batch.set_aside) + len(batch.newer)
        if unreadable:
            self._meter.metrics.unreadable.inc(unreadable)

    def _tell(self, batch: Batch, seconds: float) -> None:
        self._runner.time_step("handle", seconds)
        self._runner.batch.observe(len(batch))
        if batch.events:
            self._runner.set_watermark(batch.events[-1].recorded_at)
        for (topic, number), after in batch.next_offsets.items():
            self._runner.count_records(self._logical[topic], after - batch.first_offsets[topic, number])

    def _look(self) -> None:
        self._health.tick()
        if self._stop.is_requested():
            raise Stopped
