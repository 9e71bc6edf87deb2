"""Read-only compacted topics, whole on this machine: accounts, policies, reps, xref."""

import heapq
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog
from confluent_kafka import Consumer, KafkaError, TopicPartition

from schemas.poison import Poison
from schemas.topics import TOPICS
from schemas.wire import NewerSchema, decode, said_version
from streams.kafka.config import ClusterSettings, qualified, table_consumer_config
from streams.message import Incoming, failure, received
from streams.restore import ASK_SECONDS, Row, restore
from streams.store.store import OpenStore, Position, Store

DECODED_LIMIT = 10_000
CHUNK = 1_000

log = structlog.get_logger()


class Tables:
    """What stages read tables through. A change is seen at the next batch, never inside one.

    Until `TableReader.open`, and for a table that the stage does not name, there is nothing to read: KeyError.
    """

    def __init__(self) -> None:
        self._stores: dict[str, list[Store]] = {}
        self._decoded: dict[tuple[str, str], Any | None] = {}  # None: looked for, and not there

    def get(self, table: str, key: str) -> Any | None:
        """Return the model at `key` of `table` (logical topic), or None."""
        place = (table, key)
        try:
            return self._decoded[place]
        except KeyError:
            pass
        found = next((row for store in self._stores[table] if (row := store.get(key)) is not None), None)
        value = None if found is None else _unframed(found)
        if len(self._decoded) >= DECODED_LIMIT:
            self._decoded.clear()
        self._decoded[place] = value
        return value

    def scan(self, table: str, prefix: str = "") -> Iterator[tuple[str, Any]]:
        """Yield (key, model) with keys that start with `prefix`, in byte order."""
        rows = heapq.merge(*(store.scan(prefix) for store in self._stores[table]))
        return ((key, _unframed(value)) for key, value in rows)

    def serve(self, stores: Mapping[str, list[Store]]) -> None:
        """Read from `stores`, by table."""
        self._stores = dict(stores)
        self._decoded.clear()

    def forget(self, table: str, key: str) -> None:
        """Decode `key` anew when it is next asked for."""
        self._decoded.pop((table, key), None)


class TableReader:
    """Keeps the stores behind `tables` in step with their topics."""

    def __init__(
        self,
        cluster: ClusterSettings,
        names: Sequence[str],
        tables: Tables,
        open_store: OpenStore,
        folder: Path,
        on_reject: Callable[[str], None],
    ) -> None:
        self._cluster = cluster
        self._logical = {qualified(cluster.namespace, name): name for name in names}
        self._tables = tables
        self._open_store = open_store
        self._folder = folder
        self._on_reject = on_reject
        self._stores: dict[tuple[str, int], Store] = {}
        self._consumer: Consumer | None = None

    def open(self, is_stopping: Callable[[], bool]) -> None:
        """Read every table to its end. Raises as `restore`."""
        if not self._logical:
            return
        self._consumer = Consumer(table_consumer_config(self._cluster))
        starts = []
        for full, name in self._logical.items():
            partitions = self._consumer.list_topics(full, timeout=ASK_SECONDS).topics[full].partitions
            stores = {number: self._open_store(self._folder / name / str(number)) for number in partitions}
            self._stores.update({(full, number): store for number, store in stores.items()})
            read = restore(self._cluster, full, stores, is_stopping=is_stopping, row=self.row)
            log.info("table.restored", topic=name, records=read.records, elapsed_seconds=round(read.seconds, 3))
            starts += [TopicPartition(full, number, _position(store).next_offset) for number, store in stores.items()]
        self._tables.serve(
            {name: [s for (full, _), s in self._stores.items() if full == of] for of, name in self._logical.items()}
        )
        self._consumer.assign(starts)

    def refresh(self) -> None:
        """Take what is new, without waiting. Raises Fatal, Fenced, StoreFailed."""
        if self._consumer is None:
            return
        while messages := received(self._consumer, CHUNK, 0):
            rows: dict[tuple[str, int], list[tuple[bytes, bytes | None]]] = {}
            for message in messages:
                if (error := message.error()) is not None:
                    if error.code() != KafkaError._PARTITION_EOF:
                        raise failure(error, "reading a table")
                elif (row := self.row(message)) is not None:
                    rows.setdefault((message.topic(), message.partition()), []).append(row)
            for spot, read in rows.items():
                self._store(spot, read, messages)

    def close(self) -> None:
        for store in self._stores.values():
            store.close()
        if self._consumer is not None:
            self._consumer.close()

    def _store(
        self, spot: tuple[str, int], rows: list[tuple[bytes, bytes | None]], messages: Sequence[Incoming]
    ) -> None:
        last = max(m.offset() for m in messages if m.error() is None and (m.topic(), m.partition()) == spot)
        store = self._stores[spot]
        position = Position(_position(store).topic_id, last + 1, datetime.now(UTC).timestamp())
        store.load(rows, position)
        for key, _ in rows:
            self._tables.forget(self._logical[spot[0]], key.decode())

    def row(self, message: Incoming) -> Row | None:
        """Return what is kept of a record; None, and the value before stands, where it can't be read."""
        topic = TOPICS[self._logical[message.topic()]]
        headers = dict(message.headers() or ())
        kind = (headers.get("ce_type") or topic.types[0].encode()).decode(errors="replace")
        version = headers.get("ce_schemaversion") or b"1"
        key, value = message.key(), message.value()
        try:
            if kind not in topic.types:
                raise Poison(f"type {kind[:60]!r} has no place on {topic.name}")
            if key is None:
                raise Poison("a table record needs a key")
            key.decode()
            decode(kind, said_version(version.decode(errors="replace")), value)
        except (Poison, NewerSchema, UnicodeDecodeError) as error:
            self._on_reject(topic.name)
            log.error(
                "table.record_rejected",
                topic=topic.name,
                partition=message.partition(),
                offset=message.offset(),
                reason=error.reason if isinstance(error, Poison) else str(type(error).__name__),
            )
            return None
        return key, None if value is None else b"%s\n%s\n%s" % (kind.encode(), version, value)


def _unframed(found: bytes) -> Any:
    kind, version, value = found.split(b"\n", 2)
    return decode(kind.decode(), int(version), value)


def _position(store: Store) -> Position:
    position = store.position()
    if position is None:
        raise RuntimeError("a table's store has a position from its restore on")
    return position
