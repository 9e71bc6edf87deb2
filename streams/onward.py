"""Whether the stages after this one have handled what it passed on: an import is read on only then (EDG-7)."""

import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Protocol

import structlog
from confluent_kafka import KafkaException

from streams.kafka.config import ClusterSettings
from streams.timers.lag import GroupLag, LagUnknown

# Who handles what ENRICH passes on, until a rep is told: group and the topic it reads.
PATH = (
    ("pending", "leads.pending"),
    ("score", "leads.enriched"),
    ("assign", "leads.scored"),
    ("notify", "leads.assigned"),
)
CLEAR_SECONDS = 0.5  # what waits no longer than this does not stand in anybody's way
AGAIN_SECONDS = 0.2
IDLE_SECONDS = 60.0
PATIENCE_SECONDS = 30.0  # so long without an answer, and the import goes on: the broker says nothing, or may not

log = structlog.get_logger()


class Behind(Protocol):
    """How far one of those stages is behind: `streams.timers.lag.GroupLag`."""

    def has_begun(self) -> bool: ...

    def seconds(self, now: datetime) -> float: ...

    def close(self) -> None: ...


def stages_after(cluster: ClusterSettings) -> Sequence[Behind]:
    """Return the stages after ENRICH; each holds two connections until it is closed."""
    return [GroupLag(cluster, group, topic) for group, topic in PATH]


class Onward:
    """Looks at the stages after this one when asked to, on a thread of its own. A stage that never ran counts not.

    stages: makes what is looked at; closed when nobody has asked for IDLE_SECONDS. patience_seconds: so long without an
    answer, and it is taken for clear.
    """

    def __init__(self, stages: Callable[[], Sequence[Behind]], patience_seconds: float = PATIENCE_SECONDS) -> None:
        self._stages = stages
        self._asked = threading.Event()
        self._clear = threading.Event()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._most_patience = self._patience = patience_seconds

    def ask(self) -> None:
        """Look from now on, until what is there now is handled."""
        self._clear.clear()
        self._asked.set()
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="onward", daemon=True)
            self._thread.start()

    def is_clear(self) -> bool:
        """Tell whether all of it is handled, as seen by a look that began after `ask`; also where nobody looks."""
        return self._clear.is_set() or self._thread is None or not self._thread.is_alive()

    def close(self) -> None:
        """Stop looking. Does not wait for a broker that does not answer."""
        self._stop.set()
        self._asked.set()
        if self._thread is not None:
            self._thread.join(AGAIN_SECONDS)

    def _run(self) -> None:
        while not self._stop.is_set():
            self._asked.wait()
            if self._stop.is_set():
                return
            stages = self._stages()
            try:
                while self._asked.wait(IDLE_SECONDS) and not self._stop.is_set():
                    self._asked.clear()
                    self._look(stages)
            finally:
                for stage in stages:
                    stage.close()

    def _look(self, stages: Sequence[Behind]) -> None:
        answered, is_said = time.monotonic(), False
        while not self._stop.is_set():
            try:
                begun = [stage for stage in stages if stage.has_begun()]
                if begun:
                    self._stop.wait(AGAIN_SECONDS if is_said else CLEAR_SECONDS)  # so that what stays behind shows
                oldest = max((stage.seconds(datetime.now(UTC)) for stage in begun), default=0.0)
                answered, self._patience = time.monotonic(), self._most_patience
                if oldest < CLEAR_SECONDS:
                    break
                if not is_said:
                    is_said = True
                    log.info("import.waits", oldest_seconds=round(oldest, 1))
            except (KafkaException, LagUnknown) as error:
                if time.monotonic() - answered > self._patience:
                    log.warning("import.unchecked", reason=str(error))
                    self._patience = 0.0  # the next batches need not wait so long for an answer
                    break
                self._stop.wait(AGAIN_SECONDS)
        self._clear.set()
