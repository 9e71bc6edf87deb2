"""The shipped rules with their windows shortened, so that a real Prometheus alerts on a real fault within seconds.

Windows and waits under a day are divided by FACTOR, longer ones by DAY_FACTOR: a week is then five minutes, of which a
run has enough. What a rule compares with (seconds of lag, counts, shares) stays as it ships. So it is shown which alert
fires for which fault, and which stays quiet; when, at the real windows, promtool shows.
"""

import re
from pathlib import Path
from typing import Any

import yaml

from tests.observed.prometheus import RULE_FILES

FACTOR = 12
DAY_FACTOR = 7 * 86_400 / 300
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 7 * 86_400}
_DAY = 86_400


def shortened(duration: str) -> str:
    """Return "5m" as "25000ms". Raises ValueError for what is no duration of a rule file."""
    found = re.fullmatch(r"(\d+)([smhdw])", duration)
    if found is None:
        raise ValueError(f"{duration!r} is no duration")
    seconds = int(found[1]) * _SECONDS[found[2]]
    return f"{max(1, round(1_000 * seconds / (DAY_FACTOR if seconds >= _DAY else FACTOR)))}ms"


def shortened_query(expr: str) -> str:
    """Return a query with its windows, subqueries and offsets shortened; numbers and names stay."""
    in_brackets = re.sub(
        r"\[(\w+)(?::(\w+))?\]",
        lambda found: f"[{shortened(found[1])}" + (f":{shortened(found[2])}]" if found[2] else "]"),
        expr,
    )
    return re.sub(r"\boffset (\w+)", lambda found: f"offset {shortened(found[1])}", in_brackets)


def write_rules(folder: Path) -> list[Path]:
    """Write the rule files, shortened, into `folder`; return where they are."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for path in RULE_FILES:
        rules: dict[str, Any] = yaml.safe_load(path.read_text())
        for rule in (rule for group in rules["groups"] for rule in group["rules"]):
            rule["expr"] = shortened_query(rule["expr"])
            if "for" in rule:
                rule["for"] = shortened(rule["for"])
        (folder / path.name).write_text(yaml.safe_dump(rules, sort_keys=False))
        written.append(folder / path.name)
    return written
