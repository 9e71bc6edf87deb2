"""JSON made of pieces is the JSON of the whole."""

from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from schemas.scored import plain
from schemas.spliced import Written, spliced

data = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


def written(value: Any) -> Any:
    """Every list of it written already, the innermost first."""
    if isinstance(value, list):
        return Written(*spliced([written(one) for one in value], plain))
    return {name: written(one) for name, one in value.items()} if isinstance(value, dict) else value


@given(data)
def test_pieces_make_the_same_bytes_as_the_whole(value: Any) -> None:
    assert b"".join(spliced(written(value), plain)) == orjson.dumps(value)


@given(st.lists(st.text(alphabet='\x00\x1f"\\a', max_size=5), max_size=3))
def test_control_characters_in_a_text_cut_nothing(texts: list[str]) -> None:
    value = {"texts": texts, "more": Written(orjson.dumps(texts))}
    assert orjson.loads(b"".join(spliced(value, plain))) == {"texts": texts, "more": texts}


def test_large_pieces_are_not_copied() -> None:
    large = orjson.dumps(["x" * 1000])
    assert any(piece is large for piece in spliced({"a": Written(large)}, plain))
