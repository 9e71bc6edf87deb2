import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.policy import Policy, compile_policy
from routing.scoring import judged
from tests.unit.routing.policies import lead, shipped, text_of

POLICY = shipped()


def scored_as(policy: Policy, behaviour: tuple[str, ...] = (), **company: object) -> dict[str, int]:
    of = lead(**company).model_copy(update={"behaviour": behaviour})
    _, found = judged(policy, of)
    return found.parts | {"total": found.total}


def test_fit_and_high_intent_make_eighty() -> None:
    assert scored_as(POLICY, employees=600, industry="saas") == {
        "fit": 40,
        "intent": 40,
        "behaviour": 0,
        "total": 80,
    }


@pytest.mark.parametrize(
    ("action", "points"),
    [("demo", 40), ("webinar", 25), ("newsletter", 5), (None, 5)],
    ids=["high", "medium", "low", "none"],
)
def test_each_intent_has_its_points(action: str | None, points: int) -> None:
    assert judged(POLICY, lead(action))[1].parts["intent"] == points


def test_no_fit_and_an_intent_without_points_earn_nothing() -> None:
    text = text_of("default").replace("intent: {high: 40, medium: 25, low: 5}", "intent: {high: 40}")
    nothing = {"fit": 0, "intent": 0, "behaviour": 0}
    assert judged(compile_policy(text), lead(None, country="BR"))[1].parts == nothing


def test_the_pricing_page_counts_more_than_the_whitepaper() -> None:
    assert scored_as(POLICY, ("pricing",))["behaviour"] > scored_as(POLICY, ("whitepaper",))["behaviour"]


def test_the_model_version_is_told() -> None:
    of = lead()
    assert judged(POLICY, of)[1].model == "points-1"


@settings(deadline=None)
@given(
    behaviour=st.lists(st.sampled_from(["pricing", "returning", "whitepaper"])),
    employees=st.none() | st.integers(0, 10_000),
    points=st.lists(st.tuples(st.sampled_from(["fit", "intent", "behaviour"]), st.integers(-100, 100)), max_size=4),
)
def test_parts_sum_to_a_total_between_0_and_100(
    behaviour: list[str], employees: int | None, points: list[tuple[str, int]]
) -> None:
    rows = ", ".join(
        f"{{name: p{at}, part: {part}, when: has(company.country) || company.employees > 0, points: {worth}}}"
        for at, (part, worth) in enumerate(points)
    )
    text = text_of("starter") + f"scoring: {{ceilings: {{fit: 90, intent: 90, behaviour: 90}}, points: [{rows}]}}\n"
    found = scored_as(compile_policy(text), tuple(behaviour), employees=employees)
    total = found.pop("total")
    assert sum(found.values()) == total
    assert 0 <= total <= 100
    assert all(part >= 0 for part in found.values())


@pytest.mark.parametrize("ceiling", [0, 7])
def test_a_part_stops_at_its_ceiling(ceiling: int) -> None:
    text = text_of("default").replace("scoring:\n", f"scoring:\n  ceilings: {{fit: {ceiling}}}\n")
    assert scored_as(compile_policy(text), employees=600, industry="saas")["fit"] == ceiling
