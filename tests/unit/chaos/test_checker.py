from hypothesis import given
from hypothesis import strategies as st

from tests.chaos.checker import differing, doubled, exactly_once, lost, overlapping_epochs, reordered

IDS = ["a", "b", "c"]


def test_a_clean_run_has_no_violation() -> None:
    assert exactly_once("law", IDS, ["b", "a", "c"]) == []


def test_the_checker_objects_to_a_lost_record() -> None:
    assert [found.what for found in lost("law", IDS, ["a", "c"])] == ["lost b"]
    assert exactly_once("law", IDS, ["a", "c"])


def test_the_checker_objects_to_a_doubled_record() -> None:
    assert [found.what for found in doubled("law", ["a", "b", "a"])] == ["a seen 2 times"]
    assert exactly_once("law", IDS, ["a", "b", "c", "a"])


def test_the_checker_objects_to_an_invented_record() -> None:
    assert [found.what for found in exactly_once("law", IDS, ["a", "b", "c", "d"])] == ["invented d"]


def test_the_checker_objects_to_a_reordered_record() -> None:
    before = [("p", "a"), ("q", "x"), ("p", "b"), ("p", "c")]
    after = [("p", "a"), ("p", "c"), ("p", "b"), ("q", "x")]
    assert [found.what for found in reordered("law", before, after)] == ["b came after c in p"]


def test_order_between_groups_is_free() -> None:
    before = [("p", "a"), ("q", "x")]
    assert reordered("law", before, [("q", "x"), ("p", "a")]) == []


def test_the_checker_objects_to_a_store_that_differs_from_its_changelog() -> None:
    assert [found.what for found in differing("law", {"k": b"1", "l": b"2"}, {"k": b"1", "l": b"3", "m": b"4"})] == [
        "l differs",
        "m differs",
    ]


def test_the_checker_objects_to_two_owners_in_one_epoch() -> None:
    seen = [("lead", 1, "M1"), ("lead", 1, "M1"), ("lead", 2, "M2"), ("lead", 2, "M3")]
    assert [found.what for found in overlapping_epochs("law", seen)] == ["lead epoch 2 has 2 owners"]


@given(st.lists(st.integers(0, 5).map(str), min_size=2, unique=True), st.data())
def test_any_swap_inside_a_group_is_noticed(ids: list[str], data: st.DataObject) -> None:
    first, second = sorted(data.draw(st.lists(st.sampled_from(range(len(ids))), min_size=2, max_size=2, unique=True)))
    swapped = list(ids)
    swapped[first], swapped[second] = swapped[second], swapped[first]
    assert reordered("law", [("g", one) for one in ids], [("g", one) for one in swapped])
