"""A primary that is down while leads go on coming: who waits, who is left out, how often the dead one is asked."""

from pathlib import Path
from typing import Any

from tests.bench.enrichment.flow import Flow, Passage, flowing, together
from tests.lab.provider_server import Mood
from tests.lab.providers import Providers, providers_serving

STAGES = ("enrich", "pending", "score", "assign")
WAYS = ("hangs", "refused", "fails")
ANSWER_SECONDS = 0.05


def run(bootstrap: str, folder: Path, rate: int, seconds: float) -> dict[str, Any]:
    """Measure `seconds` of an outage in three ways of being down, beside a tenth of that time in health."""
    with providers_serving() as lab:
        for door in ("primary", "secondary"):
            lab.turn(door, Mood(ANSWER_SECONDS))
        with flowing(bootstrap, "bench-outage", folder, lab, STAGES) as flow:
            healthy, healthy_calls = _passage(flow, lab, "healthy", Mood(ANSWER_SECONDS), rate, max(10.0, seconds / 10))
            down = [_passage(flow, lab, way, Mood(down=way), rate, seconds / len(WAYS)) for way in WAYS]
            returned, returned_calls = _passage(flow, lab, "returned", Mood(ANSWER_SECONDS), rate, 45)
            records = flow.setting.records
            sent = {record.headers["ce_id"] for record in records.read_all("leads.raw", seconds=120)}
            owned = {
                record.json["lead"]["event_id"]
                for record in records.read_until(["leads.assigned"], lambda found: len(found) >= len(sent), 600)
                if record.json["owner"]["kind"] != "none"
            }
    outage = together([one for one, _ in down])
    asked = sum(calls for _, calls in down)
    return {
        f"primary healthy, {rate}/s": healthy.figures() | {"calls": healthy_calls},
        f"primary down, {rate}/s for {seconds:.0f} s": outage.figures()
        | {
            "added p50 ms": round((outage.at(0.5) - healthy.at(0.5)) * 1000, 1),
            "added p99 ms": round((outage.at(0.99) - healthy.at(0.99)) * 1000, 1),
            "calls": asked,
            "share of normal": f"{asked / outage.sent:.2%}",
        },
        "primary back": returned.figures() | {"calls": returned_calls},
        "leads without an owner": {"of": len(sent), "unrouted": len(sent - owned)},
    }


def _passage(flow: Flow, lab: Providers, name: str, mood: Mood, rate: int, seconds: float) -> tuple[Passage, int]:
    lab.turn("primary", mood)
    before = flow.calls("primary")
    found = flow.run(name, rate, seconds)
    return found, max(0, flow.calls("primary") - before)  # a process that was started again counts anew
