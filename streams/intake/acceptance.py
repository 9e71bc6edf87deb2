"""Who may write how much, and that Kafka has it before anybody is told so."""

import math
import time
from collections.abc import Mapping
from datetime import datetime

from aiolimiter import AsyncLimiter
from fastapi import Request
from pydantic import BaseModel

from streams.intake.api_key import OPEN_CLIENT, client_of
from streams.intake.metrics import IntakeMetrics
from streams.intake.problem import Refused
from streams.intake.publisher import Publisher
from streams.intake.settings import IntakeSettings
from streams.intake.submission import Submission

_PERIOD_SECONDS = 60.0


class Accepted(BaseModel):
    """Acknowledged by Kafka. ids: one a record, in order: the event id that the stream knows it by."""

    ids: tuple[str, ...]


class Acceptance:
    """digests: client -> SHA-256 of its API key. publisher: opened by the caller."""

    def __init__(
        self, settings: IntakeSettings, digests: Mapping[str, str], publisher: Publisher, metrics: IntakeMetrics
    ) -> None:
        self._settings = settings
        self._digests = digests
        self._publisher = publisher
        self._metrics = metrics
        self._limiters: dict[str, AsyncLimiter] = {}  # bounded by the number of keys

    def open(self) -> None:
        """Begin to count rates; inside the event loop that serves."""
        for name in (*self._digests, OPEN_CLIENT):
            self._limiters[name] = AsyncLimiter(self._settings.rate_per_minute, _PERIOD_SECONDS)

    def client(self, request: Request) -> str:
        """Return who asks, and note it on the request for its log line. Raises Refused: 401."""
        name = self._client(request)
        request.state.client = name
        return name

    async def accept(self, name: str, submissions: tuple[Submission, ...], received_at: datetime) -> Accepted:
        """Publish within the client's rate: all of them, or none. Raises Refused: 429; NotAcknowledged."""
        limiter = self._limiters[name]
        if not limiter.has_capacity(len(submissions)):
            raise _over_rate(self._settings, len(submissions))
        await limiter.acquire(len(submissions))
        await self.publish(submissions, received_at)
        return Accepted(ids=tuple(one.id for one in submissions))

    async def publish(self, submissions: tuple[Submission, ...], received_at: datetime) -> None:
        """Return once Kafka has them all. Raises NotAcknowledged."""
        started = time.perf_counter()
        await self._publisher.publish(submissions, received_at)
        self._metrics.acknowledged.observe(time.perf_counter() - started)
        for one in submissions:
            self._metrics.records.labels(one.topic).inc()

    def _client(self, request: Request) -> str:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        key = request.headers.get("x-api-key") or (token.strip() if scheme.lower() == "bearer" else "")
        if not key and self._settings.is_open:
            return OPEN_CLIENT
        name = client_of(key, self._digests) if key else None
        if name is None:
            raise Refused(
                401,
                "unknown-api-key" if key else "no-api-key",
                "The API key is not known." if key else "There is no API key in the request.",
                "Send Authorization: Bearer KEY, or X-API-Key: KEY. `leadstream intake new-key NAME` makes one.",
            )
        return name


def _over_rate(settings: IntakeSettings, records: int) -> Refused:
    wait = max(1, math.ceil(records * _PERIOD_SECONDS / settings.rate_per_minute))
    return Refused(
        429,
        "too-many-records",
        f"This key may write {settings.rate_per_minute} records a minute.",
        "Wait for Retry-After, then send the same request again.",
        retry_after_seconds=wait,
    )
