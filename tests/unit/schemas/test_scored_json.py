"""A scored lead around the bytes of the enriched one: the same lead, or none and it is written whole."""

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.lead import Contact, LeadEnriched, LeadScored
from schemas.scored_json import scored_json
from schemas.wire import decode, encode
from tests.bench.inputs import AT, contact, lead, scored_lead

ENRICHED = LeadEnriched(lead=lead(1), contact=contact(1), enriched_at=AT, alternates=("a", "b"))

json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text() | st.just("enriched_at"), inner, max_size=3),
)


def scored(enriched: LeadEnriched) -> LeadScored:
    return scored_lead(1).model_copy(update={"lead": enriched.lead, "contact": enriched.contact})


def bytes_of(enriched: LeadEnriched) -> bytes:
    written = encode(enriched)
    assert written is not None
    return written


@settings(deadline=None)
@given(st.dictionaries(st.text() | st.just("enriched_at"), json, max_size=4), st.text())
def test_it_reads_back_as_the_scored_lead_whatever_people_wrote(raw: dict[str, object], message: str) -> None:
    enriched = ENRICHED.model_copy(update={"contact": Contact(message=message, raw=raw)})
    written = scored_json(scored(enriched), bytes_of(enriched))
    assert written is not None
    assert decode("lead.scored", 1, written) == scored(enriched)


def test_the_lead_stands_in_it_byte_for_byte() -> None:
    written = scored_json(scored(ENRICHED), bytes_of(ENRICHED))
    assert written is not None
    assert written.startswith(bytes_of(ENRICHED).split(b',"enriched_at"')[0])


@pytest.mark.parametrize(
    "data",
    [
        orjson.dumps(orjson.loads(bytes_of(ENRICHED)), option=orjson.OPT_INDENT_2),
        orjson.dumps({"enriched_at": AT, "lead": {"event_id": "e"}, "contact": {"raw": {"a": 1, "enriched_at": "x"}}}),
        b'{"lead":{},"enriched_at":"x","contact":{"raw":{"a":1,"enriched_at":"x"}}}',
        b'{"lead":{}}',
        b"",
    ],
    ids=["with spaces", "in another order", "a field of that name below", "without its time", "empty"],
)
def test_a_record_laid_out_otherwise_is_not_taken_apart(data: bytes) -> None:
    assert scored_json(scored(ENRICHED), data) is None
