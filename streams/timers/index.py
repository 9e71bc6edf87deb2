"""The pending wake-ups of one partition, by due time, on disk: millions pending are not millions in memory."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from shutil import rmtree
from typing import Any, NamedTuple

import orjson
from rocksdict import (
    BlockBasedIndexType,
    BlockBasedOptions,
    Cache,
    DataBlockIndexType,
    DBCompressionType,
    Options,
    Rdict,
    ReadOptions,
    WriteBatch,
    WriteBufferManager,
    WriteOptions,
)

from streams.store.store import Position, StoreFailed

# Layout. b"k" + key -> due; b"t" + due + key -> the rest of the entry. A due is microseconds since 1970, big-endian,
# so that keys under b"t" are in due order. An arming writes both without a look at what it replaces: an entry under
# b"t" counts only while b"k" names its due, and what no longer does is dropped when its time comes (decision 0090).
_BY_KEY = b"k"
_BY_TIME = b"t"
_POSITION = b"\x00position"
_LOWEST = b"\x00lowest"
_LAYOUT = b"\x00layout"
_LAYOUT_NOW = b"2"  # another: the index is made anew from its topic
_DUE_BYTES = 8
_TIME_KEY_BYTES = len(_BY_TIME) + _DUE_BYTES
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MIB = 1 << 20
_LOOK = 128  # entries of one partition that are looked up together
_MANY = 64  # that many fired at once leave as one range; fewer one by one: each reader goes over the ranges in memory


@dataclass(frozen=True, slots=True)
class IndexMemory:
    """What all indexes of a slot may hold in memory together, however many partitions and wake-ups there are."""

    cache: Cache = field(default_factory=lambda: Cache(16 * _MIB))
    buffers: WriteBufferManager = field(default_factory=lambda: WriteBufferManager(24 * _MIB, allow_stall=False))


class Pending(NamedTuple):
    """A wake-up that waits. due_us: microseconds since 1970. body: what was kept of its record, after the due."""

    key: bytes
    due_us: int
    body: bytes


def microseconds(instant: datetime) -> int:
    """Return microseconds since 1970, exact. Instants before 1970 count as 0."""
    since = instant - _EPOCH
    return max(0, (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds)


def instant(due_us: int) -> datetime:
    """Return the aware UTC instant of `due_us`."""
    return _EPOCH + timedelta(microseconds=due_us)


def entry(due_us: int, body: bytes) -> bytes:
    """Return the bytes of an entry: its due, then its body."""
    return due_us.to_bytes(_DUE_BYTES) + body


def due_of(value: bytes) -> int:
    """Return the due of an entry's bytes."""
    return int.from_bytes(value[:_DUE_BYTES])


class TimerIndex:
    """Entries by due time. One owner; every method raises StoreFailed where the disk fails.

    Scans start at the lowest entry that may still be there: RocksDB's own tombstones make a scan from zero slow
    (140 ms after 300,000 fires, 0.45 ms so). The bound rises with each `remove` and falls with an earlier arming.
    """

    def __init__(self, folder: Path, memory: IndexMemory | None = None) -> None:
        self._folder = folder
        self._memory = memory or IndexMemory()
        self._unlogged = WriteOptions()
        self._unlogged.disable_wal = True  # type: ignore[method-assign, assignment]  # the stub is wrong
        self._db: Any = _opened(folder, self._memory)  # its stubs know neither raw mode nor lists of keys
        self._lowest, self._position = self._remembered()

    def fold(self, changes: Mapping[str, bytes | None], position: Position) -> None:
        """Take entries by key (None: a tombstone) and the position that covers them, in one write."""
        self._write({key.encode(): value for key, value in changes.items()}, position, None)

    def load(self, rows: Iterable[tuple[bytes, bytes | None]], position: Position) -> None:
        """As `fold`, for a restore: without RocksDB's log. A crash before `flush` leaves an earlier state of it."""
        self._write(dict(rows), position, self._unlogged)

    def take(self, rows: Iterable[tuple[bytes, bytes | None]], position: Position) -> None:
        """As `fold`, rows in the order of the topic: of a key the last counts."""
        self._write(dict(rows), position, None)

    def falling_due(self, now_us: int, after: Pending | None = None) -> Iterator[Pending]:
        """Yield entries with due_us <= now_us, oldest first, then by key; lazily, as of the first step.

        after: only those behind it: it fires just now, and all before it have fired or do so too.
        """
        # Held until the scan ends: the iterator only points at the bound, and with the bound gone it skips files.
        until = _until(_time_key(now_us + 1, b""))
        is_first = after is None  # so far nothing lies before: what is out of date here may raise the bound
        start = self._lowest if after is None else _time_key(after.due_us, after.key) + b"\0"
        for rows, pending in self._looked_up(start, until):
            out_of_date = [row for row, one in zip(rows, pending, strict=True) if one is None]
            is_first = is_first and len(out_of_date) == len(rows)
            if out_of_date:
                self._drop(out_of_date, rows[-1] if is_first else self._lowest)
            yield from (one for one in pending if one is not None)

    def due(self, now_us: int, limit: int) -> Sequence[Pending]:
        """Return at most `limit` entries with due_us <= now_us, oldest first, then by key."""
        return list(islice(self.falling_due(now_us), limit))

    def next_due_us(self) -> int | None:
        """Return the earliest due, None where nothing is pending; too early where it was replaced or cancelled."""
        with _disk_errors(self._folder):
            for key in self._db.keys(from_key=self._lowest):
                return _due_in(key) if key.startswith(_BY_TIME) else None
        return None

    def remove(self, fired: Sequence[Pending]) -> None:
        """Drop entries that were yielded as due and that have fired since, all in due order from the earliest on.

        Their keys keep their dues until the tombstones of the fires are taken, as every other record is.
        """
        if not fired:
            return
        batch = WriteBatch(raw_mode=True)
        last = _time_key(fired[-1].due_us, fired[-1].key)
        if len(fired) < _MANY:
            for entry in fired:
                batch.delete(_time_key(entry.due_us, entry.key))
        else:
            batch.delete_range(self._lowest, last + b"\0")  # up to the last and with it
        self._lowest = last
        batch.put(_LOWEST, last)
        with _disk_errors(self._folder):
            self._db.write(batch)

    def scan(self) -> Iterator[Pending]:
        """Yield everything that is pending, in due order, as of the first step."""
        for _, pending in self._looked_up(_BY_TIME, _until(bytes((_BY_TIME[0] + 1,)))):
            yield from (one for one in pending if one is not None)

    def position(self) -> Position | None:
        """Return the position of the last write with one, None for a new index."""
        return self._position

    def entries(self) -> int:
        """Return how many entries there are, as an estimate; those replaced or cancelled count until their due."""
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
        self._db = _opened(self._folder, self._memory)
        self._lowest, self._position = self._remembered()

    def close(self) -> None:
        """Let go of the files. Nothing may be called afterwards."""
        with _disk_errors(self._folder):
            self._db.close()

    def is_of_this_build(self) -> bool:
        """Tell whether the entries are laid out as this build writes them."""
        with _disk_errors(self._folder):
            return self._position is None or self._db.get(_LAYOUT) == _LAYOUT_NOW

    def _looked_up(self, start: bytes, until: ReadOptions) -> Iterator[tuple[list[bytes], list[Pending | None]]]:
        """Yield keys under b"t" with their entries, None for one that no longer counts, some at a time."""
        with _disk_errors(self._folder):
            found = iter(self._db.items(from_key=start, read_opt=until))
        while True:
            with _disk_errors(self._folder):
                rows = list(islice(found, _LOOK))
                names = [row[_TIME_KEY_BYTES:] for row, _ in rows]
                armed = self._db[[_BY_KEY + name for name in names]] if rows else ()
            if not rows:
                return
            yield (
                [row for row, _ in rows],
                [
                    Pending(name, _due_in(row), body) if due == row[len(_BY_TIME) : _TIME_KEY_BYTES] else None
                    for (row, body), name, due in zip(rows, names, armed, strict=True)
                ],
            )

    def _drop(self, out_of_date: Sequence[bytes], lowest: bytes) -> None:
        batch = WriteBatch(raw_mode=True)
        for row in out_of_date:
            batch.delete(row)
        self._lowest = lowest
        batch.put(_LOWEST, lowest)
        with _disk_errors(self._folder):
            self._db.write(batch)

    def _write(self, changes: Mapping[bytes, bytes | None], position: Position, options: WriteOptions | None) -> None:
        batch = WriteBatch(raw_mode=True)
        put, delete = batch.put, batch.delete
        lowest = self._lowest
        for key, value in changes.items():
            if value is None:
                delete(_BY_KEY + key)
                continue
            due = value[:_DUE_BYTES]
            by_time = _BY_TIME + due + key
            put(_BY_KEY + key, due)
            put(by_time, value[_DUE_BYTES:])
            if by_time < lowest:
                lowest = by_time
        if lowest < self._lowest:
            put(_LOWEST, lowest)
        if self._position is None:
            put(_LAYOUT, _LAYOUT_NOW)
        put(_POSITION, orjson.dumps((position.topic_id, position.next_offset, position.written_at)))
        with _disk_errors(self._folder):
            self._db.write(batch, options)
        self._lowest, self._position = lowest, position

    def _remembered(self) -> tuple[bytes, Position | None]:
        with _disk_errors(self._folder):
            lowest, position = self._db.get(_LOWEST), self._db.get(_POSITION)
        return lowest or _BY_TIME, None if position is None else Position(*orjson.loads(position))


def open_index(folder: Path, memory: IndexMemory | None = None) -> TimerIndex:
    """Open the index in `folder`. A broken one, or one of another layout, is replaced: it is a copy of its topic.

    memory: what it shares with the other indexes of the slot. Raises StoreFailed.
    """
    try:
        index = TimerIndex(folder, memory)
    except StoreFailed as error:
        if "Corruption" not in str(error):
            raise
        rmtree(folder)
        return TimerIndex(folder, memory)
    if not index.is_of_this_build():
        index.wipe()
    return index


def _time_key(due_us: int, key: bytes) -> bytes:
    return _BY_TIME + due_us.to_bytes(_DUE_BYTES) + key


def _due_in(time_key: bytes) -> int:
    return int.from_bytes(time_key[len(_BY_TIME) : _TIME_KEY_BYTES])


def _until(bound: bytes) -> ReadOptions:
    options = ReadOptions()
    options.set_iterate_upper_bound(bound)
    return options


def _opened(folder: Path, memory: IndexMemory) -> Rdict:
    options = Options(raw_mode=True)
    options.create_if_missing(True)
    options.set_write_buffer_size(4 * _MIB)
    options.set_max_write_buffer_number(4)
    options.set_level_zero_file_num_compaction_trigger(8)  # less rewriting in a restore
    options.set_compression_type(DBCompressionType.none())  # 100 bytes an entry; its block is unpacked for one look-up
    options.set_write_buffer_manager(memory.buffers)
    options.set_keep_log_file_num(2)
    options.set_max_total_wal_size(16 * _MIB)
    table = BlockBasedOptions()
    table.set_block_cache(memory.cache)
    table.set_cache_index_and_filter_blocks(True)  # else they grow with what is pending, outside any bound
    table.set_bloom_filter(10, False)
    # In parts: the filter of a large file is larger than its share of the cache, 30 us a look-up so, 37 before.
    table.set_index_type(BlockBasedIndexType.two_level_index_search())
    table.set_partition_filters(True)
    table.set_pin_top_level_index_and_filter(True)
    table.set_data_block_index_type(DataBlockIndexType.binary_and_hash())
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
