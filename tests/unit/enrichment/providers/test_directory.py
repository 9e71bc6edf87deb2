"""The directory's scores: how many of its own companies are found by what a lead may give."""

from collections.abc import Callable

import pytest

from enrichment.providers import directory
from enrichment.providers.provider import Firmographics, Query
from schemas.lead import Company

WAYS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "lower case": str.lower,
    "capitals": str.upper,
    "with a legal form": lambda name: f"{name}, Inc.",
    "with another legal form": lambda name: f"{name} GmbH",
    "with the": lambda name: f"The {name}",
    "without punctuation": lambda name: name.replace(".", "").replace(",", "").replace("'", ""),
    "and for &": lambda name: name.replace("&", "and"),
    "spaced": lambda name: f"  {name.replace(' ', '  ')} ",
}
MISTYPED: dict[str, Callable[[str], str]] = {
    "one letter twice": lambda name: name[:4] + name[3:],
    "one letter left out": lambda name: name[:4] + name[5:],
    "two letters swapped": lambda name: name[:3] + name[4:5] + name[3:4] + name[5:],
}


def is_found(query: Query, wanted: Company) -> bool:
    answer = directory.find(query)
    rows = (answer.company, *answer.others) if isinstance(answer, Firmographics) else ()
    return any((row.domain or row.name) == (wanted.domain or wanted.name) for row in rows)


def test_every_company_with_a_site_is_found_by_site_and_mail_domain() -> None:
    sites = [company for company in directory.companies() if company.domain]
    assert len(sites) > 1_400
    assert all(is_found(Query(domain=company.domain), company) for company in sites)


def share_found(way: Callable[[str], str], shortest: int = 0) -> float:
    named = [company for company in directory.companies() if company.name and len(company.name) >= shortest]
    return sum(is_found(Query(company=way(company.name or "")), company) for company in named) / len(named)


@pytest.mark.parametrize("way", WAYS)
def test_a_company_is_found_by_its_name_as_people_type_it(way: str) -> None:
    assert share_found(WAYS[way]) >= 0.95


@pytest.mark.parametrize("way", MISTYPED)
def test_most_are_found_with_one_typing_error(way: str) -> None:
    assert share_found(MISTYPED[way], shortest=7) >= 0.75
