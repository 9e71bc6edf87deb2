"""Writing to Kafka from an event loop: one idempotent producer, an answer only when Kafka has acknowledged."""

import asyncio
import threading
import time
from collections.abc import Sequence
from contextvars import ContextVar
from datetime import UTC, datetime
from types import TracebackType

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from schemas.wire import headers_for
from streams.errors import Retryable
from streams.intake.submission import Submission
from streams.kafka.config import ClusterSettings, plain_producer_config, qualified
from streams.tracing import BEGINS, TRACEPARENT, Place, Tracing, place_below

SOURCE = "leadstream/intake"
_POLL_SECONDS = 0.1
_METADATA_SECONDS = 2.0
_FLUSH_SECONDS = 10.0

caller_trace: ContextVar[str] = ContextVar("caller_trace", default="")
"""The `traceparent` of the request under way, empty where it has none."""


class NotAcknowledged(Retryable):
    """Kafka did not acknowledge in time. The record may or may not be there: try again under the same id."""


class Publisher:
    """Publishes submissions. Use as a context manager: a thread of its own serves the delivery reports.

    ack_seconds: how long a record may take; then it fails, and won't be tried again by the client either.
    tracing: begins a lead's trace, or goes on with the caller's; None for no traces.
    """

    def __init__(self, settings: ClusterSettings, ack_seconds: float, tracing: Tracing | None = None) -> None:
        self._tracing = tracing
        config = plain_producer_config(settings) | {
            "delivery.timeout.ms": int(ack_seconds * 1_000),
            "linger.ms": 2,  # callers come side by side; each waits for its own acknowledgement
        }
        self._namespace = settings.namespace
        self._producer = Producer(config)
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._serve_reports, name="intake-reports", daemon=True)

    def __enter__(self) -> "Publisher":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._producer.flush(_FLUSH_SECONDS)
        self._closed.set()
        self._thread.join()

    async def publish(self, submissions: Sequence[Submission], received_at: datetime) -> None:
        """Return once every submission is acknowledged by all in-sync replicas. Raises NotAcknowledged."""
        loop = asyncio.get_running_loop()
        caller = caller_trace.get() if len(submissions) == 1 else ""  # each of several leads has a trace of its own
        reports = [self._produce(submission, received_at, caller, loop) for submission in submissions]
        failed = [error for error in await asyncio.gather(*reports) if error is not None]
        if failed:
            raise NotAcknowledged(f"{len(failed)} of {len(reports)} records were not acknowledged: {failed[0].name()}")

    async def is_reachable(self) -> bool:
        """Tell whether the cluster answers and has the topic of raw leads, within 2 s."""
        name = qualified(self._namespace, "leads.raw")
        try:
            answer = await asyncio.to_thread(self._producer.list_topics, name, _METADATA_SECONDS)
        except KafkaException:
            return False
        return answer.topics[name].error is None

    def _produce(
        self, submission: Submission, received_at: datetime, caller: str, loop: asyncio.AbstractEventLoop
    ) -> "asyncio.Future[KafkaError | None]":
        report: asyncio.Future[KafkaError | None] = loop.create_future()
        place, began_ns = self._place(submission, received_at, caller), time.time_ns()

        def settle(error: KafkaError | None) -> None:
            if error is None and place is not None:
                self._tell(submission, place, began_ns)
            if not report.done():
                report.set_result(error)

        def delivered(error: KafkaError | None, _message: Message) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(settle, error)

        try:
            self._producer.produce(
                qualified(self._namespace, submission.topic),
                key=submission.key.encode(),
                value=submission.value,
                headers=_headers(submission, received_at, place, caller),
                on_delivery=delivered,
            )
        except BufferError:  # as many records wait as the client may hold: Kafka is away or far too slow
            report.set_result(KafkaError(KafkaError._QUEUE_FULL))
        except KafkaException as error:
            report.set_result(error.args[0])
        return report

    def _place(self, submission: Submission, received_at: datetime, caller: str) -> Place | None:
        if self._tracing is None or submission.type not in BEGINS:
            return None
        # A request that comes again is another span: the same id says so only of the lead.
        return place_below(caller, f"{submission.id}\x1fintake\x1f{received_at.isoformat()}", submission.id)

    def _tell(self, submission: Submission, place: Place, began_ns: int) -> None:
        ids: dict[str, str | int] = {
            "messaging.destination.name": submission.topic,
            "messaging.message.id": submission.id,
        }
        if self._tracing is not None:
            self._tracing.tell(f"intake {submission.type}", place, (began_ns, time.time_ns()), "PRODUCER", ids)

    def _serve_reports(self) -> None:
        while not self._closed.is_set():
            self._producer.poll(_POLL_SECONDS)


def _headers(
    submission: Submission, received_at: datetime, place: Place | None, caller: str
) -> dict[str, str | bytes | None]:
    named = caller if place is None else place.traceparent  # who does not record passes on what was said
    extra = {TRACEPARENT: named} if named and submission.type in BEGINS else {}
    return dict(headers_for(submission.id, submission.type, SOURCE, received_at.astimezone(UTC), extra))
