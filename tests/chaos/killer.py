"""Who is killed when: at random moments from outside, and at named points of a transaction from inside."""

import random
from collections import defaultdict, deque

from streams.fault import FaultName
from tests.chaos.fleet import STAGES, Fleet

FIRST_AT, LAST_AT = 0.02, 0.95  # share of the leads decided
BUSY = ("enrich", "score", "assign", "notify")  # many transactions in any run
PASSES_BUSY, PASSES_QUIET = (5, 40), (2, 8)


class Killer:
    """Deals `kills` over all stages in turn, every second one at a named point. Same seed, same plan."""

    def __init__(self, kills: int, seed: int) -> None:
        dice = random.Random(seed)
        self._faults: dict[str, deque[str]] = defaultdict(deque)
        self._moments: list[tuple[float, str]] = []
        self._wanted = kills
        names = list(FaultName)
        stages = list(STAGES)
        dice.shuffle(stages)
        for number in range(kills):
            stage = stages[number % len(stages)]
            if (number + number // len(stages)) % 2:
                low, high = PASSES_BUSY if stage in BUSY else PASSES_QUIET
                self._faults[stage].append(f"{names[number % len(names)]}:{dice.randint(low, high)}")
            else:
                self._moments.append((dice.uniform(FIRST_AT, LAST_AT), stage))
        self._moments.sort()

    def first_faults(self) -> dict[str, str]:
        """Return the point at which each stage's first process dies, of stages that have one planned."""
        return {stage: planned.popleft() for stage, planned in self._faults.items()}

    def turn(self, fleet: Fleet, share: float) -> None:
        """Kill whoever's moment has come; plan the next named death of who died. share: of the leads decided."""
        while self._moments and share >= self._moments[0][0]:
            fleet.kill(self._moments.pop(0)[1])
        for stage, planned in self._faults.items():
            if planned and stage not in fleet.faults and not fleet.slots[stage].fault:
                fleet.faults[stage] = planned.popleft()

    def force(self, fleet: Fleet) -> None:
        """Kill whom a named point was planned for that has not come, now that the work is done."""
        for slot in fleet.slots.values():
            if slot.fault and slot.process.poll() is None:
                slot.fault = ""
                fleet.kill(slot.stage)
        for stage, planned in self._faults.items():
            while planned:
                planned.pop()
                fleet.kill(stage)
        for stage in list(fleet.faults):
            fleet.faults.pop(stage)
            fleet.kill(stage)

    def is_done(self, fleet: Fleet) -> bool:
        """Tell whether all kills were made."""
        return sum(fleet.kills.values()) >= self._wanted
