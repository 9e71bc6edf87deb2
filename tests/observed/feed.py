"""Leads all the time, at a steady rate, some of them broken where asked for."""

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.observed.scene import Scene

PER_SECOND = 4.0


class Feed:
    """Sends on a thread of its own. poison_share: of the submissions, from now on."""

    def __init__(self, scene: Scene) -> None:
        self.poison_share = 0.0
        self.sent = 0
        self._scene = scene
        self._ended = threading.Event()
        self._paused = threading.Event()
        self._random = random.Random(8)

    def pause(self) -> None:
        self._paused.set()

    def go_on(self) -> None:
        self._paused.clear()

    def end(self) -> None:
        self._ended.set()

    def run(self) -> None:
        """Send until `end`. Each lead is of a company of its own, so that the provider is asked for each."""
        due = time.monotonic()
        while not self._ended.wait(max(0.0, due - time.monotonic())):
            due += 1 / PER_SECOND  # also where one took longer: so many a second are sent
            if self._paused.is_set():
                continue
            self.sent += 1
            if self._random.random() < self.poison_share:
                self._scene.write("leads.raw", f"broken-{self.sent}", b'{"email": "cut.off@')
            else:
                self._scene.lead(self.sent, email=f"p{self.sent}@feed-{self.sent}-labs.com", employees=None)
        self._scene.producer.flush(120)


@contextmanager
def feeding(scene: Scene) -> Iterator[Feed]:
    """Yield a feed that sends until the block ends."""
    feed = Feed(scene)
    thread = threading.Thread(target=feed.run, name="feed", daemon=True)
    thread.start()
    try:
        yield feed
    finally:
        feed.end()
        thread.join()
