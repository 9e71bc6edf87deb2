"""Each fault raises its alert in its time and no other page; a healthy day raises none."""

import pytest

from tests.observed.faults import CHANCE, FAULTS, PAGE, SILENCE, page, timeline, told


def test_a_healthy_day_raises_nothing() -> None:
    assert {names for _, pages, tickets in timeline(None) for names in (*pages, *tickets)} == set()


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_raises_its_alert_in_its_time_and_no_other_page(name: str) -> None:
    fault, what = FAULTS[name], told(name)
    assert what.after is not None and what.after <= fault.seconds, what
    assert what.pages == frozenset()
    assert what.tickets <= fault.tickets


@pytest.mark.parametrize("name", CHANCE)
def test_what_is_chance_or_passes_wakes_nobody(name: str) -> None:
    line = timeline(CHANCE[name])
    assert {one for _, pages, _ in line for one in pages} == set()
    assert {one for _, _, tickets in line for one in tickets} == CHANCE[name].tickets


def test_silence_is_an_alarm() -> None:
    what = told(SILENCE)
    assert what.after is not None and 1_500 <= what.after <= 2_400
    assert (what.pages, what.tickets) == (frozenset(), frozenset())


def test_the_page_of_alerts_is_what_promtool_says() -> None:
    assert PAGE.read_text() == page(), "run python -m tests.observed.faults"
