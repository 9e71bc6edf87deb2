"""The words that rules are written in are those that ENRICH writes: two lists of one thing, held together here."""

import pytest

from enrichment.normalise import action, industry, title
from notifiers.channel import CHANNELS
from routing.lint_values import CHANNELS as OF_POLICIES
from schemas.vocabulary import ACTIONS, DEPARTMENTS, INDUSTRIES, SENIORITIES, SOURCES


def test_industries_are_those_of_the_taxonomy() -> None:
    assert set(INDUSTRIES) == set(industry.TAXONOMY)


def test_seniorities_and_departments_are_those_that_titles_are_read_as() -> None:
    assert set(SENIORITIES) == {name for name, _ in title.SENIORITIES} | {"ic"}
    assert set(DEPARTMENTS) == {name for name, _ in title.DEPARTMENTS}


def test_the_channels_that_a_policy_may_name_are_those_that_notify_has() -> None:
    assert set(OF_POLICIES) == set(CHANNELS)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("Contact Sales", "contact_sales"),
        ("contact_sales", "contact_sales"),
        ("Talk to sales", "contact_sales"),
        ("Contact us", "contact"),
        ("qualified_chat", "qualified_chat"),
        ("Live chat", "chat"),
    ],
)
def test_to_ask_for_sales_is_another_act_than_to_ask(text: str, word: str) -> None:
    assert action.action(text, {}) == word


@pytest.mark.parametrize(
    ("text", "own", "word"),
    [
        ("Partner portal", {}, "partner"),
        ("reseller", {}, "partner"),
        ("Referral", {}, "referral"),
        ("partner", {"partner": "referral"}, "referral"),
        ("google ads", {}, "ads"),
    ],
)
def test_a_partner_is_a_source_of_its_own_unless_the_org_says_otherwise(
    text: str, own: dict[str, str], word: str
) -> None:
    assert action.source(text, own) == word


def test_every_word_is_read_as_itself() -> None:
    assert [word for word in ACTIONS if action.action(word, {}) != word] == []
    assert [word for word in SOURCES if action.source(word, {}) != word] == []
