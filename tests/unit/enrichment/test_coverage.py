"""Fill rates over 30 days, their fall, cost and the comparison of two providers, from counts alone."""

from datetime import UTC, date, datetime, timedelta

import pytest

from enrichment.answer import Learnt, Said
from enrichment.coverage import ENOUGH, LEADS, counts_of, leads_in, worth
from schemas.lead import Company
from schemas.org import ProviderSettings
from streams.cli.commands.enrichment import drop_off, remarks

TODAY = date(2026, 3, 31)
AT = datetime(2026, 3, 31, tzinfo=UTC)
WHOLE = Company(domain="a.example", employees=5, industry="saas", country="US")


def provider(name: str, call: float = 0.0, found: float = 0.0) -> ProviderSettings:
    return ProviderSettings(name=name, kind="directory", price_per_call=call, price_per_found=found)


def week(age: int, employees: int, found: int = 100) -> tuple[date, str, dict[str, int]]:
    return TODAY - timedelta(days=7 * age), "one", {"asked": found, "found": found, "employees": employees}


def test_a_fall_from_85_to_70_is_degradation_and_nine_points_are_not() -> None:
    (fallen,) = worth([week(3, 85), week(0, 70)], TODAY, [provider("one")])
    assert fallen.degraded == ("employees",) and fallen.fall["employees"] == pytest.approx(0.15)
    assert "employees fell from 85% to 70%" in next(remarks([fallen]))
    (steady,) = worth([week(3, 85), week(0, 76)], TODAY, [provider("one")])
    assert steady.degraded == ()


def test_a_fall_is_measured_from_the_best_week_of_the_window_and_not_from_before_it() -> None:
    (found,) = worth([week(5, 100), week(2, 80), week(1, 85), week(0, 78)], TODAY, [provider("one")])
    assert found.fall["employees"] == pytest.approx(0.07)


def test_few_answers_tell_no_fall() -> None:
    (found,) = worth([week(1, 40, ENOUGH - 1), week(0, 10, 100)], TODAY, [provider("one")])
    assert found.fall == {} and found.fill["employees"] == pytest.approx(0.1)


def test_partitions_and_processes_are_added_up_and_cost_follows_the_prices() -> None:
    rows = [(TODAY, "one", {"asked": 10, "calls": 10, "found": 5, "empty": 5, "complete": 4})] * 2
    (found,) = worth(rows, TODAY, [provider("one", call=0.01, found=0.5), provider("never")])
    assert (found.asked, found.coverage, found.cost) == (20, 0.4, pytest.approx(5.2))
    assert "all four fields for 40%" in next(iter(remarks([found])))


def test_one_lead_counts_for_each_provider_that_it_was_asked_of_now() -> None:
    answers = (Said("a", AT, WHOLE, is_fresh=True), Said("b", AT, is_fresh=True), Said("cached", AT, WHOLE))
    found = counts_of(Learnt(answers, unanswered=("c",), failed=("d",), called=("a", "b", "c")))
    assert set(found) == {"a", "b", "c", "d", LEADS}
    assert (found["a"]["complete"], found["a"]["employees"], found["a"]["calls"]) == (1, 1, 1)
    assert (found["b"]["empty"], found["c"]["late"], found["d"]["failed"], found["d"]["calls"]) == (1, 1, 1, 0)


def test_leads_of_the_window_are_counted_once() -> None:
    rows = [(TODAY, LEADS, {"asked": 3}), (TODAY - timedelta(days=30), LEADS, {"asked": 9}), (TODAY, "a", {"asked": 3})]
    assert leads_in(rows, TODAY) == 3


def test_drop_off_tells_how_many_of_a_step_came_to_the_end() -> None:
    rows = [
        ("steps/2026-03-30/contact/who", {"count": 8}),
        ("steps/2026-03-31/contact/who", {"count": 2}),
        ("steps/2026-03-31/contact/final", {"count": 4}),
        ("steps/2026-03-31", {"count": 2}),
        ("steps/2026-01-01/contact/who", {"count": 99}),
    ]
    assert drop_off(rows, date(2026, 3, 1)) == [("contact", "who", 10, "40%"), ("contact", "final", 4, "100%")]
