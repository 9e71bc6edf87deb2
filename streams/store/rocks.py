"""A store on disk: RocksDB."""

import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

import orjson
from rocksdict import BlockBasedOptions, Cache, Options, Rdict, ReadOptions, WriteBatch, WriteOptions

from streams.store.store import Position, StoreFailed

_POSITION = b"\x00position"
_FIRST_ENTRY = b"\x01"
# For all stores of a process. 8 MiB took 5 MB more and answered no sooner: what is read at random is in none, and what
# was just written is in the store's own buffers.
_CACHE_MIB = 4
_MIB = 1 << 20
_BROKEN = "broken"
# A block whose checksum is wrong; a file that the store knows of and the folder has not.
_SIGNS_OF_DAMAGE = ("Corruption", "No such file or directory")


class RocksStore:
    """Entries in RocksDB. Writes go to its log unsynced: a killed process loses nothing, and a machine that loses
    its last seconds finds an older position in the store and reads the changelog from there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._unlogged = WriteOptions()
        self._unlogged.disable_wal = True  # type: ignore[method-assign, assignment]  # the stub is wrong
        self._db = _opened(folder)

    def get(self, key: str) -> bytes | None:
        try:  # no context manager here: one costs as much as the look-up
            found: bytes | None = self._db.get(key.encode())
        except Exception as error:
            raise _failed(self._folder, error) from error
        return found

    def scan(self, prefix: str) -> Iterator[tuple[str, bytes]]:
        first = prefix.encode() or _FIRST_ENTRY
        options = ReadOptions()
        if prefix:
            options.set_iterate_upper_bound(_after(first))
        with _disk_errors(self._folder):
            rows = self._db.items(from_key=first, read_opt=options)
        return _decoded(rows, options)

    def fold(self, changes: Mapping[str, bytes | None], position: Position) -> None:
        self._write(((key.encode(), value) for key, value in changes.items()), position, None)

    def load(self, rows: Iterable[tuple[bytes, bytes | None]], position: Position) -> None:
        # No log: a crash before `flush` leaves an older prefix of the rows with the position of that prefix.
        self._write(rows, position, self._unlogged)

    def flush(self) -> None:
        with _disk_errors(self._folder):
            self._db.flush()

    def position(self) -> Position | None:
        with _disk_errors(self._folder):
            found = self._db.get(_POSITION)
        return None if found is None else Position(*orjson.loads(found))

    def entries(self) -> int:
        with _disk_errors(self._folder):
            return int(self._db.property_int_value("rocksdb.estimate-num-keys") or 0)

    def wipe(self) -> None:
        self.close()
        with _disk_errors(self._folder):
            shutil.rmtree(self._folder)
        self._db = _opened(self._folder)

    def close(self) -> None:
        with _disk_errors(self._folder):
            self._db.close()

    def _write(
        self, rows: Iterable[tuple[bytes, bytes | None]], position: Position, options: WriteOptions | None
    ) -> None:
        batch = WriteBatch(raw_mode=True)
        put, delete = batch.put, batch.delete
        for key, value in rows:
            if value is None:
                delete(key)
            else:
                put(key, value)
        put(_POSITION, orjson.dumps((position.topic_id, position.next_offset, position.written_at)))
        with _disk_errors(self._folder):
            self._db.write(batch, options)


def open_rocks(folder: Path) -> RocksStore:
    """Open the store in `folder`. A broken one is replaced: it is a copy of its changelog. Raises StoreFailed."""
    if (folder / _BROKEN).exists():
        shutil.rmtree(folder)
    try:
        return RocksStore(folder)
    except StoreFailed:
        if not (folder / _BROKEN).exists():
            raise
        shutil.rmtree(folder)
        return RocksStore(folder)


@cache
def _blocks() -> Cache:
    """Return the one cache of blocks that all stores of this process share, whichever of them is asked most."""
    return Cache(_CACHE_MIB * _MIB)


def store_options() -> Options:
    """Return the settings of a store; whoever writes files for one to take in needs the same."""
    options = Options(raw_mode=True)
    options.create_if_missing(True)
    options.set_write_buffer_size(_MIB)  # two of them a store; 4 MiB each cost 17 MB a slot and wrote no faster
    options.set_max_write_buffer_number(2)
    options.set_keep_log_file_num(2)
    options.set_max_total_wal_size(8 * _MIB)  # a short log makes a quick start
    options.set_max_file_opening_threads(1)  # 16 by default, started for each store though it has a few files
    table = BlockBasedOptions()
    table.set_block_cache(_blocks())
    table.set_bloom_filter(10, False)
    options.set_block_based_table_factory(table)
    return options


def _opened(folder: Path) -> Rdict:
    with _disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        return Rdict(str(folder), store_options())


def _decoded(rows: Any, options: ReadOptions) -> Iterator[tuple[str, bytes]]:
    """Yield the rows, holding `options` until the end: the iterator only points at its bound, and with that gone it
    skips whole files without a word (seen: half of 100,000 entries)."""
    for key, value in rows:
        yield key.decode(), value


def _after(prefix: bytes) -> bytes:
    """Return the first key after all that start with `prefix`, a UTF-8 text (so no byte is 0xFF)."""
    return prefix[:-1] + bytes((prefix[-1] + 1,))


@contextmanager
def _disk_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        raise _failed(folder, error) from error


def _failed(folder: Path, error: Exception) -> StoreFailed:
    """Return what to raise after an error of rocksdict, which raises bare Exception; note where it means damage."""
    if any(sign in str(error) for sign in _SIGNS_OF_DAMAGE) and folder.is_dir():
        with suppress(OSError):
            (folder / _BROKEN).touch()  # found at the next start, which rebuilds
    return StoreFailed(f"The store in {folder} failed: {error}. Make room or replace the disk.")
