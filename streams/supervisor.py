"""`leadstream up`: every stage on one machine, each slot a child process, started again when it dies."""

import os
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import orjson
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from streams.board.settings import BoardSettings
from streams.connecting import quiet
from streams.errors import Fatal
from streams.kafka.config import admin_config
from streams.settings import Settings
from streams.stopping import Stop, on_signals
from streams.topology import FEED, NAMES, UnknownStage

FIRST_BACKOFF_SECONDS = 0.1  # a crash is part of the design: the first restart does not wait
LONGEST_BACKOFF_SECONDS = 15.0
STEADY_SECONDS = 30.0  # having run for so long, a child starts over at the first back-off
CRASH_LIMIT = 10
CRASH_WINDOW_SECONDS = 120.0
POLL_SECONDS = 0.1
BROKER_ASK_SECONDS = 2.0
DRAIN_SECONDS = 8.0  # a slot leaves within 5 s of SIGTERM; who has not after this is killed
KILL_SECONDS = 2.0

# Sources first, so that what they wrote is still handled; TIMERS before NOTIFY, whose retries it serves.
_STAGES_IN_ORDER = ("enrich", "pending", "track", "score", "timers", "assign", "notify", "meter")
BOARD = "board"
BESIDE = (FEED, BOARD)  # no stages: nothing waits for them, and the others go on without them
STOP_ORDER: tuple[str, ...] = (*_STAGES_IN_ORDER, *BESIDE)


class GivenUp(Fatal):
    """A slot crashed again and again though Kafka answers. Its last lines above say why; mend that and start again."""


@dataclass(frozen=True, slots=True)
class SlotName:
    """Which child: a stage and its slot, from 0."""

    stage: str
    slot: int

    def __str__(self) -> str:
        return f"{self.stage}-{self.slot}"


@dataclass(slots=True)
class Child:
    """One slot and its process, if it has one now. restart_at, crashes (those counted): monotonic."""

    name: SlotName
    process: "subprocess.Popen[bytes] | None" = None
    started_at: float = 0.0
    restart_at: float = 0.0
    backoff_seconds: float = FIRST_BACKOFF_SECONDS
    crashes: deque[float] = field(default_factory=deque)


Say = Callable[[str], None]


def slots_of(settings: Settings, only: Sequence[str] = ()) -> tuple[SlotName, ...]:
    """Return the slots to run: of every stage, or of those in `only`, as many as `settings.slots` says (1).

    The board is one of them where LEADSTREAM_BOARD_... lets somebody in, the feed where a webhook asks for events.
    Raises UnknownStage.
    """
    for name in (*only, *settings.slots):
        if name not in (*NAMES, *BESIDE):
            raise UnknownStage(f"there is no stage {name!r}; there are {', '.join((*NAMES, *BESIDE))}")
    wanted = [name for name in NAMES if not only or name in only]
    slots = [SlotName(name, slot) for name in wanted for slot in range(settings.slots.get(name, 1))]
    wants = {FEED: bool(settings.channels.fed), BOARD: BoardSettings().is_configured}
    beside = [name for name in BESIDE if (name in only if only else wants[name]) and settings.slots.get(name, 1)]
    return (*slots, *(SlotName(name, 0) for name in beside))


def up(settings: Settings, only: Sequence[str] = (), say: Say | None = None) -> int:
    """Run the slots until SIGTERM or Ctrl-C; return 0. Leaves no process behind, whatever ends it.

    say: told one line a state change, standard error by default. Children's logs go to <state_dir>/logs.
    Raises GivenUp (after all others were ended), UnknownStage, PersonSecret.
    """
    names = slots_of(settings, only)
    settings.person_key()  # said once here, not once by each child
    stop = Stop()
    with on_signals(stop), _Family(names, settings, say or _to_stderr) as family:
        family.start()
        while not stop.wait(POLL_SECONDS):
            family.look()
    return 0


class _Family:
    """The children. As a context it ends them all, in order, however the block ends."""

    def __init__(self, names: Sequence[SlotName], settings: Settings, say: Say) -> None:
        self._children = [Child(name) for name in names]
        self._settings = settings
        self._say = say
        self._logs = settings.state_dir / "logs"
        self._environment = environment(settings)
        self._asked_at = -BROKER_ASK_SECONDS
        self._answered = False

    def __enter__(self) -> "_Family":
        self._logs.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(self, *error: object) -> None:
        self.end()

    def start(self) -> None:
        for child in self._children:
            self._start(child, "started")

    def look(self) -> None:
        """Notice what ended and start again what is due. Raises GivenUp."""
        for child in tuple(self._children):
            if child.process is None:
                if time.monotonic() >= child.restart_at:
                    self._start(child, "restarted")
            elif (code := child.process.poll()) is not None:
                self._died(child, code)

    def end(self) -> None:
        """End all, stage by stage from the sources on, within 10 s; kill who does not leave."""
        self._say("stopping")
        deadline = time.monotonic() + DRAIN_SECONDS
        for stage in STOP_ORDER:
            for child in self._children:
                if child.name.stage == stage and child.process is not None:
                    _signal(child.process, signal.SIGTERM)
        for child in self._children:
            if child.process is not None:
                self._await_end(child, child.process, deadline)
        self._say("stopped")

    def _await_end(self, child: Child, process: "subprocess.Popen[bytes]", deadline: float) -> None:
        try:
            code = process.wait(max(0.0, deadline - time.monotonic()))
            self._say(f"{child.name} stopped{'' if code == 0 else f' with {_how(code)}'}")
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(KILL_SECONDS)
            self._say(f"{child.name} killed: it did not leave in {DRAIN_SECONDS:.0f} s")
        child.process = None

    def _start(self, child: Child, verb: str) -> None:
        with _log_file(self._logs / f"{child.name}.log") as log:
            child.process = subprocess.Popen(
                command(child.name),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environment,
                start_new_session=True,  # Ctrl-C comes to us alone: the order of the end is ours
                pass_fds=(),
            )
        child.started_at = time.monotonic()
        self._say(f"{child.name} {verb} (pid {child.process.pid})")

    def _died(self, child: Child, code: int) -> None:
        now = time.monotonic()
        child.process = None
        if now - child.started_at >= STEADY_SECONDS:
            child.backoff_seconds = FIRST_BACKOFF_SECONDS
        if self._broker_answers(now):
            child.crashes.append(now)
        while child.crashes and now - child.crashes[0] > CRASH_WINDOW_SECONDS:
            child.crashes.popleft()
        log = self._logs / f"{child.name}.log"
        last = last_line(log) if code >= 0 else f"it could say no reason; its log: {log}"
        if len(child.crashes) >= CRASH_LIMIT:
            self._say(f"{child.name} given up: {last}")
            if child.name.stage in BESIDE:
                self._children.remove(child)
                return
            raise GivenUp(
                f"{child.name} ended {CRASH_LIMIT} times within {CRASH_WINDOW_SECONDS:.0f} s though Kafka answers. "
                f"Its last line: {last}"
            )
        self._say(f"{child.name} ended with {_how(code)}, again in {child.backoff_seconds:.1f} s: {last}")
        child.restart_at = now + child.backoff_seconds
        child.backoff_seconds = min(child.backoff_seconds * 2, LONGEST_BACKOFF_SECONDS)

    def _broker_answers(self, now: float) -> bool:
        """As `broker_answers`, asked at most every two seconds: children tend to die together."""
        if now - self._asked_at >= BROKER_ASK_SECONDS:
            self._answered = broker_answers(self._settings)
            self._asked_at = time.monotonic()
        return self._answered


def command(name: SlotName) -> list[str]:
    """Return the command line of a child."""
    return [sys.executable, "-m", "streams.child", name.stage, str(name.slot), str(os.getpid())]


def environment(settings: Settings) -> Mapping[str, str]:
    """Return the children's environment: ours, with what was set for this process by other means than that."""
    given = {"LEADSTREAM_BOOTSTRAP": settings.bootstrap, "LEADSTREAM_STATE_DIR": str(settings.state_dir)}
    if settings.namespace:
        given["LEADSTREAM_NAMESPACE"] = settings.namespace
    return {**os.environ, **given}


def broker_answers(settings: Settings) -> bool:
    """Tell whether Kafka answers: crashes while it does not are its, not the slot's."""
    try:
        AdminClient(admin_config(settings.cluster), logger=quiet()).list_topics(timeout=BROKER_ASK_SECONDS)
    except KafkaException:
        return False
    return True


def last_line(path: Path, limit: int = 8_192) -> str:
    """Return what the last line of a log says, its end if it is long; a dash where there is none."""
    try:
        with path.open("rb") as log:
            log.seek(max(0, path.stat().st_size - limit))
            lines = log.read().decode(errors="replace").split("\n")
    except OSError:
        return "-"
    return next((_said(line.strip())[-400:] for line in reversed(lines) if line.strip()), "-")


def _said(line: str) -> str:
    """Return error and reason of a line that says why a process ended; any other as it is."""
    try:
        said = orjson.loads(line)
    except orjson.JSONDecodeError:
        return line
    if not isinstance(said, dict) or not said.get("error"):
        return line
    return ": ".join(str(said[name]) for name in ("error", "reason") if said.get(name))


@contextmanager
def _log_file(path: Path) -> Iterator[IO[bytes]]:
    with path.open("ab") as log:
        yield log


def _signal(process: "subprocess.Popen[bytes]", number: signal.Signals) -> None:
    if process.poll() is None:
        process.send_signal(number)


def _how(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"


def _to_stderr(line: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {line}", file=sys.stderr, flush=True)
