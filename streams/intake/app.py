"""The HTTP way in: what it answers with 2xx, Kafka has acknowledged."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

import structlog
from fastapi import FastAPI, Request, Response
from prometheus_client import CollectorRegistry

from streams.intake.acceptance import Acceptance
from streams.intake.desk import Desk
from streams.intake.forms.router import forms_router
from streams.intake.guides.router import guides_router
from streams.intake.hooks import Hooks, hooks_router
from streams.intake.metrics import IntakeMetrics, intake_metrics
from streams.intake.openapi import document
from streams.intake.probes import PATHS, probes_router
from streams.intake.publisher import Publisher, caller_trace
from streams.intake.refusing import refuse_plainly
from streams.intake.settings import IntakeSettings
from streams.intake.submitting import submit_router
from streams.tracing import TRACEPARENT, well_formed

Log = structlog.stdlib.BoundLogger


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
    acceptance = Acceptance(settings, digests, publisher, metrics)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        acceptance.open()
        yield

    app = FastAPI(title="leadstream intake", version="1", lifespan=lifespan, docs_url=None, redoc_url=None)
    app.include_router(submit_router(settings, desk, acceptance))
    app.include_router(probes_router(publisher, registry))
    app.include_router(hooks_router(Hooks(settings, desk, acceptance.publish)))
    app.include_router(forms_router(settings, desk.forms, acceptance.publish))
    if desk.guides is not None:
        app.include_router(guides_router(settings, desk.guides, acceptance))
    _observe(app, metrics, log)
    refuse_plainly(app, log)
    app.openapi = lambda: document(app)  # type: ignore[method-assign]  # FastAPI's documented way
    return app


def _observe(app: FastAPI, metrics: IntakeMetrics, log: Log) -> None:
    """Count every request, and write a line for each that is no probe."""

    @app.middleware("http")
    async def observe(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        started = time.perf_counter()
        caller_trace.set(well_formed(request.headers.get(TRACEPARENT, "")))
        response = await call_next(request)
        route = getattr(request.scope.get("route"), "path", "other")  # the template: no ids in labels or logs
        metrics.requests.labels(route, str(response.status_code)).inc()
        if route not in PATHS:
            log.info(
                "request.answered",
                method=request.method,
                route=route,
                status=response.status_code,
                client=getattr(request.state, "client", None),
                elapsed_seconds=round(time.perf_counter() - started, 4),
            )
        return response
