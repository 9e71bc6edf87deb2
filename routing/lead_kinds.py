"""Kinds of lead in words: cells of the matrix, those that differ in place alone said together."""

from collections.abc import Sequence

from routing.lead_cells import ANOTHER, Cell, countries_named, named, others, places_of
from routing.policy import Policy


def kinds(policy: Policy, found: Sequence[Cell]) -> tuple[str, ...]:
    """Return cells in words: "new smb leads of high intent (saas) in US outside TX; in CA".

    Left out is what is whole: a segment where the policy has none, all intents, all industries,
    all places.
    """
    by_place: dict[tuple[str | None, str], list[Cell]] = {}
    for each in found:
        by_place.setdefault((each.segment, each.place or ""), []).append(each)
    alike: dict[tuple[str | None, str, str], list[str]] = {}
    for (segment, place), members in by_place.items():
        intents, industries = _intents(policy, members), _industries(policy, members)
        alike.setdefault((segment, intents, industries), []).append(place)
    return tuple(
        f"new {segment} leads{intents}{industries}{_places(policy, places)}".replace("new None ", "new ")
        for (segment, intents, industries), places in alike.items()
    )


def _intents(policy: Policy, members: Sequence[Cell]) -> str:
    said = dict.fromkeys(str(each.facts["intent"]) for each in members)
    whole = {*policy.intents.values(), policy.file.intent_default}
    return "" if set(said) == whole else f" of {' or '.join(said)} intent"


def _industries(policy: Policy, members: Sequence[Cell]) -> str:
    said = dict.fromkeys("other industries" if each.industry == ANOTHER else str(each.industry) for each in members)
    return "" if len(said) == len(named(policy, "company.industry")) + 1 else f" ({', '.join(said)})"


def _places(policy: Policy, found: Sequence[str]) -> str:
    """Say unnamed states by the named ones that are left out, and unnamed countries by their region."""
    every = places_of(policy)
    if len(found) == len(every):
        return ""
    states: dict[str, list[str]] = {}
    for country, state in every:
        if state is not None:
            states.setdefault(country, []).append(state)
    regions = {country: region for region, country in others(policy).items()}
    said = []
    for place in found:
        country, _, state = place.partition("-")
        outside = [one for one in states.get(country, ()) if f"{country}-{one}" not in found]
        if not state and place not in regions:
            said.append(f"{place} outside {', '.join(outside)}" if outside else place)
        elif state and country not in found:
            said.append(place)
    rest = [regions[place] for place in found if place in regions]
    if rest:
        said.append(f"{'other ' if countries_named(policy) else ''}countries of {', '.join(rest)}")
    return f" in {'; in '.join(said)}"
