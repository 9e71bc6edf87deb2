"""What is counted of a lead, so that no page counts by looking through all leads.

A batch takes what a lead counted for before it and adds what it counts for after it: the counts are sums at all times.
"""

from collections.abc import Iterator

from streams.board.lead_row import Row
from streams.board.told import Told

Count = tuple[str, str, int]
"""(kind, id, how many)."""


def marks(row: Row | None, told: Told) -> frozenset[str]:
    """Return how far a lead came: of arrived, placed, told, contacted, in_time, missed, closed. Test leads: nothing."""
    if row is None or row["is_test"]:
        return frozenset()
    contacted, missed = row["contacted_at"] is not None, row["breach"] is not None
    reached = {
        "arrived": True,
        "placed": row["placed_at"] is not None,
        "told": told.told_at is not None,
        "contacted": contacted,
        "in_time": contacted and not missed,
        "missed": missed,
        "closed": row["closed_at"] is not None,
    }
    return frozenset(what for what, is_reached in reached.items() if is_reached)


def counted(row: Row | None) -> Iterator[Count]:
    """Yield what a lead counts for: where it stands, whose it is, and for its rule and the day it was submitted on.

    Kinds: state, owner, held (by pool), due (a contact is awaited): of open leads. rule, handed_on (by
    "day/division/rule"), leads, known (by day; of headcount, industry, country and domain, so many): of all. A day is
    a UTC day since 1970.
    """
    if row is None or row["is_test"]:
        return
    if row["closed_at"] is None:
        yield ("state", row["state"], 1)
        if row["owner"] is not None:
            yield ("owner", row["owner"], 1)
        if row["state"] == "held":
            yield ("held", row["pool"] or "", 1)
        if waits_until(row) is not None:
            yield ("due", "", 1)
    day = int(row["submitted_at"] // 86_400)
    rule = f"{day}/{row['division']}/{row['rule'] or ''}"
    yield ("rule", rule, 1)
    if row["moved_at"]:
        yield ("handed_on", rule, 1)
    yield ("leads", str(day), 1)
    yield ("known", str(day), fields_known(row))


def waits_until(row: Row) -> float | None:
    """Return by when a lead is to be contacted, Unix seconds; None where nobody waits for it, and for test leads."""
    if row["contacted_at"] is not None or row["closed_at"] is not None or row["is_test"]:
        return None
    due: float | None = row["due_at"]
    return due


def fields_known(row: Row) -> int:
    """Return how many of headcount, industry, country and domain are known (ENR-3)."""
    return sum(row[name] is not None for name in ("employees", "industry", "country", "company_domain"))
