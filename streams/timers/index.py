"""The pending wake-ups of one partition, by due time, on disk: millions pending are not millions in memory."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import rmtree
from typing import Any

import orjson
from rocksdict import BlockBasedOptions, Cache, Options, Rdict, ReadOptions, WriteBatch, WriteOptions

from streams.store.store import Position, StoreFailed

# Layout. b"k" + key -> due; b"t" + due + key -> the rest of the entry. A due is microseconds since 1970, big-endian,
# so that keys under b"t" are in due order. The two are written together, and with the position that covers them.
_BY_KEY = b"k"
_BY_TIME = b"t"
_POSITION = b"\x00position"
_LOWEST = b"\x00lowest"
_DUE_BYTES = 8
_TIME_KEY_BYTES = len(_BY_TIME) + _DUE_BYTES
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Pending:
    """A wake-up that waits. due_us: microseconds since 1970. body: what was kept of its record, after the due."""

    key: bytes
    due_us: int
    body: bytes


def microseconds(instant: datetime) -> int:
    """Return microseconds since 1970, exact. Instants before 1970 count as 0."""
    return max(0, (instant - _EPOCH) // timedelta(microseconds=1))


def instant(due_us: int) -> datetime:
    """Return the aware UTC instant of `due_us`."""
    return _EPOCH + timedelta(microseconds=due_us)


def entry(due_us: int, body: bytes) -> bytes:
    """Return the bytes of an entry: its due, then its body."""
    return due_us.to_bytes(_DUE_BYTES) + body


class TimerIndex:
    """Entries by due time. One owner; every method raises StoreFailed where the disk fails.

    Scans start at the lowest due that may still be there: RocksDB's own tombstones make a scan from zero slow
    (140 ms after 300,000 fires, 0.45 ms so). The bound rises with each `remove` and falls with an earlier arming.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._unlogged = WriteOptions()
        self._unlogged.disable_wal = True  # type: ignore[method-assign, assignment]  # the stub is wrong
        self._db: Any = _opened(folder)  # its stubs know neither raw mode nor lists of keys
        self._lowest_us = self._read_lowest()

    def fold(self, changes: Mapping[str, bytes | None], position: Position) -> None:
        """Take entries by key (None: a tombstone) and the position that covers them, in one write."""
        self._write({key.encode(): value for key, value in changes.items()}, position, None)

    def load(self, rows: Iterable[tuple[bytes, bytes | None]], position: Position) -> None:
        """As `fold`, for a restore: without RocksDB's log. A crash before `flush` leaves an earlier state of it."""
        self._write(dict(rows), position, self._unlogged)

    def take(self, rows: Iterable[tuple[bytes, bytes | None]], position: Position) -> None:
        """As `fold`, rows in the order of the topic: of a key the last counts."""
        self._write(dict(rows), position, None)

    def due(self, now_us: int, limit: int) -> Sequence[Pending]:
        """Return at most `limit` entries with due_us <= now_us, oldest first, then by key."""
        found: list[Pending] = []
        # Held until the scan ends: the iterator only points at the bound, and with the bound gone it skips files.
        until = _until(now_us)
        with _disk_errors(self._folder):
            for key, body in self._db.items(from_key=_time_key(self._lowest_us, b""), read_opt=until):
                found.append(Pending(key[_TIME_KEY_BYTES:], _due_in(key), body))
                if len(found) == limit:
                    break
        return found

    def next_due_us(self) -> int | None:
        """Return the earliest due, None where nothing is pending."""
        with _disk_errors(self._folder):
            for key in self._db.keys(from_key=_time_key(self._lowest_us, b"")):
                return _due_in(key) if key.startswith(_BY_TIME) else None
        return None

    def remove(self, fired: Sequence[Pending]) -> None:
        """Drop entries that `due` gave and that have fired since, all in due order from the earliest on."""
        if not fired:
            return
        batch = WriteBatch(raw_mode=True)
        for entry in fired:
            batch.delete(_BY_KEY + entry.key)
            batch.delete(_time_key(entry.due_us, entry.key))
        self._lowest_us = fired[-1].due_us
        batch.put(_LOWEST, self._lowest_us.to_bytes(_DUE_BYTES))
        with _disk_errors(self._folder):
            self._db.write(batch)

    def scan(self) -> Iterator[Pending]:
        """Yield everything that is pending, in due order, as of the call."""
        with _disk_errors(self._folder):
            rows = self._db.items(from_key=_time_key(0, b""))
        return (Pending(key[_TIME_KEY_BYTES:], _due_in(key), body) for key, body in rows)

    def position(self) -> Position | None:
        """Return the position of the last `apply` or `load`, None for a new index."""
        with _disk_errors(self._folder):
            found = self._db.get(_POSITION)
        return None if found is None else Position(*orjson.loads(found))

    def entries(self) -> int:
        """Return how many entries there are, as an estimate."""
        with _disk_errors(self._folder):
            keys = int(self._db.property_int_value("rocksdb.estimate-num-keys") or 0)
        return keys // 2

    def flush(self) -> None:
        """Make what was loaded survive a crash of the process."""
        with _disk_errors(self._folder):
            self._db.flush()

    def wipe(self) -> None:
        """Remove everything, the position too."""
        self.close()
        with _disk_errors(self._folder):
            rmtree(self._folder)
        self._db = _opened(self._folder)
        self._lowest_us = 0

    def close(self) -> None:
        """Let go of the files. Nothing may be called afterwards."""
        with _disk_errors(self._folder):
            self._db.close()

    def _write(self, changes: Mapping[bytes, bytes | None], position: Position, options: WriteOptions | None) -> None:
        batch = WriteBatch(raw_mode=True)
        put, delete = batch.put, batch.delete
        lowest = self._lowest_us
        keys = [_BY_KEY + key for key in changes]
        with _disk_errors(self._folder):
            earlier: list[bytes | None] = self._db[keys] if keys else []
        for by_key, before, (key, value) in zip(keys, earlier, changes.items(), strict=True):
            if before is not None:
                delete(_BY_TIME + before + key)
            if value is not None:
                due = value[:_DUE_BYTES]
                put(by_key, due)
                put(_BY_TIME + due + key, value[_DUE_BYTES:])
                lowest = min(lowest, int.from_bytes(due))
            elif before is not None:
                delete(by_key)
        if lowest < self._lowest_us:
            put(_LOWEST, lowest.to_bytes(_DUE_BYTES))
        put(_POSITION, orjson.dumps((position.topic_id, position.next_offset, position.written_at)))
        with _disk_errors(self._folder):
            self._db.write(batch, options)
        self._lowest_us = lowest

    def _read_lowest(self) -> int:
        with _disk_errors(self._folder):
            found = self._db.get(_LOWEST)
        return 0 if found is None else int.from_bytes(found)


def open_index(folder: Path) -> TimerIndex:
    """Open the index in `folder`. A broken one is replaced: it is a copy of its topic. Raises StoreFailed."""
    try:
        return TimerIndex(folder)
    except StoreFailed as error:
        if "Corruption" not in str(error):
            raise
        rmtree(folder)
        return TimerIndex(folder)


def _time_key(due_us: int, key: bytes) -> bytes:
    return _BY_TIME + due_us.to_bytes(_DUE_BYTES) + key


def _due_in(time_key: bytes) -> int:
    return int.from_bytes(time_key[len(_BY_TIME) : _TIME_KEY_BYTES])


def _until(now_us: int) -> ReadOptions:
    options = ReadOptions()
    options.set_iterate_upper_bound(_time_key(now_us + 1, b""))
    return options


def _opened(folder: Path) -> Rdict:
    options = Options(raw_mode=True)
    options.create_if_missing(True)
    options.set_write_buffer_size(8 * _MIB)
    options.set_max_write_buffer_number(2)
    options.set_keep_log_file_num(2)
    options.set_max_total_wal_size(16 * _MIB)
    table = BlockBasedOptions()
    table.set_block_cache(Cache(8 * _MIB))
    table.set_cache_index_and_filter_blocks(True)  # else they grow with what is pending, outside any bound
    table.set_bloom_filter(10, False)
    options.set_block_based_table_factory(table)
    with _disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        return Rdict(str(folder), options)


@contextmanager
def _disk_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # rocksdict raises bare Exception
        raise StoreFailed(f"The timer index in {folder} failed: {error}. Make room or replace the disk.") from error
