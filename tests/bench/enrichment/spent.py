"""Processor time by who spent it: on two cores the lab, the sender and the broker compete with what is measured."""

from collections import defaultdict
from collections.abc import Mapping

import psutil

_MARKS: Mapping[str, str] = {
    "kafka.Kafka": "broker",
    "tests.lab.provider_server": "providers",
    "streams.cli.main": "up",
}


def spent() -> dict[str, float]:
    """Return the seconds that this process and all below it have had so far, by what they are."""
    found: dict[str, float] = defaultdict(float)
    own = psutil.Process()
    found["bench"] = _seconds(own)
    for process in own.children(recursive=True):
        try:
            found[_name(process.cmdline())] += _seconds(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            continue
    return found


def cores(before: Mapping[str, float], after: Mapping[str, float], seconds: float) -> dict[str, float]:
    """Return what each had of a core between two looks, those that had next to nothing left out."""
    return {
        name: share for name in sorted(after) if (share := round((after[name] - before.get(name, 0.0)) / seconds, 2))
    }


def _name(command: list[str]) -> str:
    if "streams.child" in command:
        return command[command.index("streams.child") + 1]
    return next((name for mark, name in _MARKS.items() if mark in command), "other")


def _seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
