"""A policy's rules, indexed by what leads can differ in: which rule takes a lead, and what failed of each before it.

Conditions tell the values of a fact apart only by their comparisons. So values fall into classes, and leads whose facts
are of the same classes meet the same rule for the same reasons; each combination is worked out once and remembered
(m: 100 rules, 100 us a lead asked part by part, 15 us so, the trace's JSON included). What plain comparisons cannot
answer is asked of CEL, lead by lead, and its answer is part of the combination.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, NamedTuple, cast

import orjson

from routing.conditions import Part, Verdict
from routing.plain_test import PlainTest, landmarks

MOST_REMEMBERED = 4096  # values of a fact, and combinations; then it begins anew
MOST_TRACES = 256  # of the rules tried: 10 kB each where there are 100 rules

_CLASS, _JSON = itemgetter(0), itemgetter(1)
_look_up: Callable[[dict[Any, Any], Any], Any] = dict.get

Ask = Callable[[Part], Verdict]
"""Ask CEL about a part of the lead at hand."""


class Answer(NamedTuple):
    """What is known of a part. holds None: ask CEL. unknown: the facts for want of which it does not hold."""

    holds: bool | None
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What one combination comes to.

    index: of the rule that holds. failed: of each rule before it, the part that does not, and for want of which facts.
    pieces: the trace of the rules as JSON, cut where a lead's own values go; asked: which fact goes into each gap, and
    distinct: each of them once.
    """

    index: int
    failed: tuple[tuple[int, tuple[str, ...]], ...]
    pieces: tuple[bytes, ...]
    asked: tuple[int, ...]
    distinct: tuple[int, ...]

    def tried(self, values: Sequence[bytes]) -> bytes:
        """Return the trace of the rules tried, as a JSON list. values: of `Rulebook.fields`, as JSON."""
        said = [values[place] for place in self.asked]
        whole = [*self.pieces, *said]
        whole[::2] = self.pieces
        whole[1::2] = said
        return b"".join(whole)


class Rulebook:
    """The rules of one policy. names: of the rules, in order; places: of each, what must all hold, in `parts`."""

    def __init__(self, names: Sequence[str], places: Sequence[tuple[int, ...]], parts: Sequence[Part]) -> None:
        self._names = names
        self._places = places
        self._parts = parts
        tested = [name for part in parts for name, _ in _tests(part)]
        self.fields = tuple(dict.fromkeys((*tested, *(part.field for part in parts))))
        self._facts = [_Classes([test for part in parts for at, test in _tests(part) if at == f]) for f in self.fields]
        self._known = [classes.known for classes in self._facts]
        self._paths = [(group, inner) for group, _, inner in (name.partition(".") for name in self.fields)]
        self._next: dict[Any, Outcome | int] = {}  # combination -> what it comes to, or the part to ask CEL about
        self._tried: dict[tuple[Any, ...], bytes] = {}  # an outcome and the values in its gaps -> the trace

    def values(self, facts: Mapping[str, Any]) -> list[Any]:
        """Return a lead's values of `fields`; None where one is unknown. facts: nested."""
        return [value_of(facts, group, inner) for group, inner in self._paths]

    def match(self, values: Sequence[Any], ask: Ask) -> tuple[Outcome, Sequence[bytes]]:
        """Return what a lead comes to that has these values of `fields`, and the values as JSON."""
        met = self._met(values)
        combination: tuple[Any, ...] = tuple(map(_CLASS, met))
        written: list[bytes] = list(map(_JSON, met))
        while True:
            found = self._next.get(combination)
            if found is None:
                found = self._remembered(combination)
            if isinstance(found, Outcome):
                return found, written
            verdict = ask(self._parts[found])
            combination = (*combination, (found, verdict.matched, verdict.unknown))

    def _met(self, values: Sequence[Any]) -> Sequence[tuple[int, bytes]]:
        """Each value's class and its JSON. Most were met before: those are looked up without a loop in Python."""
        try:
            found = list(map(_look_up, self._known, zip(map(type, values), values, strict=True)))
        except TypeError:  # a list or a group is no key as it stands
            return [classes.of(value) for classes, value in zip(self._facts, values, strict=True)]
        while None in found:
            place = found.index(None)
            found[place] = self._facts[place].of(values[place])
        return cast(list[tuple[int, bytes]], found)

    def tried(self, outcome: Outcome, written: Sequence[bytes]) -> bytes:
        """Return the trace of the rules tried, as a JSON list. written: the values of `fields`, as JSON."""
        key = (outcome, *[written[place] for place in outcome.distinct])
        found = self._tried.get(key)
        if found is None:
            if len(self._tried) >= MOST_TRACES:
                self._tried.clear()
            found = self._tried[key] = outcome.tried(written)
        return found

    def _remembered(self, combination: tuple[Any, ...]) -> "Outcome | int":
        if len(self._next) >= MOST_REMEMBERED:
            self._next.clear()
        found = self._next[combination] = self._worked_out(combination)
        return found

    def _worked_out(self, combination: tuple[Any, ...]) -> "Outcome | int":
        """The rules in order, the parts of each in order; the part that CEL must answer where that is not known yet."""
        plain = len(self.fields)
        answers = {name: iter(self._facts[at].answers(combination[at])) for at, name in enumerate(self.fields)}
        absent = {name for at, name in enumerate(self.fields) if self._facts[at].is_absent(combination[at])}
        known = [_plainly(part, answers, absent) for part in self._parts]
        for place, matched, unknown in combination[plain:]:
            known[place] = Answer(matched, unknown)
        failed: list[tuple[int, tuple[str, ...]]] = []
        for index, places in enumerate(self._places):
            for place in places:
                holds, unknown = known[place]
                if holds is None:
                    return place
                if not holds:
                    failed.append((place, unknown))
                    break
            else:
                return self._outcome(index, tuple(failed))
        raise AssertionError("compile_policy refuses a policy without a catch-all")

    def _outcome(self, index: int, failed: tuple[tuple[int, tuple[str, ...]], ...]) -> Outcome:
        pieces, asked, text = [], [], b"["
        for name, (place, unknown) in zip(self._names, failed, strict=False):
            part = self._parts[place]
            row = orjson.dumps({"rule": name, "matched": False, "field": part.field})
            pieces.append(text + row[:-1] + b',"actual":')
            asked.append(self.fields.index(part.field))
            more = {"expected": part.expected, **({"unknown": unknown} if unknown else {})}
            text = b"," + orjson.dumps(more)[1:] + b","
        won = {"rule": self._names[index], "matched": True, **({} if self._places[index] else {"otherwise": True})}
        pieces.append(text + orjson.dumps(won) + b"]")
        return Outcome(index, failed, tuple(pieces), tuple(asked), tuple(dict.fromkeys(asked)))


class _Classes:
    """The values of one fact, by how its comparisons answer.

    known: of each value met, by (type, value) as 1 is equal to True, its class and its JSON; a list as a tuple.
    """

    def __init__(self, tests: list[PlainTest]) -> None:
        self._tests = tests
        self._classes: dict[tuple[Any, ...], int] = {}
        self._answers: list[tuple[Any, ...]] = []
        self.known: dict[Any, tuple[int, bytes]] = {}
        marks = [landmarks(test) for test in tests]
        values = [value for each in marks if each is not None for value in each]
        self._cuts = sorted({value for value in values if type(value) is int})
        self._words = None if None in marks else frozenset(value for value in values if type(value) is str)
        self._by_place: dict[Any, int] = {}

    def of(self, value: Any) -> tuple[int, bytes]:
        """Return the value's class and its JSON."""
        kind = type(value)
        key = (kind, tuple(value)) if kind is list else (kind, value)
        try:
            known = self.known.get(key)
        except TypeError:  # a group as a whole: no comparison answers it
            return self._class(value), orjson.dumps(value)
        if known is None:
            if len(self.known) >= MOST_REMEMBERED:
                self.known.clear()
            known = self.known[key] = (self._placed(value), orjson.dumps(value))
        return known

    def _placed(self, value: Any) -> int:
        """The class of a value not met before: most lie between the same two numbers, or are no word that is named."""
        place: Any = None
        if type(value) is int:
            place = (bisect_left(self._cuts, value), bisect_right(self._cuts, value))
        elif type(value) is str and self._words is not None:
            place = (value,) if value in self._words else ()
        if place is None:
            return self._class(value)
        known = self._by_place.get(place)
        if known is None:
            known = self._by_place[place] = self._class(value)
        return known

    def answers(self, number: int) -> tuple[bool | None, ...]:
        """Return how each comparison answers values of a class."""
        return self._answers[number][1:]

    def is_absent(self, number: int) -> bool:
        """Tell whether the class is that of the unknown value."""
        return bool(self._answers[number][0])

    def _class(self, value: Any) -> int:
        answers = (value is None, *(test(value) for test in self._tests))
        if answers not in self._classes:
            self._classes[answers] = len(self._answers)
            self._answers.append(answers)
        return self._classes[answers]


def _tests(part: Part) -> tuple[tuple[str, PlainTest], ...]:
    return ((part.field, part.plain),) if part.plain is not None else part.plain_any


def _plainly(part: Part, answers: Mapping[str, Any], absent: set[str]) -> Answer:
    """What plain comparisons say of a part. answers: of each fact, those of its comparisons in the order of parts."""
    said = [next(answers[name]) for name, _ in _tests(part)]
    if part.plain is not None:
        if said[0] is None and part.field in absent:
            return Answer(False, (part.field,))
        return Answer(said[0])
    return Answer(None if not said or None in said else True in said)


def value_of(facts: Mapping[str, Any], group: str, inner: str) -> Any:
    """Return one fact of nested ones, None where it is unknown."""
    value = facts.get(group)
    if inner:
        return value.get(inner) if isinstance(value, dict) else None
    return value
