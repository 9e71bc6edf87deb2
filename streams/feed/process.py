"""`leadstream feed`: posts what happened to leads to the receivers that ask for it, each at its own pace.

A receiver has a thread, a connection to Kafka and a position of its own (group `feed-<receiver>`), so that one that is
down holds up no other and costs no memory: its records stay in Kafka. The position is kept after a batch was taken:
a kill posts a part of it again, under the same ids. Run one process; a second one would post everything twice.
"""

import asyncio
import logging
import threading
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import structlog
from confluent_kafka import Consumer, KafkaException, TopicPartition
from prometheus_client import CollectorRegistry, Counter, Gauge

from notifiers.feed import TOPICS, FeedEvent, feed_event, posted
from notifiers.feed_event_type import ALL
from notifiers.outcome import Refused, Retryable
from notifiers.outside import Outside, outside
from notifiers.settings import ChannelSettings
from notifiers.settling import back_off_seconds
from streams.connecting import quiet, require_answer, until_reachable
from streams.ending import served
from streams.health import Health, Phase
from streams.inbox import Batch, Inbox
from streams.kafka.config import ClusterSettings, qualified, table_consumer_config
from streams.logs import configure_logs
from streams.message import received
from streams.positions import Keeping, positions
from streams.settings import Settings
from streams.stopping import Stop
from streams.topology import FEED, http_port

STAGE = FEED
READ_LIMIT = 100
IDLE_SECONDS = 0.2
_LONGEST_POLL_MS = 86_400_000  # a receiver may be down for a day; nobody waits for these partitions

log = structlog.get_logger()


class FeedMetrics:
    """Of one process. receiver: its name in the settings."""

    def __init__(self, registry: CollectorRegistry) -> None:
        # Events by what became of them: delivered, refused (a 4xx: given up), expired (its lifetime was over). Any
        # refused: the receiver does not take what it asked for, or the secret is wrong.
        self.events = Counter(
            "leadstream_notifiers_feed_events_total", "Events posted.", ["receiver", "outcome"], registry=registry
        )
        # Age of the event that is being posted, 0 when all are. Rising: the receiver is down or slower than what comes.
        self.behind = Gauge(
            "leadstream_notifiers_feed_behind_seconds", "Age of what is posted.", ["receiver"], registry=registry
        )


def run(settings: Settings) -> int:
    """Feed until SIGTERM or SIGINT, or until Kafka fails; return the exit code. For the main thread."""
    configure_logs(getattr(logging, settings.log_level.upper()))
    registry = CollectorRegistry()

    def serve(stop: Stop, health: Health) -> None:
        feed(settings.cluster, settings.channels, registry, stop, health)

    return served(STAGE, 0, (settings.http_host, http_port(STAGE, 0, settings)), registry, serve)


def feed(
    cluster: ClusterSettings, settings: ChannelSettings, registry: CollectorRegistry, stop: Stop, health: Health
) -> None:
    """Feed every receiver until `stop`. Raises what ended the first that failed."""
    until_reachable(lambda: require_answer(cluster), STAGE, stop, health)
    metrics = FeedMetrics(registry)
    failures: list[BaseException] = []
    threads = [
        threading.Thread(
            target=_guarded,
            args=(_Feeding(cluster, settings, name, metrics, stop, health), failures, stop),
            name=f"feed-{name}",
        )
        for name in settings.fed
    ]
    for thread in threads:
        thread.start()
    health.enter(Phase.RUNNING)
    while any(thread.is_alive() for thread in threads):
        health.tick()
        stop.wait(IDLE_SECONDS)
        for thread in threads:
            thread.join(0.05)
    if failures:
        raise failures[0]


def _guarded(feeding: "_Feeding", failures: list[BaseException], stop: Stop) -> None:
    try:
        asyncio.run(feeding.run())
    except BaseException as error:  # the main thread raises it
        failures.append(error)
        stop.request()


class _Feeding:
    """One receiver's thread."""

    def __init__(
        self,
        cluster: ClusterSettings,
        settings: ChannelSettings,
        name: str,
        metrics: FeedMetrics,
        stop: Stop,
        health: Health,
    ) -> None:
        self._cluster = cluster
        self._settings = settings
        self._name = name
        self._receiver = settings.webhooks[name]
        self._metrics = metrics
        self._stop = stop
        self._health = health
        self._lifetime = timedelta(seconds=settings.lifetime_seconds.get("webhook", settings.default_lifetime_seconds))

    async def run(self) -> None:
        """Read and post until asked to end."""
        consumer = Consumer(self._config())
        inbox = Inbox(self._cluster.namespace, TOPICS)
        try:
            starts = self._starts(consumer)
            consumer.assign(starts)
            keeping = Keeping(starts)
            log.info("feed.began", receiver=self._name)
            async with outside(self._settings) as way_out:
                while not self._stop.is_requested():
                    batch = inbox.open(await asyncio.to_thread(received, consumer, READ_LIMIT, IDLE_SECONDS))
                    if not batch.next_offsets:
                        self._metrics.behind.labels(self._name).set(0.0)
                    elif await self._posted(batch, way_out):
                        keeping.reached(batch.next_offsets)
                    self._commit(consumer, keeping)
        finally:
            consumer.close()

    def _config(self) -> dict[str, object]:
        return table_consumer_config(self._cluster) | {
            "group.id": qualified(self._cluster.namespace, f"{STAGE}-{self._name}"),
            "max.poll.interval.ms": _LONGEST_POLL_MS,
            "logger": quiet(),
        }

    def _starts(self, consumer: Consumer) -> list[TopicPartition]:
        """Return the kept position; of a receiver seen first, the end, which is kept at once."""
        topics = [qualified(self._cluster.namespace, topic) for topic in TOPICS]
        found = positions(consumer, topics, STAGE, self._stop, self._health)
        if found.fresh:
            consumer.commit(offsets=found.fresh, asynchronous=False)
        return found.all

    async def _posted(self, batch: Batch, way_out: Outside) -> bool:
        """Post the batch, each lead's events in order. False: asked to end before all were taken."""
        chains: dict[str, list[FeedEvent]] = {}
        for record in batch.events:
            event = feed_event(record.id, record.value, record.key, record.recorded_at)
            if event is not None and (event.type in self._receiver.events or ALL in self._receiver.events):
                chains.setdefault(event.chain, []).append(event)
        places = asyncio.Semaphore(self._settings.channel_concurrency)
        done = await asyncio.gather(*(self._chain(events, places, way_out) for events in chains.values()))
        return all(done)

    async def _chain(self, events: Iterable[FeedEvent], places: asyncio.Semaphore, way_out: Outside) -> bool:
        async with places:
            for event in events:
                if not await self._taken(event, way_out):
                    return False
        return True

    async def _taken(self, event: FeedEvent, way_out: Outside) -> bool:
        """Post until it is taken, refused or too old. False: asked to end before."""
        tries = 0
        while not self._stop.is_requested():
            age = datetime.now(UTC) - event.at
            self._metrics.behind.labels(self._name).set(max(0.0, age.total_seconds()))
            if age > self._lifetime:
                return self._counted("expired", event, "its lifetime is over")
            try:
                await posted(event, self._receiver, way_out)
            except Refused as error:
                return self._counted("refused", event, error.reason)
            except Retryable as error:
                tries += 1
                wait = max(back_off_seconds(event.id, tries, self._settings), error.after_seconds or 0.0)
                await self._waited(wait)
            else:
                return self._counted("delivered", event, "")
        return False

    async def _waited(self, seconds: float) -> None:
        deadline = asyncio.get_running_loop().time() + seconds
        while not self._stop.is_requested() and (left := deadline - asyncio.get_running_loop().time()) > 0:
            await asyncio.sleep(min(left, IDLE_SECONDS))

    def _counted(self, outcome: str, event: FeedEvent, reason: str) -> bool:
        self._metrics.events.labels(self._name, outcome).inc()
        if reason:
            log.warning("event.given_up", receiver=self._name, event_id=event.id, type=event.type, reason=reason)
        return True

    def _commit(self, consumer: Consumer, keeping: Keeping) -> None:
        if not (places := keeping.due()):
            return
        try:
            consumer.commit(offsets=places, asynchronous=False)
        except KafkaException as error:  # tried again; a death meanwhile posts a part again
            keeping.failed()
            log.warning("position.not_kept", stage=STAGE, receiver=self._name, reason=error.args[0].str())
        else:
            keeping.kept()
