"""What providers are worth over the last 30 days: fill rates, their fall, cost (ENR-3). Counts in, figures out."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from enrichment.answer import Learnt, Said
from enrichment.merge import NEEDED
from schemas.org import ProviderSettings

WINDOW_DAYS = 30
WEEK_DAYS = 7
DROP = 0.10  # such as 85% to 75%: degradation, not chance
ENOUGH = 50  # found companies in a week; with fewer, ten points are chance
GOOD = 0.80
LEADS = "-"  # no provider is called so: counts all leads of a day

Counts = Mapping[str, int]
"""asked, calls, found, empty, failed, late, complete, and the four fields of ENR-1: how often."""


def counts_of(learnt: Learnt) -> dict[str, dict[str, int]]:
    """Return what one lead adds to the counts of each provider that it was asked of just now."""
    found: dict[str, dict[str, int]] = {}
    for said in learnt.answers:
        if said.is_fresh:
            found[said.provider] = _counts(said)
    for name in learnt.failed:
        found.setdefault(name, {})["failed"] = 1
    for name in learnt.unanswered:
        found.setdefault(name, {})["late"] = 1
    for name, row in found.items():
        row["asked"] = 1
        row["calls"] = int(name in learnt.called)
    found[LEADS] = {"asked": 1}
    return found


def _counts(said: Said) -> dict[str, int]:
    if said.company is None:
        return {"empty": 1}
    filled = {name: 1 for name in NEEDED if getattr(said.company, name) is not None}
    return {"found": 1, **filled, "complete": int(len(filled) == len(NEEDED))}


@dataclass(frozen=True, slots=True)
class Worth:
    """One provider over the window. fill: field -> share of found companies in the last week that had it.

    fall: field -> how far that is below the best week of the window before, as a share; only what could be compared.
    cost: of the window, by the org file's prices.
    """

    provider: str
    asked: int = 0
    calls: int = 0
    found: int = 0
    empty: int = 0
    failed: int = 0
    late: int = 0
    complete: int = 0
    fill: Mapping[str, float] = field(default_factory=dict)
    fall: Mapping[str, float] = field(default_factory=dict)
    cost: float = 0.0

    @property
    def coverage(self) -> float | None:
        """Share of answered questions that had all four fields; None without an answer."""
        answered = self.found + self.empty
        return self.complete / answered if answered else None

    @property
    def degraded(self) -> tuple[str, ...]:
        """Fields whose fill rate fell by ten points or more."""
        return tuple(name for name, fall in self.fall.items() if fall >= DROP)


def worth(
    rows: Iterable[tuple[date, str, Counts]], today: date, providers: Sequence[ProviderSettings]
) -> tuple[Worth, ...]:
    """Return each provider of the org file that was asked in the window, in the file's order.

    rows: day, provider, counts; several rows of one day and provider are added up (partitions, ENRICH and PENDING).
    """
    weeks: dict[str, dict[int, Counter[str]]] = {}
    for day, provider, counts in rows:
        age = (today - day).days
        if 0 <= age < WINDOW_DAYS:
            weeks.setdefault(provider, {}).setdefault(age // WEEK_DAYS, Counter()).update(counts)
    return tuple(_worth(row, weeks[row.name]) for row in providers if row.name in weeks)


def leads_in(rows: Iterable[tuple[date, str, Counts]], today: date) -> int:
    """Return the leads of the window."""
    oldest = today - timedelta(days=WINDOW_DAYS - 1)
    return sum(counts.get("asked", 0) for day, name, counts in rows if name == LEADS and day >= oldest)


def _worth(settings: ProviderSettings, weeks: Mapping[int, Counter[str]]) -> Worth:
    total: Counter[str] = Counter()
    for counts in weeks.values():
        total.update(counts)
    now = weeks.get(0, Counter())
    earlier = [counts for age, counts in weeks.items() if age > 0 and counts["found"] >= ENOUGH]
    is_comparable = bool(earlier) and now["found"] >= ENOUGH
    fill = {name: now[name] / now["found"] for name in NEEDED} if now["found"] else {}
    fall = {name: max(0.0, max(c[name] / c["found"] for c in earlier) - fill[name]) for name in NEEDED if is_comparable}
    cost = settings.price_per_call * total["calls"] + settings.price_per_found * total["found"]
    whole = ("asked", "calls", "found", "empty", "failed", "late", "complete")
    return Worth(settings.name, **{name: total[name] for name in whole}, fill=fill, fall=fall, cost=cost)
