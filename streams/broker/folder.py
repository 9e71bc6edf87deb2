"""The folder an embedded broker keeps its data in: one owner at a time, formatted once, its files in one place."""

import base64
import fcntl
import os
import shutil
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

import orjson

from streams.broker.ports import POLL_SECONDS, RELEASE_SECONDS
from streams.errors import Fatal


class FolderBusy(Fatal):
    """Another embedded broker runs on this folder. Stop it, use it, or choose another folder."""


@dataclass(frozen=True, slots=True)
class Folder:
    """Paths inside the folder. `kafka_dir` is Kafka's own; delete the whole folder to start from nothing."""

    path: Path

    @property
    def kafka_dir(self) -> Path:
        return self.path / "kafka"

    @property
    def properties(self) -> Path:
        return self.path / "server.properties"

    @property
    def log4j(self) -> Path:
        return self.path / "log4j2.properties"

    @property
    def log(self) -> Path:
        return self.path / "broker.log"

    @property
    def formatted(self) -> Path:
        """Holds the cluster id; written after formatting has ended, so that half a format is done again."""
        return self.path / "cluster.id"

    @property
    def endpoint(self) -> Path:
        """Says where the last broker of this folder listened, for a later start and for who is locked out."""
        return self.path / "endpoint.json"


def lock(folder: Folder) -> int:
    """Return a descriptor that holds the folder; closing it, here and in children, releases it.

    Waits 3 s for a holder that was just killed. Raises FolderBusy.
    """
    folder.path.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder.path / "lock", os.O_RDWR | os.O_CREAT, 0o644)
    deadline = time.monotonic() + RELEASE_SECONDS
    while not _locked(descriptor):
        if time.monotonic() > deadline:
            os.close(descriptor)
            raise FolderBusy(
                f"Another embedded broker runs on {folder.path} ({_where(folder)}). "
                "Stop it, use it (LEADSTREAM_BOOTSTRAP), or choose another folder."
            )
        time.sleep(POLL_SECONDS)
    return descriptor


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def last_port(folder: Folder) -> int | None:
    """Return the client port that the folder's last broker had, or None."""
    if not folder.endpoint.exists():
        return None
    return int(orjson.loads(folder.endpoint.read_bytes())["port"])


def remember(folder: Folder, port: int, pid: int) -> None:
    """Note where the folder's broker listens."""
    folder.endpoint.write_bytes(orjson.dumps({"bootstrap": f"127.0.0.1:{port}", "port": port, "pid": pid}))


def cluster_id(folder: Folder) -> str | None:
    """Return the id of the cluster in the folder, or None where there is none yet."""
    return folder.formatted.read_text().strip() if folder.formatted.exists() else None


def clear_unfinished(folder: Folder) -> None:
    """Remove what an interrupted format left. No broker ever ran on it."""
    shutil.rmtree(folder.kafka_dir, ignore_errors=True)


def new_cluster_id() -> str:
    """Return a random id as Kafka writes them: 22 characters, and no leading dash, which reads as an option."""
    while (text := base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")).startswith("-"):
        pass
    return text


def keep_last_log(folder: Folder) -> None:
    """Move the log of the run before aside, so that logs are two runs at most."""
    if folder.log.exists():
        folder.log.replace(folder.log.with_suffix(".log.1"))


def _where(folder: Folder) -> str:
    if not folder.endpoint.exists():
        return "starting"
    last = orjson.loads(folder.endpoint.read_bytes())
    return f"pid {last['pid']}, {last['bootstrap']}"
