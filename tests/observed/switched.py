"""Parts of the outside world that can be switched off and on: a provider and a mail server, each at a port of its own.

Off, nothing listens there: connections are refused, as of a host that is down.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Protocol

from aiosmtpd.controller import Controller

from tests.ports import free_port

HOST = "127.0.0.1"


class Switched(Protocol):
    """Something that listens while it is on. on, off: again and again, in turn."""

    port: int

    def on(self) -> None: ...

    def off(self) -> None: ...


class Provider:
    """Knows how many people every company employs."""

    def __init__(self) -> None:
        self.port = free_port()
        self._server: ThreadingHTTPServer | None = None

    def on(self) -> None:
        self._server = ThreadingHTTPServer((HOST, self.port), _Company)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def off(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None


class _Company(BaseHTTPRequestHandler):
    def do_GET(self) -> None:  # the name is http.server's
        body = json.dumps({"employees": 120}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


class Mail:
    """Takes every mail."""

    def __init__(self) -> None:
        self.port = free_port()
        self._controller: Controller | None = None

    def on(self) -> None:
        self._controller = Controller(_Sink(), hostname=HOST, port=self.port)
        self._controller.start()

    def off(self) -> None:
        if self._controller is not None:
            self._controller.stop()
            self._controller = None


class _Sink:
    async def handle_DATA(self, server: object, session: object, envelope: object) -> str:  # noqa: N802 - aiosmtpd's
        return "250 OK"


@contextmanager
def switched_on(*parts: Switched) -> Iterator[None]:
    """Keep them on for the block; at its end all are off."""
    try:
        for part in parts:
            part.on()
        yield
    finally:
        for part in parts:
            part.off()
