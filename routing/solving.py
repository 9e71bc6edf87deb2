"""Finds a lead for which some conditions hold and others do not, or proves that there is none.

Conditions only tell values apart at the boundaries that they name, so trying each boundary, one value on either side
and "unknown" is trying them all. Backtracking over three-valued conditions; the steps are counted, never timed.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import combinations, pairwise, product
from math import floor

from routing.catalogue import CHOICES, FactKind, kind_of
from routing.derived import All, AnyOf, Basic, Neither, Sure
from routing.expression import Comparison, Fact, Op, Opaque, truth
from routing.necessary import Needs, exclude, necessary

MOST_STEPS = 20_000
OTHER = "~other"  # a word that no condition names
ABSENT = None
# Facts that every lead has.
ALWAYS_KNOWN = frozenset(
    (
        *("lead.open_duplicate", "lead.is_suspect", "lead.recycled_rep_known", "lead.has_phone", "lead.is_bulk"),
        *("lead.bot_qualified", "lead.touch", "lead.history", "lead.behaviour", "lead.flags", "company.technologies"),
        *("mail.kind", "mail.is_role", "score", "weekday", "hour", "time_of_day", "date"),
    )
)
_RANGES = {"score": (0, 100), "hour": (0, 23), "lead.touch": (1, 10**9)}
_FRACTIONAL = ("company.revenue",)

Assignment = dict[str, Fact | None]
"""A lead under construction: fact, or list fact and word, to value; None: unknown."""


class Held(IntEnum):
    NO = 0
    YES = 1
    UNKNOWN = 2  # a fact that decides is unknown
    OPEN = 3  # not decided yet
    NOT_YES = 4  # no or unknown, whatever follows


class TooHard(Exception):
    """The steps ran out before a lead was found or excluded."""


@dataclass(slots=True)
class Budget:
    """Steps left to a search."""

    steps: int = MOST_STEPS

    def spend(self) -> None:
        self.steps -= 1
        if self.steps < 0:
            raise TooHard


Domains = Mapping[str, tuple[Fact | None, ...]]


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """A condition, ready to be solved: its comparisons by what they depend on, and what it needs of single facts."""

    condition: Basic
    tests: Mapping[str, tuple[Comparison | Opaque, ...]]
    needs: Needs


def case_of(condition: Basic) -> Case:
    """Return a condition ready to be solved."""
    tests: dict[str, list[Comparison | Opaque]] = {}
    for leaf in leaves(condition):
        tests.setdefault(key(leaf), []).append(leaf)
    return Case(condition, {name: tuple(each) for name, each in tests.items()}, necessary(condition))


def find_lead(yes: Sequence[Case], no: Sequence[Case], budget: Budget) -> Assignment | None:
    """Return facts for which all of `yes` hold and none of `no` does, None where no lead can be so. Raises TooHard."""
    if any(exclude(one.needs, two.needs) for one, two in combinations(yes, 2)):
        return None
    against = [case for case in no if not any(exclude(case.needs, each.needs) for each in yes)]
    wanted = All(tuple(case.condition for case in yes))
    return _search(wanted, [case.condition for case in against], {}, _domains((*yes, *against)), budget)


def _domains(cases: Sequence[Case]) -> Domains:
    tests: dict[str, list[Comparison | Opaque]] = {}
    for case in cases:
        for name, each in case.tests.items():
            tests.setdefault(name, []).extend(each)
    return {name: _values(name, each) for name, each in tests.items()}


def leaves(condition: Basic) -> Iterator[Comparison | Opaque]:
    """Yield every comparison of the condition."""
    if isinstance(condition, Comparison | Opaque):
        yield condition
    elif isinstance(condition, Sure | Neither):
        yield from leaves(condition.part)
    else:
        for part in condition.parts:
            yield from leaves(part)


def key(leaf: Comparison | Opaque) -> str:
    """Return what a comparison depends on: the fact; for a list, the fact and the word."""
    if isinstance(leaf, Opaque):
        return leaf.text
    return f"{leaf.field} holds {leaf.expected}" if leaf.op is Op.HOLDS else leaf.field


def held(condition: Basic, lead: Assignment) -> Held:
    """Return whether a condition holds for a lead under construction."""
    if isinstance(condition, Comparison | Opaque):
        return _leaf(condition, lead)
    if isinstance(condition, Sure):
        inner = held(condition.part, lead)
        return Held.NO if inner in (Held.UNKNOWN, Held.NOT_YES) else inner
    if isinstance(condition, Neither):
        inner = held(condition.part, lead)
        turned = {Held.NO: Held.YES, Held.YES: Held.NO, Held.UNKNOWN: Held.UNKNOWN}
        return turned.get(inner, Held.OPEN)
    return _all(condition, lead) if isinstance(condition, All) else _any(condition, lead)


def _all(condition: All, lead: Assignment) -> Held:
    found = Held.YES
    for part in condition.parts:
        inner = held(part, lead)
        if inner is Held.NO:
            return Held.NO
        if inner is not Held.YES:
            found = inner if found in (Held.YES, inner) else Held.NOT_YES
    return found


def _any(condition: AnyOf, lead: Assignment) -> Held:
    inner = [held(part, lead) for part in condition.parts]
    if Held.YES in inner:
        return Held.YES
    if Held.OPEN in inner:
        return Held.OPEN
    if Held.NOT_YES in inner:
        return Held.NOT_YES
    return Held.UNKNOWN if Held.UNKNOWN in inner else Held.NO


def _leaf(leaf: Comparison | Opaque, lead: Assignment) -> Held:
    name = key(leaf)
    if name not in lead:
        return Held.OPEN
    value = lead[name]
    if isinstance(leaf, Comparison) and leaf.op is not Op.HOLDS:
        found = truth(leaf, {} if value is None else {leaf.field: value})
    else:
        found = value if isinstance(value, bool) else None
    return Held.UNKNOWN if found is None else Held(int(found))


def _search(yes: Basic, no: list[Basic], lead: Assignment, domain: Domains, budget: Budget) -> Assignment | None:
    budget.spend()
    wanted = held(yes, lead)
    if wanted not in (Held.YES, Held.OPEN):
        return None
    still = []
    for condition in no:
        found = held(condition, lead)
        if found is Held.YES:
            return None
        if found is Held.OPEN:
            still.append(condition)
    open_one = yes if wanted is Held.OPEN else still[0] if still else None
    if open_one is None:
        return lead
    name = next(key(leaf) for leaf in leaves(open_one) if key(leaf) not in lead)
    for value in domain[name]:
        found_lead = _search(yes, still, {**lead, name: value}, domain, budget)
        if found_lead is not None:
            return found_lead
    return None


def _values(name: str, every: Sequence[Comparison | Opaque]) -> tuple[Fact | None, ...]:
    tests = [leaf for leaf in every if isinstance(leaf, Comparison)]
    if not tests:
        return (False, True, ABSENT)
    unknown: tuple[Fact | None, ...] = () if name.split(" holds ")[0] in ALWAYS_KNOWN else (ABSENT,)
    if name.startswith("answers."):
        return (*unknown, *_answers(name, tests))
    kind = kind_of(tests[0].field) if tests[0].op is not Op.HOLDS else FactKind.YES_NO
    if kind is FactKind.YES_NO or name == "lead.recycled_rep_known":
        return (*unknown, False, True)
    if kind is FactKind.NUMBER:
        return (*unknown, *_numbers(name, tests))
    return (*unknown, *_words(name, tests))


def _literals(tests: Sequence[Comparison]) -> list[Fact | None]:
    found: list[Fact | None] = []
    for test in tests:
        found += test.expected if isinstance(test.expected, tuple) else (test.expected,)
    return found


def _numbers(name: str, tests: Sequence[Comparison]) -> list[Fact]:
    """Each number that a condition names, and one between each two and beyond the last, where there is one."""
    low, high = _RANGES.get(name, (0, 10**12))
    bounds = sorted({low, *(value for value in _literals(tests) if isinstance(value, int | float))})
    tried: set[float] = {*bounds, *((one + two) / 2 for one, two in pairwise(bounds)), bounds[-1] + 1}
    if name not in _FRACTIONAL:
        tried = {whole for bound in bounds for whole in (floor(bound), floor(bound) + 1)}
    return [int(each) if each == int(each) else each for each in sorted(tried) if low <= each <= high]


def _answers(name: str, tests: Sequence[Comparison]) -> list[Fact]:
    """Of every kind that is asked for: what a form asks is of the form's kind, which no policy says."""
    are_numbers = any(isinstance(value, int | float) for value in _literals(tests) if not isinstance(value, bool))
    are_yes_or_no = any(test.op is Op.TRUE for test in tests)
    numbers = _numbers(name, tests) if are_numbers else []
    return [*_words(name, tests), *numbers, *((False, True) if are_yes_or_no else ())]


def _words(name: str, tests: Sequence[Comparison]) -> list[Fact]:
    closed = CHOICES.get(name)
    if closed is not None:
        return list(closed)
    literals = [value for value in _literals(tests) if isinstance(value, str)]
    ordered = [str(t.expected) + "!" for t in tests if t.op in (Op.LESS, Op.AT_MOST, Op.MORE, Op.AT_LEAST)]
    least = [""] if ordered else []
    built = [*_built(tests, ""), *ordered, *_built(tests, "!")]
    return list(dict.fromkeys([OTHER, *least, *literals, *built]))


def _built(tests: Sequence[Comparison], between: str) -> Iterator[str]:
    """Words of a beginning, a middle and an end that tests ask for; the middle one of theirs, or all of them."""
    starts, middles, ends = (
        [str(test.expected) for test in tests if test.op is op][:6] for op in (Op.STARTS, Op.CONTAINS, Op.ENDS)
    )
    for each in product(("", *starts), ("", *middles, "!".join(middles)), ("", *ends)):
        if any(each):
            yield between.join(each)
