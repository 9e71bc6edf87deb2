"""Values: equal, hashable and copied like frozen dataclasses."""

from dataclasses import replace

from schemas.effects import Delete, Put
from schemas.value import value


@value
class Pair:
    left: int
    right: int = 2


def test_values_of_the_same_fields_are_equal_and_one_key() -> None:
    assert Pair(1) == Pair(1, 2)
    assert {Pair(1): "a"}[Pair(1)] == "a"
    assert Pair(1) != Pair(2)


def test_a_value_is_copied_with_some_fields_changed() -> None:
    assert replace(Pair(1), right=5) == Pair(1, 5)


def test_values_of_two_classes_are_never_equal() -> None:
    assert Put("lead/1", None) != Delete("lead/1")


def test_how_a_put_is_encoded_makes_no_other_of_it() -> None:
    assert Put("lead/1", 1, b"1") == Put("lead/1", 1)
    assert hash(Put("lead/1", 1, b"1")) == hash(Put("lead/1", 1))
