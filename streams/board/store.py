"""What the board knows, in one SQLite file: rows by id, and in the same transaction how far it has read.

The file is a pure function of the topics. Deleted, or of another schema version, it is made anew and read from the
start (docs/decisions/0130). Contact data stands in one column, emptied when its lead is closed.
"""

import sqlite3
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

SCHEMA_VERSION = 2
_WAIT_SECONDS = 10.0
_TABLES = """
CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE positions (topic TEXT, partition INTEGER, next_offset INTEGER NOT NULL, PRIMARY KEY (topic, partition));
CREATE TABLE leads (
  lead_id TEXT NOT NULL UNIQUE, state TEXT NOT NULL, owner TEXT, owner_kind TEXT NOT NULL, tier TEXT NOT NULL,
  changed_at REAL NOT NULL, submitted_at REAL NOT NULL, placed_at REAL, waits_until REAL, contacted_at REAL,
  closed_at REAL, breached_at REAL, moves INTEGER NOT NULL, is_test INTEGER NOT NULL, words TEXT NOT NULL, who TEXT,
  row TEXT NOT NULL, contact TEXT
);
CREATE TABLE told (lead_id TEXT PRIMARY KEY, told_at REAL, told_epoch INTEGER, failed_epoch INTEGER) WITHOUT ROWID;
CREATE INDEX leads_waiting ON leads (waits_until) WHERE waits_until IS NOT NULL;
CREATE INDEX leads_submitted ON leads (submitted_at);
CREATE INDEX leads_contacted ON leads (contacted_at) WHERE contacted_at IS NOT NULL;
CREATE INDEX leads_backlog ON leads (state, submitted_at) WHERE closed_at IS NULL AND state <> 'assigned';
CREATE INDEX leads_breached ON leads (breached_at) WHERE breached_at IS NOT NULL;
CREATE INDEX leads_owner ON leads (owner, waits_until) WHERE closed_at IS NULL AND owner IS NOT NULL;
CREATE INDEX leads_unowned ON leads (submitted_at) WHERE closed_at IS NULL AND owner IS NULL;
CREATE INDEX leads_moved ON leads (changed_at) WHERE moves > 0;
CREATE INDEX leads_still ON leads (changed_at) WHERE closed_at IS NULL;
CREATE INDEX leads_closed ON leads (closed_at) WHERE closed_at IS NOT NULL;
CREATE TABLE counts (kind TEXT, id TEXT, count INTEGER NOT NULL, PRIMARY KEY (kind, id)) WITHOUT ROWID;
CREATE TABLE minutes (minute INTEGER, what TEXT, count INTEGER NOT NULL, PRIMARY KEY (minute, what)) WITHOUT ROWID;
CREATE TABLE notices (
  key TEXT PRIMARY KEY, recipient TEXT, lead_id TEXT, template TEXT, at REAL
) WITHOUT ROWID;
CREATE INDEX notices_of ON notices (recipient, at);
CREATE INDEX notices_at ON notices (at);
CREATE TABLE entities (kind TEXT, id TEXT, value TEXT NOT NULL, PRIMARY KEY (kind, id)) WITHOUT ROWID;
"""
# A commit may be lost with the machine (not with the process): rows and positions go back together, and are read again.
_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=NORMAL",
    "PRAGMA secure_delete=ON",  # contact data that was dropped is overwritten
    "PRAGMA cache_size=-16384",
    "PRAGMA temp_store=MEMORY",
)


@dataclass(frozen=True, slots=True)
class Position:
    """How far a partition was read: the offset of the next record."""

    topic: str
    partition: int
    next_offset: int


class Store:
    """One open file. One thread writes; any number read, each through its own `reading` connection."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._writer = opened(path)
        self.id = self._writer.execute("SELECT value FROM about WHERE name='id'").fetchone()[0]

    def close(self) -> None:
        self._writer.close()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Yield the writer in a transaction: whole or not at all."""
        self._writer.execute("BEGIN IMMEDIATE")
        try:
            yield self._writer
        except BaseException:
            self._writer.execute("ROLLBACK")
            raise
        self._writer.execute("COMMIT")

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection that sees one state of the file, and cannot write."""
        with closing(sqlite3.connect(f"file:{self.path}?mode=ro", uri=True, timeout=_WAIT_SECONDS)) as connection:
            connection.row_factory = sqlite3.Row
            connection.execute("BEGIN")
            yield connection

    def forget(self) -> None:
        """Have the next start make the file anew."""
        self._writer.execute("PRAGMA user_version=0")

    def positions(self) -> Mapping[tuple[str, int], int]:
        """Return (topic, partition) -> next offset, as last committed."""
        rows = self._writer.execute("SELECT topic, partition, next_offset FROM positions")
        return {(topic, partition): offset for topic, partition, offset in rows}


def opened(path: Path) -> sqlite3.Connection:
    """Return a connection that writes; the file is made where there is none of this schema version."""
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = _connected(path)
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version != SCHEMA_VERSION:
        connection.close()
        discard(path)
        connection = _connected(path)
        connection.executescript(f"BEGIN; {_TABLES} PRAGMA user_version={SCHEMA_VERSION}; COMMIT;")
        connection.execute("INSERT INTO about VALUES ('id', ?)", (uuid.uuid4().hex[:12],))
    return connection


def discard(path: Path) -> None:
    """Remove the file and what SQLite keeps beside it."""
    for name in (path, *(path.with_name(path.name + end) for end in ("-wal", "-shm", "-journal"))):
        name.unlink(missing_ok=True)


def advance(connection: sqlite3.Connection, positions: Sequence[Position]) -> None:
    """Note how far was read."""
    connection.executemany(
        "INSERT INTO positions VALUES (?, ?, ?) "
        "ON CONFLICT (topic, partition) DO UPDATE SET next_offset = excluded.next_offset",
        [(one.topic, one.partition, one.next_offset) for one in positions],
    )


def _connected(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, timeout=_WAIT_SECONDS, check_same_thread=False)
    for pragma in _PRAGMAS:
        connection.execute(pragma)
    return connection
