"""What a process says of itself over HTTP: /health (alive), /ready (serving), /metrics."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import orjson
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from streams.errors import Fatal

# A batch takes milliseconds, a restore ticks at each read, a commit waits as long as the broker is away. A process
# that did none of these for so long hangs in a stage: end it, the marker then finds the record.
HUNG_SECONDS = 120.0


class Phase(StrEnum):
    STARTING = "starting"  # waiting for the broker, or for partitions
    RESTORING = "restoring"
    RUNNING = "running"
    STOPPING = "stopping"  # asked to end
    FAILED = "failed"  # about to end by itself


class Health:
    """The process's phase and when it last moved. Written by the loop, read by the HTTP threads."""

    def __init__(self) -> None:
        self.phase = Phase.STARTING
        self.reason = ""
        self._ticked_at = time.monotonic()

    def tick(self) -> None:
        """Tell that the loop goes round."""
        self._ticked_at = time.monotonic()

    def enter(self, phase: Phase, reason: str = "") -> None:
        self.phase = phase
        self.reason = reason
        self.tick()

    @property
    def is_alive(self) -> bool:
        """False where a restart would help. Waiting for a broker is no reason: a restart would wait too."""
        return self.phase is Phase.STARTING or time.monotonic() - self._ticked_at < HUNG_SECONDS

    @property
    def is_ready(self) -> bool:
        return self.phase is Phase.RUNNING


class PortRefused(Fatal):
    """The port of /health and /metrics cannot be listened on. LEADSTREAM_HTTP_PORT_BASE says where ports are free."""


@contextmanager
def serving(health: Health, registry: CollectorRegistry, host: str, port: int | None) -> Iterator[int | None]:
    """Serve the three paths while the block runs; yields the port in use. port: 0 picks a free one, None serves none.

    Raises PortRefused.
    """
    if port is None:
        yield None
        return
    try:
        server = ThreadingHTTPServer((host, port), _handler(health, registry))
    except OSError as error:
        raise PortRefused(
            f"Nothing can listen on {host}:{port} for /health and /metrics: {error.strerror}. Does another leadstream "
            "run here? Set LEADSTREAM_HTTP_PORT_BASE to where ports are free, or to 0 for none."
        ) from error
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(health: Health, registry: CollectorRegistry) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = 5  # a client that says nothing holds a thread no longer

        def do_GET(self) -> None:  # the name is http.server's
            if self.path == "/metrics":
                encode, kind = choose_encoder(self.headers.get("Accept") or "")  # OpenMetrics has the exemplars
                self._answer(200, kind, encode(registry))
            elif self.path == "/health":
                self._state(health.is_alive)
            elif self.path == "/ready":
                self._state(health.is_ready)
            else:
                self._answer(404, "text/plain", b"not here\n")

        def log_message(self, format: str, *args: object) -> None:  # probes are no events
            pass

        def _state(self, is_well: bool) -> None:
            said = orjson.dumps({"phase": health.phase, "reason": health.reason})
            self._answer(200 if is_well else 503, "application/json", said)

        def _answer(self, status: int, kind: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return Handler
