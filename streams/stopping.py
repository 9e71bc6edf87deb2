"""How a process is asked to end, and what if it can't hear."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

GRACE_SECONDS = 4.5


class Stop:
    """Set once the process should end. A call into Kafka can block for as long as the broker is away; then the
    process is ended for it, `GRACE_SECONDS` after the request. Nothing is lost: it is a crash like any other."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self.is_mid_transaction = False

    def request(self) -> None:
        self._event.set()

    def is_requested(self) -> bool:
        return self._event.is_set()

    def wait(self, seconds: float) -> bool:
        """Wait for the request, `seconds` at most; return whether it came."""
        return self._event.wait(seconds)


@contextmanager
def on_signals(stop: Stop) -> Iterator[None]:
    """Let SIGTERM and SIGINT request the stop while the block runs. For the main thread."""
    done = threading.Event()
    reader, writer = os.pipe()
    os.set_blocking(writer, False)

    def watch() -> None:
        # Told by the C-level handler: Python's own waits for the main thread to come back from C.
        if os.read(reader, 1) and not done.is_set():
            stop.request()
            if not done.wait(GRACE_SECONDS):
                os._exit(1 if stop.is_mid_transaction else 0)

    before = {number: signal.signal(number, lambda *_: stop.request()) for number in (signal.SIGTERM, signal.SIGINT)}
    fd_before = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        signal.set_wakeup_fd(fd_before)
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(writer)  # ends a watcher that still reads
        watcher.join()
        os.close(reader)
