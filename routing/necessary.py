"""What must be so for a condition to hold, fact by fact: a quick way to see that two conditions exclude each other."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf

from routing.derived import All, AnyOf, Basic, Neither, Sure
from routing.expression import Comparison, Fact, Op, Opaque


@dataclass(frozen=True, slots=True)
class Among:
    """The fact is one of these words or truth values."""

    values: frozenset[Fact]


@dataclass(frozen=True, slots=True)
class Within:
    """The fact is a number from low to high, ends included: wider than the truth for < and >."""

    low: float = -inf
    high: float = inf


Needs = Mapping[str, Among | Within]


def necessary(condition: Basic) -> Needs:
    """Return what the condition needs of single facts. It may need more; it never needs less."""
    if isinstance(condition, Comparison):
        need = _need(condition)
        return {condition.field: need} if need is not None else {}
    if isinstance(condition, Sure):
        return necessary(condition.part)
    if isinstance(condition, Neither):
        part = condition.part
        if isinstance(part, Comparison) and part.op is Op.TRUE:
            return {part.field: Among(frozenset((False,)))}
        return {}
    if isinstance(condition, Opaque):
        return {}
    return _of_all(condition) if isinstance(condition, All) else _of_any(condition)


def exclude(one: Needs, two: Needs) -> bool:
    """Tell whether no lead can meet both. False: perhaps one can."""
    if len(two) < len(one):
        one, two = two, one
    return any(name in two and _apart(need, two[name]) for name, need in one.items())


def _need(test: Comparison) -> Among | Within | None:
    value = test.expected
    if test.op is Op.TRUE:
        return Among(frozenset((True,)))
    if isinstance(value, tuple):
        return Among(frozenset(value)) if all(isinstance(each, str) for each in value) else None
    if isinstance(value, str):
        return Among(frozenset((value,))) if test.op is Op.EQUAL else None
    if isinstance(value, int | float):
        bounds = {
            Op.EQUAL: Within(value, value),
            Op.LESS: Within(high=value),
            Op.AT_MOST: Within(high=value),
            Op.MORE: Within(low=value),
            Op.AT_LEAST: Within(low=value),
        }
        return bounds.get(test.op)
    return None


def _of_all(condition: All) -> Needs:
    needs: dict[str, Among | Within] = {}
    for part in condition.parts:
        for name, need in necessary(part).items():
            needs[name] = _both(needs[name], need) if name in needs else need
    return needs


def _of_any(condition: AnyOf) -> Needs:
    if not condition.parts:
        return {}
    first, *others = (necessary(part) for part in condition.parts)
    needs: dict[str, Among | Within] = {}
    for name, need in first.items():
        joined: Among | Within | None = need
        for other in others:
            joined = _either(joined, other[name]) if joined is not None and name in other else None
        if joined is not None:
            needs[name] = joined
    return needs


def _both(one: Among | Within, two: Among | Within) -> Among | Within:
    if isinstance(one, Among) and isinstance(two, Among):
        return Among(one.values & two.values)
    if isinstance(one, Within) and isinstance(two, Within):
        return Within(max(one.low, two.low), min(one.high, two.high))
    return one


def _either(one: Among | Within, two: Among | Within) -> Among | Within | None:
    if isinstance(one, Among) and isinstance(two, Among):
        return Among(one.values | two.values)
    if isinstance(one, Within) and isinstance(two, Within):
        return Within(min(one.low, two.low), max(one.high, two.high))
    return None


def _apart(one: Among | Within, two: Among | Within) -> bool:
    if isinstance(one, Among) and isinstance(two, Among):
        return one.values.isdisjoint(two.values)
    if isinstance(one, Within) and isinstance(two, Within):
        return one.low > two.high or two.low > one.high
    return False
