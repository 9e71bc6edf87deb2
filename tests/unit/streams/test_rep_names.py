from streams.rep_names import named

NAMES = {"r-1": "Ada Cole", "E1": "Eve Ray"}


def test_ids_are_replaced_as_whole_words_alone() -> None:
    assert named("r-1 has it, not r-10; E1.", NAMES) == "Ada Cole has it, not r-10; Eve Ray."


def test_a_name_that_is_an_id_of_another_is_not_replaced_again() -> None:
    assert named("a keeps it", {"a": "b", "b": "c"}) == "b keeps it"
