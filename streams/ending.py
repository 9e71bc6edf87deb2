"""How a process ends: asked to, with one line; by an error, with one line that says which; and its exit code."""

from collections.abc import Callable

import structlog
from confluent_kafka import KafkaException
from prometheus_client import CollectorRegistry

from streams.errors import Fenced, LeadstreamError
from streams.health import Health, Phase, serving
from streams.restore import Stopped
from streams.stopping import Stop, on_signals

EXIT_STOPPED = 0  # asked to end, and did
EXIT_FATAL = 1  # start it again: it restores
EXIT_FENCED = 3  # as FATAL, and another process has this slot: look whether two were started

log = structlog.get_logger()


def served(
    name: str,
    slot: int,
    http: tuple[str, int | None],
    registry: CollectorRegistry,
    serve: Callable[[Stop, Health], None],
) -> int:
    """Run `serve` until SIGTERM or SIGINT, or until it raises; return the exit code. For the main thread.

    http: host and port of the health and the metrics of `registry`; port 0 picks a free one, None serves nothing.
    """
    stop, health = Stop(), Health()
    try:
        with on_signals(stop), serving(health, registry, *http) as port:
            log.info("process.started", stage=name, slot=slot, http_port=port)
            serve(stop, health)
    except Stopped:
        pass
    except Exception as error:
        health.enter(Phase.FAILED, type(error).__name__)
        return _failed(name, slot, error)
    log.info("process.stopped", stage=name, slot=slot)
    return EXIT_STOPPED


def _failed(name: str, slot: int, error: Exception) -> int:
    """Say in one line why the process ends, with a traceback only where nobody foresaw it; return its exit code."""
    if isinstance(error, LeadstreamError | KafkaException | OSError):
        log.error("process.ended", stage=name, slot=slot, error=type(error).__name__, reason=str(error))
    else:
        log.exception("process.failed", stage=name, slot=slot, error=type(error).__name__)
    return EXIT_FENCED if isinstance(error, Fenced) else EXIT_FATAL
