import uuid

from hypothesis import given
from hypothesis import strategies as st

from schemas.ids import derived_id, derived_ids

NAMESPACE = uuid.UUID("8f3b1c66-0c3b-5d57-9a61-5a1f4e1f7f10")


@given(parent=st.text(), tag=st.text())
def test_a_derived_id_is_the_uuid5_of_its_input(parent: str, tag: str) -> None:
    assert derived_id(parent, "score", tag) == str(uuid.uuid5(NAMESPACE, f"{parent}\x1fscore\x1f{tag}"))


@given(prefix=st.text(), number=st.integers(min_value=0))
def test_ids_of_many_numbers_are_those_of_each(prefix: str, number: int) -> None:
    ids = derived_ids(prefix, "timers", "fire")
    assert [ids(one) for one in (number, 7)] == [derived_id(f"{prefix}{one}", "timers", "fire") for one in (number, 7)]


def test_a_derived_id_stays_the_same_for_ever() -> None:
    assert derived_id("enriched-1", "score", "0") == "3fdffa89-00f0-55ae-be91-d09278b71bac"
