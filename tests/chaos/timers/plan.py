"""What a run of TIMERS does: which wake-ups are armed, who is killed when, and when the broker is away."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count

from streams.fault import FaultName

ARMED_TWICE, CANCELLED, AGAIN = 0.05, 0.05, 0.10
"""Share of the wake-ups that are armed over an earlier one; as many again are cancelled; and armed after they fired."""
KILLS_FROM, KILLS_UNTIL = 0.05, 0.9  # share of the time in which wake-ups fall due
OUTAGE_FROM = 0.4
CLEAR = 0.02  # of the time, between a kill and the outage: each is to be seen by itself
PASSES = (5, 60)  # transactions until a named point is reached


@dataclass(frozen=True, slots=True)
class Plan:
    """wake_ups: that fall due within `seconds`. outage_seconds: 0 for none. kills: half of them at named points."""

    wake_ups: int
    seconds: float
    kills: int
    outage_seconds: float = 0.0
    lead_seconds: float = 20.0  # from the first arming to the first due
    settle_seconds: float = 180.0
    seed: int = 1

    @property
    def outage_at(self) -> float | None:
        """Return when the broker is killed, in seconds from the first due."""
        return self.seconds * OUTAGE_FROM if self.outage_seconds else None

    def kill_moments(self) -> list[float]:
        """Return when TIMERS is killed from outside, in seconds from the first due: every other kill."""
        wanted = (self.kills + 1) // 2
        dice = random.Random(self.seed)
        clear, begins_at = self.seconds * CLEAR, self.outage_at or self.seconds
        gap = self.outage_seconds + 2 * clear if self.outage_seconds else 0.0
        open_seconds = self.seconds * (KILLS_UNTIL - KILLS_FROM) - gap
        if open_seconds <= 0:
            raise ValueError("the outage leaves no time to kill in")
        width = open_seconds / max(wanted, 1)
        moments = [self.seconds * KILLS_FROM + width * (n + dice.uniform(0.1, 0.6)) for n in range(wanted)]
        return [at + gap if at >= begins_at - clear else at for at in moments]

    def faults(self) -> list[str]:
        """Return the named points at which the process dies that is started after each kill from outside."""
        dice = random.Random(self.seed + 1)
        names = list(FaultName)
        return [f"{names[n % len(names)]}:{dice.randint(*PASSES)}" for n in range(self.kills // 2)]


@dataclass(frozen=True, slots=True)
class Arming:
    """One record of leads.timers: due_at None cancels."""

    waker: str
    due_at: datetime | None


@dataclass(frozen=True, slots=True)
class Armings:
    """before: armed and then replaced or cancelled; never to fire. final: what must fire. again: waker -> next due."""

    before: Sequence[Arming]
    final: Sequence[Arming]
    again: dict[str, datetime]


def armings(plan: Plan, first_due: datetime) -> Armings:
    """Return what to arm, in the order of writing. The dues are spread evenly, to the microsecond, in no order."""
    dice = random.Random(plan.seed + 2)
    numbers = count()
    repeated = round(plan.wake_ups * AGAIN)
    once = range(plan.wake_ups - repeated)
    final = [Arming(f"lead/main.{next(numbers):032x}.1", _due(plan, first_due, dice)) for _ in once]
    replaced = dice.sample(final, round(plan.wake_ups * ARMED_TWICE))
    before = [Arming(one.waker, _due(plan, first_due, dice)) for one in replaced]
    for _ in range(round(plan.wake_ups * CANCELLED)):
        waker = f"lead/main.{next(numbers):032x}.1"
        before += [Arming(waker, _due(plan, first_due, dice)), Arming(waker, None)]
    half = timedelta(seconds=plan.seconds / 2)
    firsts = {one.waker: one.due_at for one in final if one.due_at is not None and one.due_at < first_due + half}
    again = {waker: firsts[waker] + half for waker in dice.sample(list(firsts), repeated)}
    return Armings(before, final, again)


def _due(plan: Plan, first_due: datetime, dice: random.Random) -> datetime:
    return first_due + timedelta(microseconds=dice.randrange(round(plan.seconds * 1_000_000)))
