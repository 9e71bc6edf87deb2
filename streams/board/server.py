"""The board as a process: the follower and the web server in one event loop, until SIGTERM or Ctrl-C."""

import asyncio
import gc
import secrets
import signal
import threading
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import structlog
import uvicorn

from streams.board.follower import Follower
from streams.board.log import DecisionLog
from streams.board.pruning import Keep
from streams.board.settings import BoardSettings
from streams.board.store import Store
from streams.board.web.app import create_app
from streams.board.web.board import Board
from streams.board.web.live import Live
from streams.errors import Fatal
from streams.intake.api_key import parsed
from streams.intake.publisher import Publisher
from streams.kafka.config import ClusterSettings
from streams.settings import Settings

FILE = "board.sqlite"
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_ACK_SECONDS = 10.0
_GRACE_SECONDS = 3
_GC = (100_000, 20, 100)
_TIDY_SECONDS = 10.0
log = structlog.get_logger()


class NobodyMayLook(Fatal):
    """The board would let nobody in.

    Make a key with `leadstream board new-key NAME` and set LEADSTREAM_BOARD_KEYS, set LEADSTREAM_BOARD_OIDC_ISSUER, or,
    on loopback only, LEADSTREAM_BOARD_IS_OPEN=true.
    """


def file_of(settings: Settings) -> Path:
    """Return where the board's file is."""
    return settings.state_dir / (settings.namespace or "_") / "board" / FILE


def require_guarded(settings: BoardSettings) -> dict[str, str]:
    """Return the digests of the keys. Raises NobodyMayLook, KeysInvalid."""
    if settings.is_open and settings.host not in _LOOPBACK:
        raise NobodyMayLook(f"The board is open to anybody on the loopback interface only, not on {settings.host}.")
    if not settings.is_configured:
        raise NobodyMayLook
    return parsed(settings.keys.split(","))


def serve(settings: BoardSettings, process: Settings) -> int:
    """Serve until told to stop; return the exit code: 0, or 1 where the store could not be kept up to date."""
    digests = require_guarded(settings)
    asked = threading.Event()
    # uvicorn ends in order and then raises what it was sent once more: this is who hears it.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: asked.set())
    # A batch is some thousand parsed records, alive until it is written: as young garbage they would be looked through
    # again and again, for a third of all the CPU of the fold.
    gc.freeze()
    gc.set_threshold(*_GC)
    return asyncio.run(_serve(settings, process.cluster, file_of(process), digests, asked))


async def _serve(
    settings: BoardSettings, cluster: ClusterSettings, file: Path, digests: dict[str, str], asked: threading.Event
) -> int:
    store = Store(file)
    follower = Follower(cluster, store, Keep(closed=timedelta(days=settings.keep_days)))
    with Publisher(cluster, _ACK_SECONDS) as publisher:
        live, secret = Live(follower), _secret(settings)
        decisions = DecisionLog(cluster)
        now = partial(datetime.now, UTC)
        board = Board(settings, cluster, store, follower, live, publisher, decisions, digests, now, secret)
        http = _http(board)
        await follower.start()
        http.should_exit = asked.is_set()
        log.info("board.started", host=settings.host, port=settings.port, file=store.id)
        serving = asyncio.ensure_future(http.serve())
        tidying = asyncio.ensure_future(tidied(_TIDY_SECONDS))
        try:
            await asyncio.wait({serving, follower.failed}, return_when=asyncio.FIRST_COMPLETED)
            http.should_exit = True
            await serving
        finally:
            tidying.cancel()
            await follower.stop()
            decisions.close()
            store.close()
    if follower.failed.done() and (error := follower.failed.exception()) is not None:
        log.error("board.failed", error=type(error).__name__, reason=str(error))
        return 1
    return 0


async def tidied(seconds: float) -> None:
    """Find garbage in cycles every so often, until cancelled: milliseconds, as what was there at the start is frozen.

    A rendered page is one (a macro of Jinja's knows the page, which knows the macro) and holds all rows it showed. With
    the thresholds above the collector would come to it after minutes: memory grew by 16 MiB in three (decision 0235).
    """
    while True:
        await asyncio.sleep(seconds)
        gc.collect()


def _secret(settings: BoardSettings) -> bytes:
    given = settings.session_secret
    return secrets.token_bytes(32) if given is None else given.get_secret_value().encode()


def _http(board: Board) -> uvicorn.Server:
    return uvicorn.Server(
        uvicorn.Config(
            create_app(board),
            host=board.settings.host,
            port=board.settings.port,
            access_log=False,  # paths hold lead ids, queries what was searched for
            log_level="warning",
            server_header=False,
            timeout_graceful_shutdown=_GRACE_SECONDS,
        )
    )
