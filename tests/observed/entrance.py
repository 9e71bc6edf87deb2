"""The intake and the board as processes of their own, open to this machine."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import httpx

from streams.kafka.config import ClusterSettings
from tests.ports import free_port
from tests.waiting import eventually

READY_SECONDS = 240.0


def intake(cluster: ClusterSettings, folder: Path, environ: Mapping[str, str]) -> AbstractContextManager[str]:
    """Run an intake; yields its address once it takes leads. environ: further settings. folder: for its log."""
    return _serving("intake", "/readyz", cluster, folder, environ)


def board(cluster: ClusterSettings, folder: Path) -> AbstractContextManager[str]:
    """Run a board; yields its address once it answers. folder: for its file and log."""
    return _serving("board", "/healthz", cluster, folder, {"LEADSTREAM_STATE_DIR": str(folder)})


@contextmanager
def _serving(
    name: str, probe: str, cluster: ClusterSettings, folder: Path, environ: Mapping[str, str]
) -> Iterator[str]:
    address = f"127.0.0.1:{free_port()}"
    settings = {"LEADSTREAM_BOOTSTRAP": cluster.bootstrap, "LEADSTREAM_NAMESPACE": cluster.namespace, **environ}
    folder.mkdir(parents=True, exist_ok=True)
    log_file = folder / f"{name}.log"
    with log_file.open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "streams.cli.main", name, "--open", "--port", address.rpartition(":")[2]],
            env=os.environ | settings,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:

        def said() -> str:
            return log_file.read_text(errors="replace")[-2_000:]

        def is_ready() -> bool:
            assert process.poll() is None, f"{name} ended: {said()}"
            return _answers(f"http://{address}{probe}")

        eventually(is_ready, lambda: f"{name} to be ready: {said()}", READY_SECONDS, look=0.05)
        yield address
    finally:
        process.terminate()
        process.wait(120)


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=10).status_code == 200
    except httpx.TransportError:
        return False
