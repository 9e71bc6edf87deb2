"""Writing whole tables (roster, accounts) from a command: the same row, the same id, so that a repeat is none."""

import hashlib
from collections.abc import Callable, Iterable
from typing import TypeVar

from pydantic import BaseModel

from schemas.wire import encode
from streams.cli.writer import Outgoing, write
from streams.kafka.config import ClusterSettings

Row = TypeVar("Row", bound=BaseModel)


def put_all(
    cluster: ClusterSettings, topic: str, event_type: str, key: Callable[[Row], str], rows: Iterable[Row]
) -> int:
    """Write each row under its key and return how many were acknowledged. Raises NotWritten."""
    return write(cluster, (_outgoing(topic, event_type, key(row), row) for row in rows))


def _outgoing(topic: str, event_type: str, key: str, row: BaseModel) -> Outgoing:
    value = encode(row) or b""
    return Outgoing(f"{topic}/{hashlib.sha256(key.encode() + value).hexdigest()[:32]}", topic, key, event_type, value)
