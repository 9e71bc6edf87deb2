"""The matrix of plain leads that lint, diff and explain try: every kind that the policy tells apart is in it."""

from datetime import date

import pytest

from routing.catalogue import WEEKDAYS
from routing.facts import LeadFacts, flat
from routing.lead_cells import ANOTHER, REGIONS, Cell, cell, cells, countries_named, graded, named, others, places_of
from routing.policy import Policy, compile_policy
from schemas.lead import Lead
from tests.unit.routing.policies import NOW, SHIPPED, lead, scored, shipped, text_of


def of(policy: Policy, state: str | None) -> Cell:
    return cell(policy, 300, ("US", state), "saas", "high")


def test_the_cells_are_of_every_segment_and_intent_place_and_industry() -> None:
    policy = shipped()
    found = list(cells(policy))
    assert {each.segment for each in found} == {band.name for band in policy.bands}
    assert {each.intent for each in found} == {"high", "medium", "low"}
    assert {each.industry for each in found} == {*named(policy, "company.industry"), ANOTHER}
    places = len(places_of(policy))
    assert len(found) == len(policy.bands) * places * (len(named(policy, "company.industry")) + 1) * 3


def test_a_cell_knows_its_state_and_region_where_they_are_known() -> None:
    policy = shipped()
    texas = of(policy, "TX")
    assert (texas.place, texas.facts["company.state"], texas.facts["company.region"]) == ("US-TX", "TX", "amer")
    anywhere = of(policy, None)
    assert anywhere.place == "US"
    assert "company.state" not in anywhere.facts
    assert of(policy, ANOTHER).place == "US"
    assert "company.region" not in cell(policy, 300, ("XX", None), "saas", "high").facts


def test_a_lead_is_recycled_within_the_days_of_the_policy_unless_it_is_said_otherwise() -> None:
    policy = shipped()
    days = policy.file.recycling.days

    def recycled(**facts: int | bool) -> object:
        return graded(policy, {f"lead.{name}": value for name, value in facts.items()})["lead.recycled"]

    assert recycled(disqualified_days=days - 1) is True
    assert recycled(disqualified_days=days) is False
    assert recycled(disqualified_days=days - 1, recycled=False) is False
    assert recycled() is False


STATES = 'company.state in ["TX", "OK"]'


def with_condition(text: str) -> Policy:
    """The starter policy with points for this condition, the only one on places."""
    return compile_policy(
        f"{text_of('starter')}\nscoring: {{points: [{{name: p, part: fit, when: '{text}', points: 1}}]}}\n"
    )


def test_states_are_those_of_the_us_unless_the_policy_names_other_countries_alone() -> None:
    assert countries_named(with_condition(STATES)) == ("US",)
    assert countries_named(with_condition("company.employees > 5")) == ()
    assert places_of(with_condition(STATES))[:3] == [("US", "TX"), ("US", "OK"), ("US", None)]
    both = places_of(with_condition(f'{STATES} && company.country in ["DE", "US"]'))
    assert both[:4] == [("DE", None), ("US", "TX"), ("US", "OK"), ("US", None)]
    german = places_of(with_condition(f'{STATES} && company.country in ["DE", "FR"]'))
    assert german[:4] == [("DE", "TX"), ("DE", "OK"), ("DE", None), ("FR", None)]


def test_only_words_are_named() -> None:
    policy = with_condition('company.employees in [5, 6] && company.industry in ["saas", "x"] && company.domain == "a"')
    assert named(policy, "company.employees") == ()
    assert named(policy, "company.industry")[-1] == "x"


def test_a_plain_lead_has_what_any_lead_has_of_which_nothing_is_known() -> None:
    policy = shipped()
    unknown = Lead(event_id="e1", person="p1", submitted_at=NOW, received_at=NOW)
    facts = flat(LeadFacts(scored(unknown, policy), NOW, policy))
    plain = graded(policy, {})
    of_the_hour = {"score", "weekday", "hour", "time_of_day", "date"}
    assert {name: facts[name] for name in plain.keys() - of_the_hour} == {
        name: value for name, value in plain.items() if name not in of_the_hour
    }
    assert plain["score"] == 50
    assert (plain["time_of_day"], plain["weekday"]) == (
        f"{plain['hour']}:00",
        WEEKDAYS[date.fromisoformat(str(plain["date"])).weekday()],
    )


@pytest.mark.parametrize("name", SHIPPED)
@pytest.mark.parametrize("employees", [None, 5, 300, 5_000])
@pytest.mark.parametrize("action", ["demo", "webinar", "nothing known"])
def test_a_plain_lead_is_graded_as_a_real_one(name: str, employees: int | None, action: str) -> None:
    policy = shipped(name)
    known = {"company.country": "US", "company.region": "amer", "company.industry": "saas", "lead.action": action}
    plain = graded(policy, known | ({} if employees is None else {"company.employees": employees}))
    real = flat(LeadFacts(scored(lead(action, employees=employees, industry="saas"), policy), NOW, policy))
    for fact in ("intent", "icp", "segment", "tier", "treatment"):
        assert plain.get(fact) == real.get(fact), fact


def test_a_country_that_no_condition_names_stands_for_each_region() -> None:
    found = others(with_condition('company.country in ["US", "GB", "SG"]'))
    assert found == {"amer": "CA", "emea": "IE", "apac": "JP"}
    assert {REGIONS[country] for country in found.values()} == {"amer", "emea", "apac"}
    policy = with_condition('company.country == "US"')
    assert {place for place, _ in places_of(policy)} == {"US", *others(policy).values()}
