"""What every page needs: store, follower, settings, the clock, the keys. Made once, handed on."""

import asyncio
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from streams.board.follower import Follower
from streams.board.log import DecisionLog
from streams.board.settings import BoardSettings
from streams.board.store import Store
from streams.board.web.live import Live
from streams.intake.publisher import Publisher
from streams.kafka.config import ClusterSettings

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Board:
    """The parts of a running board. digests: name of a key -> SHA-256. clock: returns now, UTC. secret: what
    sessions are signed with."""

    settings: BoardSettings
    cluster: ClusterSettings
    store: Store
    follower: Follower
    live: Live
    publisher: Publisher
    decisions: DecisionLog
    digests: Mapping[str, str]
    clock: Callable[[], datetime]
    secret: bytes = field(repr=False)

    async def look(self, view: Callable[[sqlite3.Connection], T]) -> T:
        """Return what a view says of the store as it is now, made on a thread of its own."""

        def on_thread() -> T:
            with self.store.reading() as connection:
                return view(connection)

        return await asyncio.to_thread(on_thread)
