"""What exactly once means, as functions over what a read_committed reader saw. Each returns the violations it found.

Pure, so that it can be tested with a lost, a doubled and a reordered record before it judges a run.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Violation:
    """law: which promise was broken; what: the ids concerned."""

    law: str
    what: str


def lost(law: str, expected: Iterable[str], seen: Iterable[str]) -> list[Violation]:
    """Return the expected ids that were not seen."""
    return [Violation(law, f"lost {one}") for one in sorted(set(expected) - set(seen))]


def invented(law: str, expected: Iterable[str], seen: Iterable[str]) -> list[Violation]:
    """Return the seen ids that nobody expected."""
    return [Violation(law, f"invented {one}") for one in sorted(set(seen) - set(expected))]


def doubled(law: str, seen: Iterable[str]) -> list[Violation]:
    """Return the ids seen more than once, with their count."""
    return [Violation(law, f"{one} seen {count} times") for one, count in sorted(Counter(seen).items()) if count > 1]


def exactly_once(law: str, expected: Sequence[str], seen: Sequence[str]) -> list[Violation]:
    """Each expected id is seen exactly once, and no other."""
    return [*lost(law, expected, seen), *invented(law, expected, seen), *doubled(law, seen)]


def reordered(law: str, before: Sequence[tuple[str, str]], after: Sequence[tuple[str, str]]) -> list[Violation]:
    """Compare the order of (group, id) upstream and downstream, group by group.

    Ids that did not come through are `lost`'s business; each that did must stand in the order it went in.
    """
    place = {pair: position for position, pair in enumerate(before)}
    latest: dict[str, tuple[int, str]] = {}
    found = []
    for group, one in after:
        if (group, one) not in place:
            continue
        position = place[group, one]
        if group in latest and position < latest[group][0]:
            found.append(Violation(law, f"{one} came after {latest[group][1]} in {group}"))
        latest[group] = max(latest.get(group, (-1, "")), (position, one))
    return found


def differing(law: str, left: Mapping[str, object], right: Mapping[str, object]) -> list[Violation]:
    """Return the keys at which two mappings differ (a store against the fold of its changelog, say)."""
    keys = sorted(left.keys() | right.keys())
    return [Violation(law, f"{key} differs") for key in keys if left.get(key) != right.get(key)]


def overlapping_epochs(law: str, seen: Sequence[tuple[str, int, str]]) -> list[Violation]:
    """Each (lead, epoch) has one owner. seen: (lead id, epoch, owner) of every decision, in order."""
    owners: dict[tuple[str, int], set[str]] = defaultdict(set)
    for lead, epoch, owner in seen:
        owners[lead, epoch].add(owner)
    return [
        Violation(law, f"{lead} epoch {epoch} has {len(names)} owners")
        for (lead, epoch), names in sorted(owners.items())
        if len(names) > 1
    ]
