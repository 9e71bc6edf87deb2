"""A courier on a thread of its own, so that what is out goes on while the stage commits, waits or is idle."""

import asyncio
import contextlib
import threading
from collections.abc import Coroutine, Iterable, Sequence
from concurrent.futures import Future
from typing import Any, TypeVar

from notifiers.courier import Courier, Parcel
from notifiers.outcome import Attempt

T = TypeVar("T")
_CLOSING_SECONDS = 3.0


class Office:
    """Hands parcels to a courier and brings back what is known of them. The thread starts with the first parcel.

    A runner's event loop runs only inside `prepare`; on it, a request begun in one batch would stand still until the
    next one, in the middle of its handshake.
    """

    def __init__(self, courier: Courier) -> None:
        self._courier = courier
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    async def deliver(self, parcels: Sequence[Parcel], committed: Iterable[str], seconds: float) -> dict[str, Attempt]:
        """As `Courier.deliver`; waits on the caller's loop."""
        return await asyncio.wrap_future(self._started(self._courier.deliver(parcels, tuple(committed), seconds)))

    def is_under_way(self, key: str) -> bool:
        """As `Courier.is_under_way`."""
        return self._courier.is_under_way(key)

    async def close(self) -> None:
        """Let go of what is under way and end the thread; takes a few seconds at most."""
        if self._loop is None or self._thread is None:
            return
        closing = asyncio.wrap_future(self._started(self._courier.close()))
        with contextlib.suppress(TimeoutError):  # the thread is a daemon: the process can end without it
            await asyncio.wait_for(closing, _CLOSING_SECONDS)
        self._loop.call_soon_threadsafe(self._loop.stop)
        await asyncio.to_thread(self._thread.join, _CLOSING_SECONDS)
        if not self._thread.is_alive():
            self._loop.close()
        self._loop = self._thread = None

    def _started(self, work: Coroutine[Any, Any, T]) -> "Future[T]":
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            self._thread = threading.Thread(target=self._loop.run_forever, name="courier", daemon=True)
            self._thread.start()
        return asyncio.run_coroutine_threadsafe(work, self._loop)
