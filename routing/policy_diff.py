"""What changes from one policy to another: which kinds of lead go elsewhere, and which settings differ."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from routing.derived import All, basic
from routing.expression import Fact
from routing.facts import nested
from routing.finding import path_text
from routing.lead_cells import ANOTHER, REGIONS, cells, graded
from routing.policy import Policy
from routing.policy_text import destination
from routing.rules import first_match
from routing.solving import Assignment, Budget, Case, TooHard, case_of, find_lead

MOST_SETTINGS = 200
STEPS_A_PAIR = 2_000


@dataclass(frozen=True, slots=True)
class Moved:
    """Leads that go elsewhere. kind: in words; before, after: target; rules: names; example: the facts of one."""

    kind: str
    before: str
    after: str
    rule_before: str
    rule_after: str
    example: dict[str, Fact]


@dataclass(frozen=True, slots=True)
class _Case:
    """One lead that goes elsewhere, by what tells its kind. place: country and state; None: unknown.

    is_solved: found by solving, so that it has the facts that make the difference and no others.
    """

    is_solved: bool

    traits: tuple[str, ...]
    tier: str
    place: tuple[str | None, str | None]
    industry: str
    route: tuple[str, str, str, str]
    facts: dict[str, Fact]


@dataclass(frozen=True, slots=True)
class Changed:
    """A setting that differs. before, after: JSON data; None: not there. is_entry: a rule, pool, … as a whole."""

    path: str
    before: Any
    after: Any
    is_entry: bool = False


@dataclass(frozen=True, slots=True)
class PolicyDiff:
    """moved: kinds of lead, in the order of segment, place, industry, intent. changed: settings in file order."""

    before: str
    after: str
    moved: tuple[Moved, ...]
    changed: tuple[Changed, ...]


def diff(before: Policy, after: Policy) -> PolicyDiff:
    """Return which kinds of lead go elsewhere and which settings differ.

    Kinds are the cells of segment x place x industry x intent of both policies, and for every two rules a lead that
    the first takes before and the second after, found by solving: so no difference hides between the cells.
    """
    typical, solved = tuple(_cell_facts(before, after)), tuple(_solved_facts(before, after))
    tried = [*((facts, False) for facts in typical), *((facts, True) for facts in solved)]
    moved = [case for facts, is_solved in tried if (case := _case(before, after, facts, is_solved)) is not None]
    whole = _Whole.of(before, after, typical)
    one, two = before.file.model_dump(mode="json"), after.file.model_dump(mode="json")
    changed = tuple(_changes(one, two, ()))[:MOST_SETTINGS]
    return PolicyDiff(before.hash, after.hash, _grouped(moved, whole), changed)


def _case(before: Policy, after: Policy, facts: dict[str, Fact], is_solved: bool) -> _Case | None:
    old, new = graded(before, facts), graded(after, facts)
    first = first_match(before, nested(old)).rule
    second = first_match(after, nested(new)).rule
    if first.to == second.to:
        return None
    route = (destination(first.to), destination(second.to), first.name, second.name)
    industry = _industry(str(old.get("company.industry", "unknown industry")))
    place = (_text(old.get("company.country", old.get("company.region"))), _text(old.get("company.state")))
    tier = _both(str(old["tier"]), str(new["tier"]), len(before.tiers) == 1, len(after.tiers) == 1)
    return _Case(is_solved, _traits(before, after, old, new), tier, place, industry, route, facts)


def _text(fact: Fact | None) -> str | None:
    return None if fact is None else str(fact)


def _traits(before: Policy, after: Policy, old: Mapping[str, Fact], new: Mapping[str, Fact]) -> tuple[str, ...]:
    was, now = (str(known.get("segment", "unknown size")) for known in (old, new))
    traits = [_both(was, now, not before.bands, not after.bands)] if before.bands or after.bands else []
    traits += [said for name, said in _SAID.items() if old.get(name) is True]
    if old.get("mail.kind") not in ("business", "none"):
        traits.append(f"{old.get('mail.kind')} mail")
    if "account.owner" in old:
        traits.append("account with an owner")
    return tuple(traits)


def _both(was: str, now: str, undivided_before: bool, undivided_after: bool) -> str:
    """Return what a lead is under both policies; a policy that does not divide leads so has no word for it."""
    if was == now or undivided_before:
        return now
    return was if undivided_after else f"{was} (then {now})"


@dataclass(frozen=True, slots=True)
class _Whole:
    """What "any" means: every tier and industry that the two policies tell apart, and countries with named states."""

    tiers: frozenset[str]
    industries: frozenset[str]
    places: frozenset[tuple[str, str | None]]

    @classmethod
    def of(cls, before: Policy, after: Policy, typical: Sequence[Mapping[str, Fact]]) -> "_Whole":
        tiers = [tier.name for policy in (before, after) if len(policy.tiers) > 1 for tier in policy.tiers]
        industries = {str(facts["company.industry"]) for facts in typical}
        places = frozenset((str(facts["company.country"]), _text(facts.get("company.state"))) for facts in typical)
        return cls(frozenset(tiers), frozenset(_industry(word) for word in industries), places)


def _industry(word: str) -> str:
    return "other industries" if word == ANOTHER else word


def _grouped(cases: list[_Case], whole: _Whole) -> tuple[Moved, ...]:
    """Join what goes the same way: the kinds of a segment by their tiers, places and industries."""
    groups: dict[tuple[tuple[str, ...], tuple[str, str, str, str]], list[_Case]] = {}
    for case in cases:
        groups.setdefault((case.traits, case.route), []).append(case)
    return tuple(
        Moved(_kind(traits, members, whole), *route, members[0].facts) for (traits, route), members in groups.items()
    )


def _kind(traits: tuple[str, ...], members: list[_Case], whole: _Whole) -> str:
    if all(case.is_solved for case in members):
        return _example(members[0])
    tiers = tuple(dict.fromkeys(case.tier for case in members))
    industries = tuple(dict.fromkeys(case.industry for case in members))
    parts = [", ".join(traits)] if traits else []
    if not whole.tiers <= set(tiers):
        parts.append(" or ".join(tiers))
    parts.append(f"in {_places(members, whole)}")
    if not whole.industries <= set(industries):
        parts.append(", ".join(industries))
    return "; ".join(parts)


def _places(members: list[_Case], whole: _Whole) -> str:
    """Return countries, with their states where some only are meant: "US (AZ, TX), GB"."""
    states: dict[str | None, dict[str | None, None]] = {}
    for case in members:
        states.setdefault(case.place[0], {})[case.place[1]] = None
    said = []
    for country, named in states.items():
        every = {state for name, state in whole.places if name == country}
        shown = "" if every <= set(named) else f" ({', '.join(state or 'elsewhere' for state in named)})"
        said.append("an unknown place" if country is None else f"{country}{shown}")
    return ", ".join(said)


def _example(case: _Case) -> str:
    place = "-".join(name for name in case.place if name)
    told = [*case.traits, f"in {place}" if place else "unknown place", case.industry]
    known = [word for word in told if not word.startswith("unknown ")]
    known += [_fact(name, value) for name, value in case.facts.items() if name not in _TOLD]
    return f"a lead known only as: {', '.join(known)}" if known else "a lead of which nothing is known"


def _fact(name: str, value: Fact) -> str:
    if isinstance(value, bool):
        return f"{name} {'yes' if value else 'no'}"
    if value == ANOTHER:
        return f"{name} known"  # by a word that no condition names
    return f"{name} {' and '.join(value) if isinstance(value, tuple) else value}"


_SAID = {
    "lead.open_duplicate": "open duplicate",
    "lead.is_suspect": "suspected spam",
    "lead.recycled": "recycled",
    "account.is_named": "named account",
    "account.has_open_opportunity": "open opportunity",
}
_PLACE = ("company.country", "company.state", "company.region")
_TOLD = (*_PLACE, "company.industry", "mail.kind", "account.owner", *_SAID)
_DERIVED = ("lead.recycled_rep_known",)


def _cell_facts(before: Policy, after: Policy) -> Iterator[dict[str, Fact]]:
    for policy in (before, after):
        for cell in cells(policy):
            yield {name: value for name, value in cell.facts.items() if name in _CELL}


_CELL = (
    *("company.employees", "company.country", "company.state", "company.region", "company.industry"),
    *("mail.kind", "lead.action"),
)


def _solved_facts(before: Policy, after: Policy) -> Iterator[dict[str, Fact]]:
    old, new = _takers(before), _takers(after)
    for first, one in enumerate(old):
        for second, two in enumerate(new):
            if before.rules[first].rule.to == after.rules[second].rule.to:
                continue
            try:
                lead = find_lead((one, two), (*old[:first], *new[:second]), Budget(STEPS_A_PAIR))
            except TooHard:
                continue
            if lead is not None:
                yield _facts(lead)


def _takers(policy: Policy) -> list[Case]:
    return [case_of(basic(policy, rule.condition.node) if rule.condition else All(())) for rule in policy.rules]


def _facts(lead: Assignment) -> dict[str, Fact]:
    facts: dict[str, Fact] = {"mail.kind": "business"}
    lists: dict[str, list[str]] = {}
    for name, value in lead.items():
        group, is_list, word = name.partition(" holds ")
        if is_list:
            if value is True:
                lists.setdefault(group, []).append(word)
        elif value is not None and name not in _DERIVED:
            facts[name] = value
    country = facts.get("company.country")
    if "company.region" not in facts and "company.region" not in lead and country in REGIONS:
        facts["company.region"] = REGIONS[str(country)]
    return facts | {name: tuple(words) for name, words in lists.items()}


def _changes(before: Any, after: Any, path: tuple[str | int, ...]) -> Iterator[Changed]:
    if before == after:
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for name in dict.fromkeys((*before, *after)):
            yield from _changes(before.get(name), after.get(name), (*path, name))
    elif _are_named(before) and _are_named(after):
        one, two = ({row["name"]: row for row in rows} for rows in (before, after))
        if [name for name in one if name in two] != [name for name in two if name in one]:
            yield Changed(f"{path_text(path)} (order)", list(one), list(two))
        yield from _changes(one, two, path)
    else:
        yield Changed(path_text(path), before, after, is_entry=len(path) == 2)


def _are_named(rows: Any) -> bool:
    return isinstance(rows, list) and bool(rows) and all(isinstance(row, dict) and "name" in row for row in rows)
