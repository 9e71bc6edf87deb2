"""The intake as a process of its own, open to this machine."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx

from streams.broker.ports import free_ports
from streams.kafka.config import ClusterSettings

READY_SECONDS = 30.0


@contextmanager
def intake(cluster: ClusterSettings, folder: Path, environ: Mapping[str, str]) -> Iterator[str]:
    """Yield its address once it takes leads; it ends with the block. environ: further settings. folder: for its log."""
    address = f"127.0.0.1:{next(free_ports(8_200))}"
    settings = {"LEADSTREAM_BOOTSTRAP": cluster.bootstrap, "LEADSTREAM_NAMESPACE": cluster.namespace, **environ}
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "intake.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "streams.cli.main", "intake", "--open", "--port", address.rpartition(":")[2]],
            env=os.environ | settings,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        deadline = time.monotonic() + READY_SECONDS
        while not _is_ready(address):
            said = (folder / "intake.log").read_text(errors="replace")[-2_000:]
            assert process.poll() is None and time.monotonic() < deadline, f"the intake is not ready: {said}"
            time.sleep(0.05)
        yield address
    finally:
        process.terminate()
        process.wait(20)


def _is_ready(address: str) -> bool:
    try:
        return httpx.get(f"http://{address}/readyz", timeout=3).status_code == 200
    except httpx.TransportError:
        return False
