"""The matrix of segment x territory x industry: a plain lead for each cell, as lint, diff and explain try them."""

from collections.abc import Iterator
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
        for country, state in places_of(policy):
            for industry in (*named(policy, "company.industry"), ANOTHER):
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


def countries_named(policy: Policy) -> tuple[str, ...]:
    """Return the countries that conditions name; the US where they name states alone."""
    words = named(policy, "company.country")
    return words or (("US",) if named(policy, "company.state") else ())


def others(policy: Policy) -> dict[str, str]:
    """Return a country of each region that no condition names: it stands for all those of the region."""
    known, found = countries_named(policy), dict[str, str]()
    for country, region in REGIONS.items():
        if country not in known:
            found.setdefault(region, country)
    return found


def places_of(policy: Policy) -> list[tuple[str, str | None]]:
    """Return (country, state) of every place told apart; state None: any that no condition names."""
    states, known = named(policy, "company.state"), countries_named(policy)
    home = "US" if "US" in known or not known else known[0]
    places: list[tuple[str, str | None]] = []
    for country in (*known, *others(policy).values()):
        if country == home:
            places += [(country, state) for state in states]
        places.append((country, None))
    return places


def named(policy: Policy, field: str) -> tuple[str, ...]:
    """Return the words that the policy's conditions compare a fact with, in the order of the file."""
    words: dict[str, None] = {}
    for condition in policy.conditions.values():
        for leaf in leaves(condition.node):
            if isinstance(leaf, Comparison) and leaf.field == field:
                each = leaf.expected if isinstance(leaf.expected, tuple) else (leaf.expected,)
                words |= dict.fromkeys(word for word in each if isinstance(word, str))
    return tuple(words)
