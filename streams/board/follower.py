"""Faust, under its guardrails: one agent that folds what it reads into the store, a batch a transaction.

Faust's tables are not used: docs/decisions/0130 has what was measured. Exactly once is the store's: rows and positions
are one commit, so what Faust delivers again after a crash is left out. The consumer group is the file's own: a new file
is a new group, which reads from the beginning.
"""

import asyncio
import ssl
from collections.abc import Sequence
from typing import Any

import faust
import structlog
from aiokafka import AIOKafkaConsumer
from faust.transport.drivers import aiokafka as driver

from streams.board.fold import TOPICS, Seen, fold
from streams.board.store import Store
from streams.kafka.config import ClusterSettings, qualified

BATCH = 500
WITHIN_SECONDS = 0.05
log = structlog.get_logger()


class _ReadCommittedThread(driver.AIOKafkaConsumerThread):
    def _create_worker_consumer(self, transport: Any) -> AIOKafkaConsumer:
        """Faust reads uncommitted unless its own exactly-once is on, which is not to be trusted (DESIGN section 9)."""
        consumer = super()._create_worker_consumer(transport)
        consumer._isolation_level = "read_committed"
        return consumer


class _Consumer(driver.Consumer):
    def _new_consumer_thread(self) -> driver.AIOKafkaConsumerThread:
        return _ReadCommittedThread(self, loop=self.loop, beacon=self.beacon)


class _Transport(driver.Transport):
    Consumer = _Consumer


class Follower:
    """Keeps `store` up to date while its `running` block lasts.

    version: raised with each batch that changed something; `changed` wakes who waits for it. failed: set when the fold
    failed; nothing more is taken, and the process is to end. unread: records passed over.
    """

    def __init__(self, cluster: ClusterSettings, store: Store) -> None:
        self.version = 0
        self.unread = 0
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._store = store
        self._namespace = cluster.namespace
        self._positions = dict(store.positions())
        self._app = _app(cluster, store.id)
        topic = self._app.topic(
            *(qualified(cluster.namespace, name) for name in TOPICS), key_serializer="raw", value_serializer="raw"
        )
        self._app.agent(topic, concurrency=1, name="board")(self._agent)

    async def start(self) -> None:
        """Connect and begin to read."""
        await self._app.start()

    async def stop(self) -> None:
        """Commit and leave."""
        await self._app.stop()

    async def behind(self) -> int:
        """Return how many offsets are still to be read, as far as is known."""
        consumer = self._app.consumer
        prefix = qualified(self._namespace, "")
        left = 0
        for place in consumer.assignment():
            end = consumer.highwater(place) or 0
            left += max(0, end - self._positions.get((place.topic.removeprefix(prefix), place.partition), 0))
        return left

    async def _agent(self, stream: Any) -> None:
        async for events in stream.take_events(BATCH, within=WITHIN_SECONDS):
            try:
                await asyncio.to_thread(self._take, [self._seen(event.message) for event in events])
            except Exception as error:
                # Faust would acknowledge what its agent failed on and go on. Hold still instead: the process ends.
                self.failed.set_exception(error)
                await asyncio.Event().wait()
            self.version += 1

    def _take(self, records: Sequence[Seen]) -> None:
        with self._store.writing() as connection:
            unread = fold(connection, records, self._positions)
        for seen in records:
            place = (seen.topic, seen.partition)
            self._positions[place] = max(self._positions.get(place, 0), seen.offset + 1)
        if unread:
            self.unread += unread
            log.warning("record.passed_over", count=unread)

    def _seen(self, message: Any) -> Seen:
        headers = {name: value.decode(errors="replace") for name, value in message.headers or () if value is not None}
        topic = message.topic.removeprefix(qualified(self._namespace, ""))
        return Seen(topic, message.partition, message.offset, message.key or b"", message.value, headers)


def _app(cluster: ClusterSettings, store_id: str) -> faust.App:
    app = faust.App(
        qualified(cluster.namespace, f"board.{store_id}"),
        broker=[f"kafka://{address.strip()}" for address in cluster.bootstrap.split(",")],
        broker_credentials=_credentials(cluster),
        processing_guarantee="at_least_once",
        consumer_auto_offset_reset="earliest",
        broker_commit_interval=1.0,
        broker_session_timeout=10.0,
        consumer_group_instance_id="board",  # a restart goes on at once; without it the group waits for who was killed
        topic_allow_declare=False,  # it makes no topic and writes none
        topic_disable_leader=True,
        stream_wait_empty=False,
        web_enabled=False,
        loghandlers=[],
    )
    app.transport = _Transport(app.conf.broker, app, app.loop)
    return app


def _credentials(cluster: ClusterSettings) -> Any:
    context = None
    if cluster.security_protocol in ("SSL", "SASL_SSL"):
        context = ssl.create_default_context(cafile=cluster.ssl_ca_location)
        if cluster.ssl_certificate_location:
            password = cluster.ssl_key_password.get_secret_value() if cluster.ssl_key_password else None
            context.load_cert_chain(cluster.ssl_certificate_location, cluster.ssl_key_location, password)
    if cluster.security_protocol == "SSL":
        return faust.SSLCredentials(context=context)
    if cluster.security_protocol in ("SASL_PLAINTEXT", "SASL_SSL"):
        return faust.SASLCredentials(
            username=cluster.sasl_username,
            password=cluster.sasl_password.get_secret_value() if cluster.sasl_password else None,
            mechanism=cluster.sasl_mechanism,
            ssl_context=context,
        )
    return None
