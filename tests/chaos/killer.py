"""Who is killed when: at random moments from outside, and at named points of a transaction from inside."""

import random
from collections import defaultdict

from streams.fault import FaultName
from tests.chaos.fleet import STAGES, Fleet

FIRST_AT, LAST_AT = 0.02, 0.95  # share of the leads decided
BUSY = ("enrich", "track", "score", "assign", "notify")  # many transactions in any run
# A slow machine takes five hundred leads a transaction: a point that is to be passed more often is never met.
LEADS_A_PASS = 600
PASSES_BUSY, PASSES_QUIET = (3, 30), (2, 5)


class Killer:
    """Deals `kills` over all stages in turn, every second one at a named point. Same seed, same plan.

    leads: of the run, which say how often a stage passes a point at least.
    """

    def __init__(self, kills: int, seed: int, leads: int) -> None:
        dice = random.Random(seed)
        self.faults: dict[str, list[str]] = defaultdict(list)  # stage -> points, for `Fleet`
        self._moments: list[tuple[float, str]] = []
        self._wanted = kills
        names = list(FaultName)
        stages = list(STAGES)
        dice.shuffle(stages)
        for number in range(kills):
            stage = stages[number % len(stages)]
            if (number % len(stages) + number // len(stages)) % 2:
                low, high = PASSES_BUSY if stage in BUSY else PASSES_QUIET
                high = max(low, min(high, leads // LEADS_A_PASS))
                self.faults[stage].append(f"{names[number % len(names)]}:{dice.randint(low, high)}")
            else:
                self._moments.append((dice.uniform(FIRST_AT, LAST_AT), stage))
        self._moments.sort()

    def turn(self, fleet: Fleet, share: float) -> None:
        """Kill whoever's moment has come and who is up. share: of the leads decided."""
        while self._moments and share >= self._moments[0][0] and fleet.kill(self._moments[0][1]):
            self._moments.pop(0)

    def force(self, fleet: Fleet) -> None:
        """Kill those who have not passed their named points, now that nothing is left to do."""
        for slot in fleet.slots.values():
            waiting = fleet.faults[slot.stage]
            if slot.process.poll() is None and (slot.fault or waiting):
                slot.fault = ""
                fleet.kill(slot.stage)

    def is_done(self, fleet: Fleet) -> bool:
        """Tell whether all kills were made."""
        return sum(fleet.kills.values()) >= self._wanted
