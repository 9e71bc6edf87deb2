"""What the intake says of itself: alive, ready, its numbers."""

from fastapi import APIRouter, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from streams.intake.publisher import Publisher
from streams.intake.refusing import RETRY_SECONDS

PATHS = ("/healthz", "/readyz", "/metrics")


def probes_router(publisher: Publisher, registry: CollectorRegistry) -> APIRouter:
    """Return the routes `PATHS`."""
    router = APIRouter()

    @router.get("/healthz", response_class=PlainTextResponse)
    async def healthz() -> str:
        """Tell that the process answers."""
        return "ok"

    @router.get("/readyz", response_class=PlainTextResponse, responses={503: {"description": "Kafka does not answer"}})
    async def readyz() -> PlainTextResponse:
        """Tell whether leads can be taken: Kafka answers."""
        if await publisher.is_reachable():
            return PlainTextResponse("ready")
        return PlainTextResponse("Kafka does not answer", status_code=503, headers={"Retry-After": str(RETRY_SECONDS)})

    @router.get("/metrics", response_class=PlainTextResponse)
    async def prometheus() -> Response:
        """Give the metrics in Prometheus' text format."""
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return router
