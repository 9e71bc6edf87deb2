"""The matrix of segment x territory x industry: a plain lead for each cell, as lint, diff and explain try them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from routing.conditions import context_of, evaluate
from routing.expression import Comparison, Fact, leaves
from routing.facts import nested, treatment
from routing.policy import Policy
from routing.segments import segment_of

# Where the usual countries are, for typical leads only; real leads bring their region from enrichment.
REGIONS = {
    **dict.fromkeys(("US", "CA", "MX", "BR", "AR", "CL", "CO"), "amer"),
    **dict.fromkeys(("GB", "IE", "DE", "FR", "ES", "IT", "NL", "BE", "CH", "AT", "SE", "DK", "NO", "FI", "PL"), "emea"),
    **dict.fromkeys(("AE", "ZA", "IL", "SA", "TR", "PT", "CZ"), "emea"),
    **dict.fromkeys(("SG", "JP", "AU", "NZ", "IN", "CN", "KR", "HK", "ID", "MY"), "apac"),
}
_TYPICAL = {"amer": "US", "emea": "GB", "apac": "SG"}
ANOTHER = "~other"


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell with the facts of a plain business lead in it. place: "US-TX", "GB"; None: unknown."""

    segment: str | None
    place: str | None
    industry: str | None
    intent: str
    facts: dict[str, Fact]


def cells(policy: Policy) -> Iterator[Cell]:
    """Yield a plain lead for every segment, territory, industry and intent that the policy tells apart."""
    sizes = [band.start for band in sorted(policy.bands, key=lambda band: band.start)] or [100]
    for employees in sizes:
        for country, state in _places(policy):
            for industry in (*_named(policy, "company.industry"), ANOTHER):
                for intent in ("high", "medium", "low"):
                    yield cell(policy, employees, (country, state), industry, intent)


def cell(policy: Policy, employees: int, where: tuple[str, str | None], industry: str, intent: str) -> Cell:
    """Return one cell's lead, graded by the policy."""
    country, state = where
    facts: dict[str, Fact] = {
        "company.employees": employees,
        "company.country": country,
        "company.industry": industry,
        "mail.kind": "business",
    }
    if state is not None:
        facts["company.state"] = state
    if country in REGIONS:
        facts["company.region"] = REGIONS[country]
    action = next((action for action, shown in sorted(policy.intents.items()) if shown == intent), ANOTHER)
    facts["lead.action"] = action
    facts = graded(policy, facts)
    place = f"{country}-{state}" if state is not None and state != ANOTHER else country
    return Cell(segment_of(policy, employees), place, industry, intent, facts)


def graded(policy: Policy, facts: dict[str, Fact]) -> dict[str, Fact]:
    """Return facts by dotted name with what the policy derives from them: intent, fit, segment, tier, treatment.

    What every lead has (no duplicate, no spam, a score of 0, …) is filled in where it is not given.
    """
    known = {**_EVERY_LEAD, **facts}
    action = known.get("lead.action")
    known["intent"] = policy.intents.get(str(action), policy.file.intent_default)
    employees = known.get("company.employees")
    segment = segment_of(policy, int(employees)) if isinstance(employees, int | float) else None
    if segment is not None:
        known["segment"] = segment
    known["icp"] = policy.icp is not None and evaluate(policy.icp, context_of(nested(known), policy.grading)).matched
    context = context_of(nested(known), policy.grading)
    known["tier"] = next(
        tier.name for tier in policy.tiers if tier.condition is None or evaluate(tier.condition, context).matched
    )
    known["treatment"] = treatment(policy, str(known["tier"]), segment)
    days = known.get("lead.disqualified_days")
    if isinstance(days, int | float) and "lead.recycled" not in facts:
        known["lead.recycled"] = days < policy.file.recycling.days
    return known


def grouped(policy: Policy, found: Sequence[Cell]) -> tuple[str, ...]:
    """Return cells in words, those alike together: a segment's places, with the industries where not all are."""
    industries = (*_named(policy, "company.industry"), ANOTHER)
    by_place: dict[tuple[str | None, str | None], list[Cell]] = {}
    for each in found:
        by_place.setdefault((each.segment, each.place), []).append(each)
    alike: dict[tuple[str | None, tuple[str | None, ...]], list[str]] = {}
    for (segment, place), members in by_place.items():
        named = tuple(dict.fromkeys(each.industry for each in members))
        alike.setdefault((segment, named), []).append(place or "unknown")
    said = []
    for (segment, named), places in alike.items():
        shown = ", ".join("other industries" if name == ANOTHER else str(name) for name in named)
        only = "" if len(named) == len(industries) else f" ({shown})"
        said.append(f"{_segment(segment)} leads in {', '.join(places)}{only}")
    return tuple(said)


_EVERY_LEAD: dict[str, Fact] = {
    "lead.open_duplicate": False,
    "lead.is_suspect": False,
    "lead.recycled": False,
    "lead.has_phone": False,
    "lead.is_bulk": False,
    "lead.bot_qualified": False,
    "lead.touch": 1,
    "lead.history": 0,
    "lead.behaviour": (),
    "lead.flags": (),
    "company.technologies": (),
    "mail.kind": "none",
    "mail.is_role": False,
    "score": 50,
    "weekday": "tue",
    "hour": 10,
    "time_of_day": "10:00",
    "date": "2026-03-10",
}


def _segment(segment: str | None) -> str:
    return "all" if segment is None else segment


def _places(policy: Policy) -> list[tuple[str, str | None]]:
    states = _named(policy, "company.state")
    countries = dict.fromkeys((*_named(policy, "company.country"), *_TYPICAL.values()))
    home = next(iter(countries))
    places: list[tuple[str, str | None]] = []
    for country in countries:
        if country == ("US" if "US" in countries else home):
            places += [(country, state) for state in states]
        places.append((country, None))
    return places


def _named(policy: Policy, field: str) -> tuple[str, ...]:
    """The words that the policy's conditions compare a fact with, in the order of the file."""
    words: dict[str, None] = {}
    for condition in policy.conditions.values():
        for leaf in leaves(condition.node):
            if isinstance(leaf, Comparison) and leaf.field == field:
                each = leaf.expected if isinstance(leaf.expected, tuple) else (leaf.expected,)
                words |= dict.fromkeys(word for word in each if isinstance(word, str))
    return tuple(words)
