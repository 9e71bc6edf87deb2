import pytest

from routing.scoring import judged
from routing.tiers import Grade, grade
from schemas.lead import Lead
from tests.unit.routing.policies import edited, lead, shipped

FIT = {"employees": 600, "industry": "saas", "state": "TX"}


@pytest.mark.parametrize(
    ("of", "tier"),
    [
        pytest.param(lead("demo", **FIT), "T1", id="high intent and fit"),
        pytest.param(lead("trial", **FIT), "T1", id="trial and fit"),
        pytest.param(lead("webinar", **FIT), "T2", id="medium intent and fit"),
        pytest.param(lead("demo", industry="saas"), "T2", id="high intent, fit unknown"),
        pytest.param(lead("demo", **(FIT | {"country": "BR"})), "T2", id="high intent, no fit"),
        pytest.param(lead("content", **(FIT | {"industry": "retail"})), "T3", id="medium intent, no fit"),
        pytest.param(lead("whitepaper", **FIT), "T3", id="low intent and fit"),
        pytest.param(lead(None, **FIT), "T3", id="no action"),
        pytest.param(lead("demo", **(FIT | {"employees": 49})), "T2", id="one below the fit"),
        pytest.param(lead("demo", **(FIT | {"employees": 50})), "T1", id="just the fit"),
    ],
)
def test_intent_and_fit_make_the_tier(of: Lead, tier: str) -> None:
    assert grade(shipped(), of).tier == tier


def test_a_grade_tells_intent_fit_segment_and_tier() -> None:
    assert grade(shipped(), lead("demo", **FIT)) == Grade("high", True, "mid_market", "T1")


def test_unknown_fit_is_no_fit() -> None:
    assert grade(shipped(), lead("demo")) == Grade("high", False, None, "T2")


def test_a_policy_with_one_tier_gives_it_to_all() -> None:
    assert grade(shipped("starter"), lead()).tier == "all"


def test_a_lead_of_unknown_size_is_not_taken_for_one_of_another_segment() -> None:
    rows = "  points:\n    - {name: not large, part: behaviour, when: 'segment != \"enterprise\"', points: 7}\n"
    policy = edited("default", ("  points:\n", rows))
    small, unknown, large = (lead("demo", employees=size) for size in (300, None, 3000))
    assert [dict(judged(policy, of)[1].parts)["behaviour"] for of in (small, unknown, large)] == [7, 0, 0]


def test_points_may_ask_for_the_tier() -> None:
    rows = "  points:\n    - {name: hot, part: behaviour, when: 'tier == \"T1\"', points: 7}\n"
    policy = edited("default", ("  points:\n", rows))
    hot, warm = (lead(action, employees=300, industry="saas") for action in ("demo", "webinar"))
    assert [dict(judged(policy, of)[1].parts)["behaviour"] for of in (hot, warm)] == [7, 0]
