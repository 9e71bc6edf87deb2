"""The intake beside the demo, for leads of one's own: open, on loopback only."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from prometheus_client import CollectorRegistry

from notifiers.settings import ChannelSettings
from streams.broker.ports import is_free
from streams.intake.app import create_app
from streams.intake.desk import open_desk
from streams.intake.publisher import Publisher
from streams.intake.server import server
from streams.intake.settings import IntakeSettings
from streams.kafka.config import ClusterSettings

_START_SECONDS = 10.0
_WANTED_PORT = 8080


@contextmanager
def listening(cluster: ClusterSettings) -> Iterator[str]:
    """Yield the intake's address, http://127.0.0.1:port."""
    settings = IntakeSettings(port=_WANTED_PORT if is_free(_WANTED_PORT) else 0, is_open=True)
    log = structlog.wrap_logger(structlog.PrintLogger(), processors=[_silent])
    with Publisher(cluster, settings.ack_seconds) as publisher, open_desk(cluster, ChannelSettings()) as desk:
        http = server(create_app(settings, publisher, {}, CollectorRegistry(), log, desk), settings)
        thread = threading.Thread(target=http.run, name="demo-intake", daemon=True)
        thread.start()
        deadline = time.monotonic() + _START_SECONDS
        while not http.started and thread.is_alive() and time.monotonic() < deadline:
            thread.join(0.02)
        port = http.servers[0].sockets[0].getsockname()[1]
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            http.should_exit = True
            thread.join(_START_SECONDS)


def _silent(_logger: object, _method: str, _event: structlog.typing.EventDict) -> str:
    raise structlog.DropEvent
