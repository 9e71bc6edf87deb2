"""The HTTP way in: what it answers with 2xx, Kafka has acknowledged."""

import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated, Any

import structlog
from aiolimiter import AsyncLimiter
from fastapi import Depends, FastAPI, Path, Request, Response
from fastapi.openapi.utils import get_openapi
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from pydantic import BaseModel

from schemas.activity import ActivityReported
from schemas.lead import SubmittedLead
from schemas.rep import Rep
from streams.intake import submission
from streams.intake.answer import Answered, answered, wait_seconds
from streams.intake.api_key import OPEN_CLIENT, client_of
from streams.intake.body import json_body
from streams.intake.desk import Desk
from streams.intake.forms.router import forms_router
from streams.intake.hooks import Hooks, hooks_router
from streams.intake.metrics import intake_metrics
from streams.intake.problem import ProblemDetails, Refused, answer_schema
from streams.intake.publisher import Publisher
from streams.intake.refusing import RETRY_SECONDS, refuse_plainly
from streams.intake.settings import IntakeSettings
from streams.intake.submission import Submission

_PERIOD_SECONDS = 60.0
_MODELS: dict[str, type[BaseModel]] = {"SubmittedLead": SubmittedLead, "ActivityReported": ActivityReported, "Rep": Rep}

Log = structlog.stdlib.BoundLogger


class Accepted(BaseModel):
    """Acknowledged by Kafka. ids: one a record, in order: the event id that the stream knows it by."""

    ids: tuple[str, ...]


def create_app(
    settings: IntakeSettings,
    publisher: Publisher,
    digests: Mapping[str, str],
    registry: CollectorRegistry,
    log: Log,
    desk: Desk,
) -> FastAPI:
    """Return the application. publisher, desk: opened by the caller. digests: client -> SHA-256 of its API key."""
    metrics = intake_metrics(registry)
    limiters: dict[str, AsyncLimiter] = {}  # bounded by the number of keys

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        limiters.update({name: AsyncLimiter(settings.rate_per_minute, _PERIOD_SECONDS) for name in digests})
        limiters[OPEN_CLIENT] = AsyncLimiter(settings.rate_per_minute, _PERIOD_SECONDS)
        yield

    app = FastAPI(title="leadstream intake", version="1", lifespan=lifespan, docs_url=None, redoc_url=None)

    def client(request: Request) -> str:
        name = _client(request, digests, settings)
        request.state.client = name
        return name

    async def accept(name: str, submissions: tuple[Submission, ...], received_at: datetime) -> Accepted:
        limiter = limiters[name]
        if not limiter.has_capacity(len(submissions)):
            raise _over_rate(settings, len(submissions))
        await limiter.acquire(len(submissions))
        await publish(submissions, received_at)
        return Accepted(ids=tuple(one.id for one in submissions))

    async def publish(submissions: tuple[Submission, ...], received_at: datetime) -> None:
        started = time.perf_counter()
        await publisher.publish(submissions, received_at)
        metrics.acknowledged.observe(time.perf_counter() - started)
        for one in submissions:
            metrics.records.labels(one.topic).inc()

    @app.post(
        "/leads",
        status_code=202,
        responses={200: {"model": Answered, "description": "decided in time (wait)"}, **answer_schema()},
        openapi_extra=_body("SubmittedLead", many=True),
    )
    async def post_leads(
        request: Request, response: Response, name: Annotated[str, Depends(client)], wait: str = ""
    ) -> Accepted | Answered:
        """Submit one lead, or an array of them: all are taken, or none.

        Give each its own `id` and repeat the request as often as needed: a repeat is recognised. `?wait=5s` with one
        lead answers 200 with the decision and the rep's booking link once it is made; 202 when it is not by then.
        """
        body, now = await json_body(request, settings.max_body_bytes), datetime.now(UTC)
        submissions = submission.leads(body, name, now, settings.max_batch)
        seconds = wait_seconds(wait, len(submissions))
        accepted = await accept(name, submissions, now)
        decided = await desk.decisions.on(accepted.ids[0], seconds) if seconds > 0 else None
        if decided is None:
            return accepted
        response.status_code = 200
        return answered(accepted.ids, decided, desk.roster)

    @app.post(
        "/activity", status_code=202, responses=answer_schema(), openapi_extra=_body("ActivityReported", many=True)
    )
    async def post_activity(request: Request, name: Annotated[str, Depends(client)]) -> Accepted:
        """Report what people did: one activity, or an array of them."""
        body, now = await json_body(request, settings.max_body_bytes), datetime.now(UTC)
        return await accept(name, submission.activities(body, name, now, settings.max_batch), now)

    @app.put("/reps/{rep_id}", status_code=202, responses=answer_schema(), openapi_extra=_body("Rep", many=False))
    async def put_rep(
        request: Request,
        rep_id: Annotated[str, Path(min_length=1, max_length=64)],
        name: Annotated[str, Depends(client)],
    ) -> Accepted:
        """Put one person into the roster, or replace the entry."""
        body, now = await json_body(request, settings.max_body_bytes), datetime.now(UTC)
        return await accept(name, (submission.rep(body, rep_id),), now)

    @app.get("/healthz", response_class=PlainTextResponse)
    async def healthz() -> str:
        """Tell that the process answers."""
        return "ok"

    @app.get("/readyz", response_class=PlainTextResponse, responses={503: {"description": "Kafka does not answer"}})
    async def readyz() -> PlainTextResponse:
        """Tell whether leads can be taken: Kafka answers."""
        if await publisher.is_reachable():
            return PlainTextResponse("ready")
        return PlainTextResponse("Kafka does not answer", status_code=503, headers={"Retry-After": str(RETRY_SECONDS)})

    @app.get("/metrics", response_class=PlainTextResponse)
    async def prometheus() -> Response:
        """Give the metrics in Prometheus' text format."""
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    @app.middleware("http")
    async def observe(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        started = time.perf_counter()
        response = await call_next(request)
        route = getattr(request.scope.get("route"), "path", "other")  # the template: no ids in labels or logs
        metrics.requests.labels(route, str(response.status_code)).inc()
        if route not in ("/healthz", "/readyz", "/metrics"):
            log.info(
                "request.answered",
                method=request.method,
                route=route,
                status=response.status_code,
                client=getattr(request.state, "client", None),
                elapsed_seconds=round(time.perf_counter() - started, 4),
            )
        return response

    app.include_router(hooks_router(Hooks(settings, desk, publish)))
    app.include_router(forms_router(settings, desk.forms, publish))
    refuse_plainly(app, log)
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]  # FastAPI's documented way
    return app


def _client(request: Request, digests: Mapping[str, str], settings: IntakeSettings) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    key = request.headers.get("x-api-key") or (token.strip() if scheme.lower() == "bearer" else "")
    if not key and settings.is_open:
        return OPEN_CLIENT
    name = client_of(key, digests) if key else None
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


def _body(model: str, *, many: bool) -> dict[str, Any]:
    one = {"$ref": f"#/components/schemas/{model}"}
    schema = {"oneOf": [one, {"type": "array", "items": one, "minItems": 1}]} if many else one
    return {
        "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}},
        "security": [{"bearer": []}, {"apiKey": []}],
    }


def _openapi(app: FastAPI) -> dict[str, Any]:
    if app.openapi_schema:
        return app.openapi_schema
    document = get_openapi(title=app.title, version=app.version, routes=app.routes, description=app.description)
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    described: dict[str, type[BaseModel]] = {**_MODELS, "ProblemDetails": ProblemDetails}
    for name, model in described.items():
        schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas.update(schema.pop("$defs", {}))
        schemas[name] = schema
    components["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer"},
        "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    }
    app.openapi_schema = document
    return document
