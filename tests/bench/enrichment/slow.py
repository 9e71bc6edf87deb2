"""Providers that take 200 ms, and one call in a hundred 5 s: what a lead waits, with the fast deadline and without."""

import time
from pathlib import Path
from typing import Any

from tests.bench.enrichment.flow import flowing
from tests.bench.enrichment.spent import cores, spent
from tests.lab.provider_server import Mood
from tests.lab.providers import providers_serving

STAGES = ("enrich", "pending")
SLOW = Mood(0.2, 0.01, 5.0)
QUICK = Mood(0.0)
CASES: tuple[tuple[str, Mood, dict[str, float]], ...] = (
    ("no wait for providers", QUICK, {}),
    ("fast deadline of 300 ms", SLOW, {"fast_seconds": 0.3}),
    ("one deadline of 2 s", SLOW, {"fast_seconds": 2.0}),
)


def run(bootstrap: str, folder: Path, rate: int, seconds: float) -> dict[str, Any]:
    """Measure each case at `rate` leads a second. The first one is what the others are compared with."""
    found: dict[str, Any] = {}
    for number, (title, mood, deadlines) in enumerate(CASES):
        with providers_serving() as lab:
            for door in ("primary", "secondary"):
                lab.turn(door, mood)
            with flowing(bootstrap, f"bench-slow{number}", folder, lab, STAGES, **deadlines) as flow:
                before, began, steps = spent(), time.perf_counter(), flow.spent("enrich")
                one = flow.run("slow", rate, seconds)
                shares = cores(before, spent(), time.perf_counter() - began)
                after = flow.spent("enrich")
                waited = len({record.key for record in flow.setting.records.read_all("leads.pending")})
        found[f"{title}, {rate}/s for {seconds:.0f} s"] = one.figures() | {
            "seconds of enrich": {step: round(now - steps.get(step, 0.0), 1) for step, now in after.items()},
            "through leads.pending": waited,
            "cores": shares,
        }
    return found
