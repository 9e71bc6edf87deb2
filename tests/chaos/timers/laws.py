"""What TIMERS promises, over what a read_committed reader saw: none early, lost, doubled or invented, and how late."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from tests.chaos.checker import Violation, exactly_once
from tests.chaos.laws import Verdict

BEFORE_SECONDS = 1.0  # what falls due this long before a kill may still be in its hands
KILL_SECONDS = 5.0
OUTAGE_TAIL_SECONDS = 30.0
TICK_SECONDS = 0.001  # Kafka stamps whole milliseconds, rounded down


class Phase(StrEnum):
    LIVE = "live"
    KILL = "within 5 s of a kill"
    OUTAGE = "after the outage"


LIMITS = {Phase.LIVE: 1.0, Phase.KILL: 10.0, Phase.OUTAGE: 30.0}
"""Seconds that the 99th percentile of a phase may be late. After an outage it counts from the broker's return."""


@dataclass(frozen=True, slots=True)
class Fire:
    """A wake-up on the topic it names. Seconds since 1970. written_at: the record's time, before its commit.

    seen_at: when the reader had it, after the commit.
    """

    waker: str
    due_at: float
    written_at: float
    seen_at: float

    @property
    def id(self) -> str:
        return identity(self.waker, self.due_at)


@dataclass(slots=True)
class Disturbed:
    """When who was away, seconds since 1970. kills: instants. outages: from, until the broker answered again."""

    kills: list[float] = field(default_factory=list)
    outages: list[tuple[float, float]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Lateness:
    """Of one phase, in seconds."""

    phase: Phase
    fires: int
    p50: float
    p99: float
    worst: float


def identity(waker: str, due_at: float) -> str:
    """Return what may be seen once: the waker with its due, to the microsecond."""
    return f"{waker} due {due_at:.6f}"


def verdicts(
    expected: Sequence[str], fires: Sequence[Fire], disturbed: Disturbed, still_armed: Sequence[str] = ()
) -> list[Verdict]:
    """Return what each law says. expected: identities. still_armed: wakers with an arming at the end of the topic."""
    return [
        Verdict("each wake-up once", len(expected), tuple(exactly_once("once", expected, [one.id for one in fires]))),
        Verdict("none early", len(fires), tuple(_early(fires))),
        Verdict("late within limits", len(fires), tuple(_late(latenesses(fires, disturbed)))),
        Verdict(
            "nothing stays armed",
            len(expected),
            tuple(Violation("armed", f"{waker} is still armed") for waker in still_armed),
        ),
    ]


def latenesses(fires: Sequence[Fire], disturbed: Disturbed) -> list[Lateness]:
    """Return how late what fired was, by phase; phases without a fire are left out."""
    found: dict[Phase, list[float]] = {}
    for one in fires:
        phase, due_at = _phase(one.due_at, disturbed)
        found.setdefault(phase, []).append(max(0.0, one.seen_at - due_at))
    return [_summed(phase, sorted(found[phase])) for phase in Phase if phase in found]


def _phase(due_at: float, disturbed: Disturbed) -> tuple[Phase, float]:
    """Return the phase in which something fell due, and from when on it could have been fired."""
    for start, end in disturbed.outages:
        if start - BEFORE_SECONDS <= due_at <= end + OUTAGE_TAIL_SECONDS:
            return Phase.OUTAGE, max(due_at, end)
    for kill in disturbed.kills:
        if kill - BEFORE_SECONDS <= due_at <= kill + KILL_SECONDS:
            return Phase.KILL, due_at
    return Phase.LIVE, due_at


def _summed(phase: Phase, seconds: Sequence[float]) -> Lateness:
    def share(part: float) -> float:
        return seconds[min(int(part * len(seconds)), len(seconds) - 1)]

    return Lateness(phase, len(seconds), share(0.5), share(0.99), seconds[-1])


def _early(fires: Sequence[Fire]) -> list[Violation]:
    return [
        Violation("early", f"{one.id} was written {one.due_at - one.written_at:.3f} s before")
        for one in fires
        if one.written_at + TICK_SECONDS <= one.due_at
    ]


def _late(rows: Sequence[Lateness]) -> list[Violation]:
    return [
        Violation("late", f"{row.phase}: p99 {row.p99:.3f} s, more than {LIMITS[row.phase]:.0f} s")
        for row in rows
        if row.p99 > LIMITS[row.phase]
    ]
