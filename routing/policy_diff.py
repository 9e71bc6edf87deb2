"""What changes from one policy to another: which kinds of lead go elsewhere, and which settings differ."""

from collections.abc import Iterator, Mapping
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
    """One lead that goes elsewhere, by what tells its kind."""

    traits: tuple[str, ...]
    tier: str
    place: str
    industry: str
    route: tuple[str, str, str, str]
    facts: dict[str, Fact]


@dataclass(frozen=True, slots=True)
class Changed:
    """A setting that differs. before, after: JSON data; None: not there."""

    path: str
    before: Any
    after: Any


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
    moved = [_case(before, after, facts) for facts in (*_cell_facts(before, after), *_solved_facts(before, after))]
    one, two = before.file.model_dump(mode="json"), after.file.model_dump(mode="json")
    changed = tuple(_changes(one, two, ()))[:MOST_SETTINGS]
    return PolicyDiff(before.hash, after.hash, _grouped([case for case in moved if case is not None]), changed)


def _case(before: Policy, after: Policy, facts: dict[str, Fact]) -> _Case | None:
    old, new = graded(before, facts), graded(after, facts)
    first = first_match(before, nested(old)).rule
    second = first_match(after, nested(new)).rule
    if first.to == second.to:
        return None
    route = (destination(first.to), destination(second.to), first.name, second.name)
    place = "-".join(str(old[name]) for name in ("company.country", "company.state") if name in old)
    industry = str(old.get("company.industry", "unknown industry")).replace(ANOTHER, "other industries")
    place = place or str(old.get("company.region", "an unknown place"))
    return _Case(_traits(old, new), _both(old, new, "tier"), place, industry, route, facts)


def _traits(old: Mapping[str, Fact], new: Mapping[str, Fact]) -> tuple[str, ...]:
    traits = [_both(old, new, "segment"), *(said for name, said in _SAID.items() if old.get(name) is True)]
    if old.get("mail.kind") not in ("business", "none"):
        traits.append(f"{old.get('mail.kind')} mail")
    if "account.owner" in old:
        traits.append("account with an owner")
    return tuple(traits)


def _both(old: Mapping[str, Fact], new: Mapping[str, Fact], name: str) -> str:
    was, now = (str(known.get(name, "unknown size")) for known in (old, new))
    return was if was == now else f"{was} (then {now})"


def _grouped(cases: list[_Case]) -> tuple[Moved, ...]:
    """Join what goes the same way: the kinds of a segment by their tiers, places and industries."""
    groups: dict[tuple[tuple[str, ...], tuple[str, str, str, str]], list[_Case]] = {}
    for case in cases:
        groups.setdefault((case.traits, case.route), []).append(case)
    return tuple(Moved(_kind(traits, members), *route, members[0].facts) for (traits, route), members in groups.items())


def _kind(traits: tuple[str, ...], members: list[_Case]) -> str:
    tiers, places, industries = (
        list(dict.fromkeys(getattr(case, name) for case in members)) for name in ("tier", "place", "industry")
    )
    return f"{', '.join(traits)}; {', '.join(tiers)}; in {', '.join(places)}; {', '.join(industries)}"


_SAID = {
    "lead.open_duplicate": "open duplicate",
    "lead.is_suspect": "suspected spam",
    "lead.recycled": "recycled",
    "account.is_named": "named account",
}
_DERIVED = ("lead.recycled_rep_known",)


def _cell_facts(before: Policy, after: Policy) -> Iterator[dict[str, Fact]]:
    for policy in (before, after):
        for cell in cells(policy):
            yield {name: value for name, value in cell.facts.items() if name.partition(".")[1] and name in _CELL}


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
        yield Changed(path_text(path), before, after)


def _are_named(rows: Any) -> bool:
    return isinstance(rows, list) and bool(rows) and all(isinstance(row, dict) and "name" in row for row in rows)
